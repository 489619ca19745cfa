/** One suite for everything that has the face of the datapath: the fake engine and the real one obey the same laws. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fromHex, toBytes, toText } from '../../src/base/bytes.ts';
import {
  attach,
  type CommandOf,
  contractVersion,
  direction,
  type EventOf,
} from '../../src/datapath/contract.ts';
import { encodeRequests } from '../../src/net/netlink.ts';
import { apply } from '../../src/net/plan.ts';
import { fakeWorld } from './fake-world.ts';
import { realWorld } from './real-world.io.ts';
import {
  attached,
  bridged,
  callOpen,
  frame,
  framed,
  greet,
  greetBoth,
  keys,
  lcp,
  leftCall,
  link,
  linkName,
  openBridges,
  openCalls,
  openLink,
  openPort,
  openTunnel,
  performed,
  port,
  rightCall,
  rows,
  setKeys,
  slotOf,
  totals,
  until,
} from './tunnel.ts';
import { type Control, inner, type Pair, portName, type Side, type World } from './world.ts';

const errno = {
  EPERM: 1,
  EEXIST: 17,
  ENODEV: 19,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  ECONNRESET: 104,
  ECONNREFUSED: 111,
};

describe.each([
  ['the fake engine', () => fakeWorld],
  ['the real engine', realWorld],
] as const)('%s', (_, makeWorld) => {
  let world: World;
  let pair: Pair;
  let left: Side;
  let right: Side;

  beforeAll(() => {
    world = makeWorld();
  });
  afterAll(() => world?.remove());
  beforeEach(async () => {
    pair = await world.open();
    ({ left, right } = pair);
  });
  afterEach(() => pair.close());

  describe('greets', () => {
    test('with its version and a snapshot of nothing', async () => {
      const snapshot = await greet(left.control);

      expect(snapshot.hello).toMatchObject({ version: contractVersion, held: 0 });
      expect(snapshot.hello.workers).toBeGreaterThan(0);
    });
  });

  describe('TCP', () => {
    test('tells the port that it chose, and refuses one that is taken', async () => {
      await greet(left.control);
      const { port } = await listen(left, 1, 0);

      left.control.send({ kind: 'listen', token: 2, address: 0, port, backlog: 8 });

      expect(port).toBeGreaterThan(0);
      expect(await left.control.next('listening')).toMatchObject({ token: 2, errno: errno.EADDRINUSE });
    });

    test('tells both ends of a connection who they are', async () => {
      const { accepted, connected, port } = await dial();

      expect(connected).toMatchObject({ token: 5, errno: 0, localAddress: left.address });
      expect(accepted).toMatchObject({
        token: 9,
        localAddress: right.address,
        localPort: port,
        peerAddress: left.address,
        peerPort: connected.localPort,
      });
    });

    test('carries octets both ways, complete and in order', async () => {
      const { accepted, connected } = await dial();
      const up = Array.from({ length: 50 }, (_, at) => toBytes(`message ${at}; `));

      for (const bytes of up)
        left.control.send({ kind: 'tcp-send', connection: connected.connection, bytes });
      right.control.send({ kind: 'tcp-send', connection: accepted.connection, bytes: toBytes('hello') });

      const expected = up.map(toText).join('');
      expect(await readText(right.control, expected.length)).toBe(expected);
      expect(await readText(left.control, 5)).toBe('hello');
    });

    test('sends what waits before it closes', async () => {
      const { accepted, connected } = await dial();

      left.control.send({ kind: 'tcp-send', connection: connected.connection, bytes: toBytes('last words') });
      left.control.send({ kind: 'tcp-close', connection: connected.connection, abort: 0 });

      expect(await readText(right.control, 10)).toBe('last words');
      expect(await right.control.next('tcp-closed')).toMatchObject({
        connection: accepted.connection,
        errno: 0,
      });
      right.control.send({ kind: 'tcp-close', connection: accepted.connection, abort: 0 });
      expect(await left.control.next('tcp-closed')).toMatchObject({
        connection: connected.connection,
        errno: 0,
      });
    });

    test('resets at once when told to', async () => {
      const { accepted, connected } = await dial();

      right.control.send({ kind: 'tcp-close', connection: accepted.connection, abort: 1 });

      const closed = await left.control.next('tcp-closed');
      expect(closed).toMatchObject({ connection: connected.connection, errno: errno.ECONNRESET });
      await right.control.next('tcp-closed');
    });

    test('says that nobody listens', async () => {
      await greetBoth(pair);

      left.control.send(connectTo(right.address, 1723));

      expect(await left.control.next('connected')).toMatchObject({ token: 5, errno: errno.ECONNREFUSED });
    });
  });

  describe('a call', () => {
    test('carries frames both ways and marks the first', async () => {
      await openCalls(pair);

      left.control.send(frame(leftCall, toBytes('one')));
      left.control.send(frame(leftCall, toBytes('two')));
      right.control.send(frame(rightCall, toBytes('back')));

      const seen = [await right.control.next('frame'), await right.control.next('frame')];
      expect(seen.map(({ information, first }) => [toText(information), first])).toEqual([
        ['one', 1],
        ['two', 0],
      ]);
      expect(await left.control.next('frame')).toMatchObject({ call: leftCall, protocol: lcp, first: 1 });
    });

    test('takes what comes before the peer is known, and keeps what it cannot send yet', async () => {
      await greetBoth(pair);
      left.control.send({ ...callOpen(left, leftCall, right, 0), flags: 0 });
      left.control.send(frame(leftCall, toBytes('early')));
      right.control.send(callOpen(right, rightCall, left, slotOf(leftCall)));
      await performed(pair);
      right.control.send(frame(rightCall, toBytes('earlier')));

      expect(toText((await left.control.next('frame')).information)).toBe('earlier');
      left.control.send({ kind: 'call-peer', call: leftCall, peerCallId: slotOf(rightCall) });

      expect(toText((await right.control.next('frame')).information)).toBe('early');
    });

    test('is refused where one is held', async () => {
      await openCalls(pair);
      const again = 0x0004_0000 | slotOf(leftCall);

      left.control.send(callOpen(left, again, right, 1));

      expect(await left.control.next('closed')).toMatchObject({ call: again, errno: errno.EEXIST });
      left.control.send(frame(leftCall, toBytes('alive')));
      await right.control.next('frame');
    });

    test('is not another peer’s: GRE for an unknown call is counted, not taken', async () => {
      await greetBoth(pair);
      right.control.send(callOpen(right, rightCall, left, slotOf(leftCall)));

      right.control.send(frame(rightCall, toBytes('nobody')));

      await until(pair, async () => (await totals(left.control)).unknownCalls === 1n);
      expect(left.control.untaken).toEqual([]);
    });

    test('ends with its counters, and a handle of it is stale from then on', async () => {
      await openCalls(pair);
      left.control.send(frame(leftCall, toBytes('one')));
      await right.control.next('frame');
      const [row] = await rows(right.control);

      right.control.send({ kind: 'call-close', call: rightCall });
      const closed = await right.control.next('closed');
      right.control.send(frame(rightCall, toBytes('stale')));

      expect(row).toMatchObject({ call: rightCall, receivedFrames: 1, transmittedFrames: 0 });
      expect(closed).toMatchObject({ call: rightCall, errno: 0, receivedFrames: 1 });
      await until(pair, async () => (await totals(right.control)).staleHandles === 1n);
      expect(await totals(right.control)).toMatchObject({ calls: 0 });
    });

    test('reports silence, then every probe, and begins anew when it is broken', async () => {
      await openCalls(pair);

      left.control.send({ kind: 'call-watch', call: leftCall, silentMs: 400, probeMs: 150, idleMs: 0 });

      for (const probe of [1, 2, 3]) {
        expect(await left.control.next('silent')).toMatchObject({ call: leftCall, probe });
      }
      right.control.send(frame(rightCall, toBytes('here')));
      await left.control.next('frame');
      expect(await left.control.next('silent', ({ probe }) => probe < 4)).toMatchObject({ probe: 1 });
    });

    test('reports once that no network packet passed', async () => {
      await openCalls(pair);
      left.control.send({ kind: 'call-watch', call: leftCall, silentMs: 0, probeMs: 0, idleMs: 300 });
      left.control.send(frame(leftCall, toBytes('a frame of control is none')));

      expect(await left.control.next('idle')).toMatchObject({ call: leftCall });
    });
  });

  describe('network packets', () => {
    test.each([
      ['in clear', undefined],
      ['40 bit stateless', { bits: 40, stateless: 1 }],
      ['56 bit stateless', { bits: 56, stateless: 1 }],
      ['128 bit stateless', { bits: 128, stateless: 1 }],
      ['40 bit stateful', { bits: 40, stateless: 0 }],
      ['56 bit stateful', { bits: 56, stateless: 0 }],
      ['128 bit stateful', { bits: 128, stateless: 0 }],
    ])('pass both ways %s', async (_name, cipher) => {
      await openTunnel(pair, { required: cipher !== undefined });
      if (cipher !== undefined) await setKeys(pair, cipher, 'secret A', 'secret B');

      for (const text of ['first', 'second', 'third']) {
        await left.sendPacket(linkName, toBytes(text));
        expect(toText(await right.nextPacket())).toBe(text);
        await right.sendPacket(linkName, toBytes(`${text} back`));
        expect(toText(await left.nextPacket())).toBe(`${text} back`);
      }
      const [row] = await rows(right.control);
      expect(row).toMatchObject({ receivedPackets: 3n, transmittedPackets: 3n, undecryptable: 0, lost: 0 });
      expect(row?.receivedOctets).toBeGreaterThanOrEqual(3n * 7n);
    });

    describe('that are too long for a frame', () => {
      /** Of a datagram that fills the interface's MTU: in clear 1,400 octets, in frames of 500 three parts. */
      const long = toBytes('0123456789'.repeat(138)).subarray(0, 1372);

      test.each([
        ['in clear', undefined],
        ['encrypted, stateless', { bits: 128, stateless: 1 }],
        ['encrypted, stateful', { bits: 128, stateless: 0 }],
      ])('cross in fragments, %s, among short ones', async (_name, cipher) => {
        await openTunnel(pair, { required: cipher !== undefined });
        left.control.send(framed(leftCall, { frameBytesMax: 500, mrru: 1404 }));
        right.control.send(framed(rightCall, { frameBytesMax: 500, mrru: 1404 }));
        if (cipher !== undefined) await setKeys(pair, cipher, 'secret A', 'secret B');
        await performed(pair);

        for (const payload of [long, toBytes('short'), long, long]) {
          await left.sendPacket(linkName, payload);
          expect(await right.nextPacket()).toEqual(payload);
          await right.sendPacket(linkName, payload);
          expect(await left.nextPacket()).toEqual(payload);
        }
        expect(await rows(right.control)).toMatchObject([
          { receivedPackets: 4n, malformed: 0, undecryptable: 0, fragmentsLost: 0, fragmentsLate: 0 },
        ]);
      });

      test.each([
        ['were not agreed', 0, 3],
        ['are more than was agreed', 1000, 1],
      ])('do not arrive if fragments %s', async (_name, mrru, malformed) => {
        await openTunnel(pair);
        left.control.send(framed(leftCall, { frameBytesMax: 500 }));
        right.control.send(framed(rightCall, { mrru }));
        await performed(pair);

        await left.sendPacket(linkName, long);
        await left.sendPacket(linkName, toBytes('short'));

        expect(toText(await right.nextPacket())).toBe('short');
        expect(await rows(right.control)).toMatchObject([{ receivedPackets: 1n, malformed }]);
      });
    });

    test('do not leave in clear where encryption is required', async () => {
      await openTunnel(pair, { required: true });

      await left.sendPacket(linkName, toBytes('secret'));

      await until(pair, async () => (await rows(left.control))[0]?.unencrypted === 1);
      expect(await rows(right.control)).toMatchObject([{ receivedPackets: 0n, unencrypted: 0 }]);
    });

    test('are refused in clear where encryption is required', async () => {
      await openTunnel(pair, { required: false });
      right.control.send(attached(rightCall, { required: true }));
      await performed(pair);

      await left.sendPacket(linkName, toBytes('forged'));

      await until(pair, async () => (await rows(right.control))[0]?.unencrypted === 1);
      expect(await rows(right.control)).toMatchObject([{ receivedPackets: 0n }]);
    });

    test('do not open with another key', async () => {
      await openTunnel(pair, { required: true });
      const terms = { bits: 128, stateless: 1 };
      left.control.send(keys(leftCall, direction.transmit, terms, 'secret A'));
      right.control.send(keys(rightCall, direction.receive, terms, 'secret Z'));
      await performed(pair);

      // One in some hundred nonsense packets begins like a PPP frame by chance; none becomes a network packet.
      await until(pair, async () => {
        await left.sendPacket(linkName, toBytes('for somebody else'));
        return ((await rows(right.control))[0]?.undecryptable ?? 0) >= 3;
      });
      expect(await rows(right.control)).toMatchObject([{ receivedPackets: 0n }]);
    });

    test('do not pass before they may', async () => {
      await openTunnel(pair, { required: false });
      left.control.send({ kind: 'call-attach', call: leftCall, link, flags: attach.receive, mssClamp: 0 });
      await rows(left.control);

      await left.sendPacket(linkName, toBytes('too early'));

      await until(pair, async () => (await rows(left.control))[0]?.dropped === 1);
    });

    test('pass from the moment that keys and attachment are there, in the order of the commands', async () => {
      await openTunnel(pair, { required: true });
      const terms = { bits: 128, stateless: 1 };

      // As CCP does it: receive keys, the Ack, transmit keys; the peer may send encrypted as soon as it has the Ack.
      right.control.send(keys(rightCall, direction.receive, terms, 'up'));
      right.control.send({ ...frame(rightCall, toBytes('Ack')), protocol: 0x80fd });
      await left.control.next('frame', ({ protocol }) => protocol === 0x80fd);
      left.control.send(keys(leftCall, direction.transmit, terms, 'up'));
      await rows(left.control);
      await left.sendPacket(linkName, toBytes('at once'));

      expect(toText(await right.nextPacket())).toBe('at once');
    });
  });

  describe('bridged frames', () => {
    test.each([
      ['in clear', undefined],
      ['128 bit stateless', { bits: 128, stateless: 1 }],
      ['56 bit stateful', { bits: 56, stateless: 0 }],
    ])('pass both ways %s, beside network packets', async (_name, cipher) => {
      await openTunnel(pair, { required: cipher !== undefined });
      await openBridges(pair, { required: cipher !== undefined });
      if (cipher !== undefined) await setKeys(pair, cipher, 'secret A', 'secret B');

      for (const text of ['first', 'second', 'third']) {
        await left.sendBridged(toBytes(text));
        expect(toText(await right.nextPacket())).toBe(text);
        await right.sendBridged(toBytes(`${text} back`));
        expect(toText(await left.nextPacket())).toBe(`${text} back`);
        await left.sendPacket(linkName, toBytes(`${text} routed`));
        expect(toText(await right.nextPacket())).toBe(`${text} routed`);
      }
      const [row] = await rows(right.control);
      expect(row?.receivedPackets).toBeGreaterThanOrEqual(6n);
      expect(row).toMatchObject({ undecryptable: 0, malformed: 0, lost: 0 });
    });

    test('pass without a network', async () => {
      await openCalls(pair);
      await openBridges(pair);

      await left.sendBridged(toBytes('no addresses'));

      expect(toText(await right.nextPacket())).toBe('no addresses');
    });

    test('that are too long for a frame cross in fragments, encrypted', async () => {
      const long = toBytes('0123456789'.repeat(138)).subarray(0, 1372);
      await openTunnel(pair, { required: true });
      await openBridges(pair, { required: true });
      // Two octets of BCP, 14 of Ethernet, 1,400 of IP, and four of MPPE.
      left.control.send(framed(leftCall, { frameBytesMax: 500, mrru: 1420 }));
      right.control.send(framed(rightCall, { frameBytesMax: 500, mrru: 1420 }));
      await setKeys(pair, { bits: 128, stateless: 1 }, 'secret A', 'secret B');

      for (const payload of [long, toBytes('short'), long]) {
        await left.sendBridged(payload);
        expect(await right.nextPacket()).toEqual(payload);
      }
      expect(await rows(right.control)).toMatchObject([{ malformed: 0, fragmentsLost: 0 }]);
    });

    test('neither leave nor come in clear where encryption is required', async () => {
      await openCalls(pair);
      await openBridges(pair, { required: true });

      await left.sendBridged(toBytes('secret'));
      await until(pair, async () => ((await rows(left.control))[0]?.unencrypted ?? 0) > 0);
      left.control.send(bridged(leftCall, { required: false }));
      await performed(pair);
      await left.sendBridged(toBytes('forged'));

      await until(pair, async () => ((await rows(right.control))[0]?.unencrypted ?? 0) > 0);
      expect(await rows(right.control)).toMatchObject([{ receivedPackets: 0n }]);
    });

    test('for a call without a port are dropped', async () => {
      await openCalls(pair);
      await openBridges(pair);
      right.control.send({ kind: 'call-bridge', call: rightCall, link: 0, flags: 0, takes: 0 });
      await performed(pair);

      await left.sendBridged(toBytes('to nobody'));

      await until(pair, async () => ((await rows(right.control))[0]?.dropped ?? 0) > 0);
    });

    test('need a bridge', async () => {
      await greet(left.control);
      const open = (bridge: string) => {
        left.control.send({ kind: 'link-open', link: port, name: portName, bridge });
        return left.control.next('link-opened');
      };

      expect(await open('lan9')).toMatchObject({ link: port, errno: errno.ENODEV, interfaceIndex: 0 });
      expect(await open('lo')).toMatchObject({ link: port, errno: errno.EOPNOTSUPP, interfaceIndex: 0 });
      expect(await openPort(left.control)).toMatchObject({ link: port, errno: 0 });
    });

    test('pass through ports only, and network packets through none', async () => {
      await openCalls(pair);
      await openLink(left.control);
      await openPort(left.control);

      left.control.send({ ...bridged(leftCall, { required: false }), link });
      left.control.send({ ...attached(leftCall, { required: false }), link: port });

      expect(await totals(left.control)).toMatchObject({ staleHandles: 2n });
    });

    test('pass while control is away, and the next one is told of the port', async () => {
      await openTunnel(pair);
      await openBridges(pair);

      await right.leave();
      await left.sendBridged(toBytes('still'));
      expect(toText(await right.nextPacket())).toBe('still');

      const { calls, links } = await greet(await right.join());
      expect(calls).toMatchObject([{ call: rightCall, link, bridgeLink: port }]);
      expect(links.map(({ name }) => name).sort()).toEqual([portName, linkName]);
    });
  });

  describe('interfaces', () => {
    test('are made and removed by name, and a name is given once', async () => {
      await greet(left.control);
      const opened = await openLink(left.control);
      left.control.send({ kind: 'link-open', link: 0x0001_0005, name: linkName, bridge: '' });
      const refused = await left.control.next('link-opened');
      left.control.send({ kind: 'link-close', link });
      await left.control.next('link-closed', (closed) => closed.link === link);
      const again = await openLink(left.control);

      expect(opened).toMatchObject({ link, errno: 0 });
      expect(opened.interfaceIndex).toBeGreaterThan(0);
      expect(refused).toMatchObject({ link: 0x0001_0005, errno: errno.EEXIST });
      expect(again).toMatchObject({ link, errno: 0 });
    });

    test('tell of the first packet of the host, which waits for a call', async () => {
      await greetBoth(pair);
      const { interfaceIndex } = await openLink(left.control);
      const plan = { linkName, mtu: 1400, local: inner.left, remote: inner.right, routes: [] };
      left.control.send({ kind: 'netlink', token: 9, messages: encodeRequests(apply(plan, interfaceIndex)) });
      expect(await left.control.next('netlink-done')).toMatchObject({ token: 9, errno: 0 });
      left.control.send({ kind: 'link-watch', link });
      await rows(left.control);
      expect(left.control.untaken).not.toContain('link-wanted');

      await left.sendPacket(linkName, toBytes('knock'));

      expect(await left.control.next('link-wanted')).toMatchObject({ link });
    });

    test('of others cannot be taken', async () => {
      await greet(left.control);

      left.control.send({ kind: 'link-open', link, name: 'lo', bridge: '' });

      const opened = await left.control.next('link-opened');
      expect(opened.errno).not.toBe(0);
    });

    test('are changed by netlink, and others are not', async () => {
      await greet(left.control);
      const { interfaceIndex } = await openLink(left.control);
      const own = { request: 'set-link', interfaceIndex, up: true, mtu: 1400 } as const;
      const foreign = { request: 'set-link', interfaceIndex: 1, up: false } as const;

      left.control.send({ kind: 'netlink', token: 3, messages: encodeRequests([own]) });
      left.control.send({ kind: 'netlink', token: 4, messages: encodeRequests([own, foreign, own]) });

      expect(await left.control.next('netlink-done')).toMatchObject({ token: 3, errno: 0, performed: 1 });
      expect(await left.control.next('netlink-done')).toMatchObject({
        token: 4,
        errno: errno.EPERM,
        performed: 1,
      });
    });
  });

  describe('without control', () => {
    test('everything stays, and the next control is told of it', async () => {
      const { accepted } = await dial();
      await openTunnel(pair, { required: false, greeted: true });
      right.control.send({ kind: 'call-memo', call: rightCall, memo: toBytes('what I knew') });
      await rows(right.control);

      await right.leave();
      left.control.send(frame(leftCall, toBytes('are you there?')));
      await until(pair, async () => (await rows(left.control))[0]?.transmittedFrames === 1);
      const control = await right.join();
      const snapshot = await greet(control);

      expect(snapshot.hello.held).toBe(3);
      expect(snapshot.connections).toMatchObject([
        { connection: accepted.connection, peerAddress: left.address },
      ]);
      expect(snapshot.links).toMatchObject([{ link, name: linkName }]);
      expect(snapshot.calls).toMatchObject([
        { call: rightCall, link, peerAddress: left.address, peerCallId: slotOf(leftCall) },
      ]);
      expect(snapshot.calls.map(({ memo }) => toText(memo))).toEqual(['what I knew']);
      expect(toText((await control.next('frame')).information)).toBe('are you there?');
    });

    test('network packets pass', async () => {
      await openTunnel(pair, { required: false });

      await right.leave();
      await left.sendPacket(linkName, toBytes('still'));

      expect(toText(await right.nextPacket())).toBe('still');
    });

    test('echoes of LCP are answered with our magic number', async () => {
      await openCalls(pair);
      right.control.send(framed(rightCall, { ourMagic: 0x11223344, peerMagic: 0x55667788 }));
      await rows(right.control);
      await right.leave();

      left.control.send(frame(leftCall, fromHex('09 2a 000a 55667788 abcd')));

      const reply = await left.control.next('frame');
      expect(reply).toMatchObject({ call: leftCall, protocol: lcp });
      expect(reply.information).toEqual(fromHex('0a 2a 000a 11223344 abcd'));
    });

    test('echoes of PPTP are answered', async () => {
      const { connected } = await dial();
      await right.leave();
      const bytes = fromHex('0010 0001 1a2b3c4d 0005 0000 01020304');

      left.control.send({ kind: 'tcp-send', connection: connected.connection, bytes });

      const reply = await left.control.next('tcp-data');
      expect(reply.bytes).toEqual(fromHex('0014 0001 1a2b3c4d 0006 0000 01020304 01 00 0000'));
    });
  });

  test('stops by closing everything, answering for each', async () => {
    await dial();
    await openTunnel(pair, { required: false, greeted: true });

    right.control.send({ kind: 'stop' });

    expect(await right.control.next('closed')).toMatchObject({ call: rightCall, errno: 0 });
    await right.control.next('link-closed');
    await right.ended();
    await left.control.next('tcp-closed');
  });

  /** A connection from left to right. */
  async function dial() {
    await greetBoth(pair);
    const { port } = await listen(right, 9, 0);
    left.control.send(connectTo(right.address, port));
    const connected = await left.control.next('connected');
    const accepted = await right.control.next('accepted');
    return { connected, accepted, port };
  }
});

async function listen({ control }: Side, token: number, port: number): Promise<EventOf<'listening'>> {
  control.send({ kind: 'listen', token, address: 0, port, backlog: 8 });
  return control.next('listening', (event) => event.token === token);
}

function connectTo(address: number, port: number): CommandOf<'connect'> {
  return { kind: 'connect', token: 5, localAddress: 0, address, port, timeoutMs: 1000 };
}

async function readText(control: Control, length: number): Promise<string> {
  let text = '';
  while (text.length < length) text += toText((await control.next('tcp-data')).bytes);
  return text;
}
