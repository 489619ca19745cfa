/** What only the fake engine has: a network that harms. The laws that it shares with the real one stand in test/contract. */

import { expect, test } from 'vitest';
import { toBytes, toText } from '../../../src/base/bytes.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { contractVersion, type Event, peerCallIdKnown } from '../../../src/datapath/contract.ts';
import { FakeEngine } from '../../../src/datapath/fake.ts';
import { ReceiveWindow } from '../../../src/datapath/fake-window.ts';
import { type Conditions, calm, Wire } from '../../../src/datapath/fake-wire.ts';

function twoEngines(conditions: Partial<Conditions>, seed = 1) {
  const clock = new VirtualClock();
  const wire = new Wire({ clock, random: seededRandom(seed), conditions: { ...calm, ...conditions } });
  const sides = [1, 2].map((address) => {
    const events: Event[] = [];
    const engine = new FakeEngine({ wire, address });
    const control = engine.connect();
    control.listen((event) => events.push(event));
    control.send({ kind: 'hello', version: contractVersion });
    control.send({
      kind: 'call-open',
      call: 0x10000 | address,
      localAddress: address,
      peerAddress: 3 - address,
      peerCallId: 3 - address,
      flags: peerCallIdKnown,
    });
    return { engine, control, events };
  });
  const [one, other] = sides;
  if (one === undefined || other === undefined) throw new Error('two sides were made');
  return { clock, wire, one, other };
}

const frames = (events: readonly Event[]): string[] =>
  events.flatMap((event) => (event.kind === 'frame' ? [toText(event.information)] : []));

const byNumber = (one: string, other: string): number => Number(one.slice(6)) - Number(other.slice(6));

function sendFrames(net: ReturnType<typeof twoEngines>, count: number): string[] {
  const texts = Array.from({ length: count }, (_, at) => `frame ${at}`);
  for (const text of texts) {
    net.one.control.send({ kind: 'call-frame', call: 0x10001, protocol: 0xc021, information: toBytes(text) });
    net.clock.advance(1);
  }
  net.clock.advance(1000);
  return texts;
}

test('nothing is said from within a command', () => {
  const { clock, one } = twoEngines({});
  clock.advance(10);
  const before = one.events.length;

  one.control.send({ kind: 'counters-get', token: 1 });

  expect(one.events.length).toBe(before);
  clock.advance(0);
  expect(one.events.slice(before).map(({ kind }) => kind)).toEqual(['counters', 'totals']);
});

test('frames that are delayed differently and doubled arrive once and in order', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const net = twoEngines({ jitterMs: 5, duplicateRate: 0.3 }, seed);

    const sent = sendFrames(net, 40);

    const arrived = frames(net.other.events);
    // Until the first has arrived nobody knows which it is: those that it overtook come late.
    expect(arrived.toSorted(byNumber), `seed ${seed}`).toEqual(sent);
    expect(arrived.slice(10), `seed ${seed}`).toEqual(sent.slice(10));
  }
});

test('frames are lost at the rate that is asked for, and counted', () => {
  const net = twoEngines({ lossRate: 0.2 }, 3);

  const sent = sendFrames(net, 1000);
  net.other.control.send({ kind: 'call-close', call: 0x10002 });
  net.clock.advance(1);

  const arrived = frames(net.other.events).length;
  expect(arrived).toBeGreaterThan(740);
  expect(arrived).toBeLessThan(860);
  const closed = net.other.events.find((event) => event.kind === 'closed');
  const lostAtTheEnd = sent.length - 1 - Number(/\d+/.exec(frames(net.other.events).at(-1) ?? '')?.[0]);
  expect(closed).toMatchObject({ receivedFrames: arrived, lost: sent.length - arrived - lostAtTheEnd });
});

test('the same seed makes the same run', () => {
  const run = () => {
    const net = twoEngines({ lossRate: 0.3, jitterMs: 9, duplicateRate: 0.2 }, 11);
    sendFrames(net, 100);
    return frames(net.other.events);
  };

  expect(run()).toEqual(run());
});

test('a firewall that drops GRE lets TCP through', () => {
  const net = twoEngines({ grePasses: false, lossRate: 0.2, jitterMs: 5, splitRate: 0.5 });
  const { one, other, clock } = net;
  other.control.send({ kind: 'listen', token: 1, address: 0, port: 1723, backlog: 1 });
  one.control.send({ kind: 'connect', token: 2, localAddress: 0, address: 2, port: 1723, timeoutMs: 100 });
  clock.advance(5000);
  const connected = one.events.find((event) => event.kind === 'connected');
  const connection = connected?.kind === 'connected' ? connected.connection : 0;
  const texts = Array.from({ length: 100 }, (_, at) => `octets ${at};`);
  for (const text of texts) one.control.send({ kind: 'tcp-send', connection, bytes: toBytes(text) });

  sendFrames(net, 10);
  clock.advance(60_000);

  const data = other.events.flatMap((event) => (event.kind === 'tcp-data' ? [toText(event.bytes)] : []));
  expect(data.length).toBeGreaterThan(texts.length);
  expect(data.join('')).toBe(texts.join(''));
  expect(frames(other.events)).toEqual([]);
});

test('a stateful cipher that lost a packet asks, again each second, and goes on after a flush', () => {
  const { clock, wire, one, other } = twoEngines({});
  const delivered: string[] = [];
  other.engine.onPacket = (_, octets) => delivered.push(toText(octets));
  for (const [side, call, direction] of [
    [one, 0x10001, 2],
    [other, 0x10002, 1],
  ] as const) {
    side.control.send({ kind: 'link-open', link: 0x10001, name: 'tunnel', bridge: '' });
    side.control.send({ kind: 'call-attach', call, link: 0x10001, flags: 7, mssClamp: 0 });
    const startKey = new Uint8Array(16);
    side.control.send({ kind: 'call-keys', call, direction, bits: 128, stateless: 0, startKey });
  }
  const send = (text: string): void => {
    one.engine.transmit('tunnel', toBytes(text));
    clock.advance(50);
  };

  send('one');
  wire.conditions = { ...calm, lossRate: 1 };
  send('lost');
  wire.conditions = calm;
  send('cannot be read');
  send('neither');
  clock.advance(1000);
  send('nor after a second');
  one.control.send({ kind: 'call-flush', call: 0x10001 });
  send('again');

  expect(delivered).toEqual(['one', 'again']);
  expect(other.events.filter((event) => event.kind === 'cipher-lost')).toHaveLength(2);
});

test('an engine that dies takes its connections and answers nobody', () => {
  const { clock, one, other } = twoEngines({});
  other.control.send({ kind: 'listen', token: 1, address: 0, port: 1723, backlog: 1 });
  one.control.send({ kind: 'connect', token: 2, localAddress: 0, address: 2, port: 1723, timeoutMs: 100 });
  clock.advance(10);

  other.engine.kill();
  clock.advance(10);
  one.control.send({ kind: 'connect', token: 3, localAddress: 0, address: 2, port: 1723, timeoutMs: 100 });
  clock.advance(200);

  expect(one.events.map(({ kind }) => kind)).toContain('tcp-closed');
  expect(one.events.at(-1)).toMatchObject({ kind: 'connected', token: 3, errno: 110 });
});

test('a control of another version is told so, and no more', () => {
  const clock = new VirtualClock();
  const engine = new FakeEngine({ wire: new Wire({ clock, random: seededRandom(1) }), address: 1 });
  const control = engine.connect();
  const events: Event[] = [];
  control.listen((event) => events.push(event));

  control.send({ kind: 'hello', version: contractVersion + 1 });
  clock.advance(1);

  expect(events.map(({ kind }) => kind)).toEqual(['hello']);
});

test('the window tells late from duplicate', () => {
  const window = new ReceiveWindow<string>();
  expect(window.received(100, 'a')).toBe('in-order');
  expect(window.ready()).toEqual(['a']);
  expect(window.received(103, 'd')).toBe('early');
  expect(window.received(103, 'd')).toBe('duplicate');
  expect(window.ready()).toEqual([]);

  expect(window.giveUp()).toBe(2);

  expect(window.ready()).toEqual(['d']);
  expect(window.received(101, 'b')).toBe('late');
  expect(window.received(101, 'b')).toBe('duplicate');
  expect(window.received(100, 'a')).toBe('duplicate');
});
