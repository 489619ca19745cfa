/** A trace of one subscriber: the real server and the real client over fake engines, looked at by who came before or after them. */

import { describe, expect, it } from 'vitest';
import { actOn } from '../../../src/aaa/dynamic.ts';
import type { SessionIdentity } from '../../../src/aaa/identity.ts';
import { changeOf } from '../../../src/aaa/limits-of.ts';
import { Fault, Malformed } from '../../../src/base/fault.ts';
import { Password } from '../../../src/ppp/auth/password.ts';
import { type Attribute, attribute } from '../../../src/radius/attribute.ts';
import { attributeCodec } from '../../../src/radius/codec.io.ts';
import type { DynamicRequest } from '../../../src/radius/dynamic.ts';
import { encodePacket } from '../../../src/radius/packet.ts';
import type { Trace } from '../../../src/session/trace/trace.ts';
import type { TunnelTrace } from '../../../src/session/trace/tunnel-trace.ts';
import type { Wanted } from '../../../src/session/trace/wanted.ts';
import { ip } from '../../sim/tunnel-host.ts';
import { plainSettings, TunnelWorld, type WorldSettings } from '../../sim/tunnel-world.ts';
import { vectorLines } from '../ppp/vectors.ts';

function open(changes: Partial<WorldSettings> = {}): TunnelWorld {
  const world = new TunnelWorld(1, { ...plainSettings(), ...changes });
  world.until(() => world.isReady, 100);
  return world;
}

function begin(world: TunnelWorld, wanted: Wanted): Trace {
  return world.serverHost.services.traces.begin(wanted);
}

function untilUp(world: TunnelWorld): void {
  if (!world.until(() => world.ends !== undefined, 5_000)) throw new Error(world.describe());
}

function messagesOf(trace: Trace): readonly string[] {
  return trace.take().map(({ message }) => message);
}

/** A tunnel that nobody dials, for what needs no protocol. */
function tunnelOf({ serverHost }: TunnelWorld): TunnelTrace {
  return serverHost.services.traces.tunnel(ip('198.51.100.7'));
}

/** The numbers that are drawn at random. */
function withoutChance(line: string): string {
  return line
    .replace(/magic 0x[\da-f]+/, 'magic 0x0')
    .replace(/(call-id|serial-number)=\d+/g, '$1=0')
    .replace(/<pptp-\d+>/, '<pptp-0>')
    .replace(/(CHAP \S+ id)=\S+/, '$1=0x0');
}

describe('a trace by user', () => {
  it('shows all of it, from the first message of a connection whose user was not known yet', () => {
    const world = open();
    const trace = begin(world, { user: 'anna' });
    untilUp(world);

    const lines = trace.take().map(({ topics, message }) => `${topics} ${message}`);
    expect(lines.map(withoutChance)).toEqual(vectorLines('trace-of-anna.txt'));
  });

  it('shows no other user', () => {
    const world = open();
    const trace = begin(world, { user: 'ann' });
    untilUp(world);

    expect(messagesOf(trace)).toEqual([]);
  });

  it('knows him without his domain, and by the name that he was let in by', () => {
    const world = open();
    const traces = [
      begin(world, { user: 'anna' }),
      begin(world, { user: 'HOME\\anna' }),
      begin(world, { user: 'bob' }),
    ];
    const call = tunnelOf(world).call({ name: '<pptp-9>' });
    call.named('HOME\\anna');
    call.frame('rcvd', 0xc023, new Uint8Array());
    call.called({ user: 'bob', interfaceName: '<pptp-bob>' });
    call.frame('sent', 0xc023, new Uint8Array());

    expect(traces.map((trace) => messagesOf(trace).length)).toEqual([2, 2, 2]);
  });

  it('tells of calls that end before they have said a name, and not of others', () => {
    const world = open();
    const trace = begin(world, { user: 'anna' });
    const byBoth = begin(world, { user: 'anna', callerId: '203.0.113.5' });
    const endCall = () => tunnelOf(world).call({ name: '<pptp-9>' }).moved('ended');
    for (let at = 0; at < 3; at += 1) endCall();
    expect(messagesOf(trace)).toEqual(['a call ended before a name was said, the last from 198.51.100.7']);

    world.clock.advance(10_000);
    trace.take();
    endCall();
    expect(messagesOf(trace)).toEqual(['3 calls ended before a name was said, the last from 198.51.100.7']);
    expect(messagesOf(byBoth)).toEqual([]);
  });

  it('goes on through LCP that starts over, to the last message of the connection', () => {
    const world = open();
    const trace = begin(world, { user: 'anna' });
    untilUp(world);
    trace.take();
    world.restartLcp();
    world.until(() => false, 2_000);

    expect(messagesOf(trace)).toContain('<pptp-anna>: networking -> linking');
    world.dialer.end('admin-reset', () => {});
    world.until(() => false, 5_000);
    const messages = messagesOf(trace);
    expect(messages).toContain(
      'TCP connection of 192.0.2.2 ended: stopped by the peer (reason 3 (stopLocalShutdown))',
    );
    expect(messages.at(-1)).toMatch(/^anna logged out, .* - terminated by the peer$/);
  });

  it('shows a failed login, and its cause', () => {
    const plain = plainSettings();
    const world = open({ client: { ...plain.client, password: new Password('Wrong') } });
    const trace = begin(world, { user: 'anna' });
    world.until(() => world.isDown, 5_000);

    const messages = messagesOf(trace);
    const from = messages.findIndex((message) => message.startsWith('login failure'));
    expect(messages.slice(from, from + 5).map(withoutChance)).toEqual([
      'login failure for user anna from 192.0.2.2 via pptp: the password is wrong',
      '<pptp-0>: sent CHAP Failure id=0x0 "E=691 R=0 C=hidden V=3 M=bad user name or password"',
      '<pptp-0>: authenticating -> ending',
      '<pptp-0>: terminating... - authentication failed',
      '    Wrong name or password, or the account is not allowed here.',
    ]);
  });

  it('is told nothing any more once it is closed, and costs nothing', () => {
    const world = open();
    const trace = begin(world, { user: 'anna' });
    trace.close();
    untilUp(world);

    expect(messagesOf(trace)).toEqual([]);
  });
});

describe('a trace by something else', () => {
  it('shows who calls from an address, and follows an interface by both its names', () => {
    const world = open();
    const byCaller = begin(world, { callerId: '192.0.2.2' });
    const byLastName = begin(world, { interface: '<pptp-anna>' });
    const isCalling = () => world.server.sessions.size > 0;
    world.until(isCalling, 1_000);
    const [first] = world.server.sessions.keys();
    const byFirstName = begin(world, { interface: first?.name });
    untilUp(world);

    const seen = messagesOf(byCaller);
    expect(seen.length).toBeGreaterThan(30);
    expect(messagesOf(byLastName)).toEqual(seen);
    expect(messagesOf(byFirstName)).toEqual(seen);
  });

  it('shows a tunnel that this node dials', () => {
    const world = open();
    const trace = world.clientHost.services.traces.begin({ interface: 'pptp-out1' });
    untilUp(world);

    const messages = messagesOf(trace);
    expect(messages[0]).toMatch(/^sent Start-Control-Connection-Request to 192.0.2.1 /);
    expect(messages.map(withoutChance)).toContain(
      'pptp-out1: sent CHAP Response id=0x0 <response len=49> <name "anna">',
    );
    expect(messages.at(-1)).toMatch(/^pptp-out1: connected/);
  });
});

describe('RADIUS in a trace', () => {
  const identity: SessionIdentity = {
    nas: { identifier: 'north', address: undefined },
    sessionId: 'a1',
    nasPort: 9,
    nasPortId: 'pptp-9',
    peerAddress: ip('198.51.100.7'),
    localAddress: ip('192.0.2.1'),
    connectInfo: 'PPTP',
  };
  const attributes = attributeCodec.encode([attribute('User-Name', 'anna')]);
  const packet = { code: 1, identifier: 34, authenticator: new Uint8Array(16), attributes };

  it('is each packet with its attributes, what was discarded and why, and who was silent', () => {
    const world = open();
    const trace = begin(world, { user: 'anna' });
    const watch = world.serverHost.services.traces.watch(identity, 'anna');
    watch.sent('192.0.2.9:1812', encodePacket(packet), false);
    watch.discarded('192.0.2.9:1812', 'wrong-authenticator');
    watch.timedOut('192.0.2.9:1812', 300.4);
    watch.sent('192.0.2.9:1812', encodePacket(packet), true);
    watch.received('192.0.2.9:1812', { ...packet, code: 3, attributes: Uint8Array.of(4, 3, 0) });

    expect(trace.take().map(({ topics, message }) => `${topics} ${message}`)).toEqual([
      'radius,debug,packet sending Access-Request with id 34 to 192.0.2.9:1812',
      'radius,debug,packet     User-Name = "anna"',
      'radius,debug discarded a reply of 192.0.2.9:1812: wrong-authenticator',
      'radius,debug no reply from 192.0.2.9:1812 within 300 ms',
      'radius,debug,packet sending again Access-Request with id 34 to 192.0.2.9:1812',
      'radius,debug,packet     User-Name = "anna"',
      'radius,debug,packet received Access-Reject with id 34 from 192.0.2.9:1812',
      'radius,debug,packet     malformed: RADIUS_BAD_VALUE (NAS-IP-Address at octet 0)',
    ]);
  });

  it('is what a server asks of a session that is up, and how it was answered', () => {
    const world = open();
    untilUp(world);
    const trace = begin(world, { user: 'anna' });
    const [served] = world.server.sessions.values();
    const ask = (kind: DynamicRequest['kind'], ...list: readonly Attribute[]) => {
      const octets = attributeCodec.encode([attribute('User-Name', 'anna'), ...list]);
      const read = attributeCodec.decode(octets);
      if (served?.target === undefined || read instanceof Malformed) throw new Error('nobody to ask');
      const { target } = served;
      const ports = {
        nas: () => identity.nas,
        targets: () => [target],
        changeOf,
        severalSessions: () => 'all' as const,
        watch: world.serverHost.services.traces.watchRequest,
      };
      actOn({ kind, attributes: read, octets }, ports, () => {});
    };
    ask('change', attribute('Mikrotik-Rate-Limit', '1M/2M'), attribute('Session-Timeout', 60));
    ask('change', attribute('Framed-MTU', 1400));
    ask('disconnect');

    expect(messagesOf(trace).slice(0, 11)).toEqual([
      'received CoA-Request',
      '    User-Name = "anna"',
      '    Mikrotik-Rate-Limit = "1M/2M"',
      '    Session-Timeout = 60',
      'answered CoA-Ack',
      'received CoA-Request',
      '    User-Name = "anna"',
      '    Framed-MTU = 1400',
      'answered CoA-Nak, Error-Cause = 401',
      'received Disconnect-Request',
      '    User-Name = "anna"',
    ]);
  });

  it('is about whom is traced, also when his session is gone', () => {
    const world = open();
    const traces = [
      begin(world, { interface: '<pptp-anna>' }),
      begin(world, { callerId: '198.51.100.7' }),
      begin(world, { user: 'bob' }),
      begin(world, { callerId: '192.0.2.2' }),
    ];
    const call = tunnelOf(world).call({ sessionId: 'a1', name: '<pptp-9>' });
    call.called({ user: 'anna', interfaceName: '<pptp-anna>' });
    world.serverHost.services.traces
      .watch(identity, 'anna')
      .sent('192.0.2.9:1813', encodePacket(packet), false);

    expect(traces.map((trace) => messagesOf(trace).length)).toEqual([2, 2, 0, 0]);
  });
});

describe('the bounds of a trace', () => {
  it('are two hundred moments in a second; what is left out is counted and said', () => {
    const world = open();
    const trace = begin(world, { callerId: '198.51.100.7' });
    const call = tunnelOf(world).call({ name: '<pptp-9>' });
    for (let at = 0; at < 350; at += 1) call.frame('rcvd', 0xc025, new Uint8Array());
    expect(messagesOf(trace)).toHaveLength(200);

    world.until(() => false, 1_000);
    expect(messagesOf(trace)).toEqual(['... 150 not shown']);
    call.frame('rcvd', 0xc025, new Uint8Array());
    expect(messagesOf(trace)).toEqual(['<pptp-9>: rcvd LQR 0 octets']);
  });

  it('are a thousand lines for a reader who is slow', () => {
    const world = open();
    const trace = begin(world, { callerId: '198.51.100.7' });
    const call = tunnelOf(world).call({ name: '<pptp-9>' });
    for (let second = 0; second < 10; second += 1) {
      for (let at = 0; at < 150; at += 1) call.frame('rcvd', 0xc025, new Uint8Array());
      world.until(() => false, 1_100);
    }
    const messages = messagesOf(trace);
    expect(messages.filter((message) => message.includes('LQR')).length).toBeLessThanOrEqual(1000);
    expect(messages.at(-1)).toMatch(/^\.\.\. \d+ not shown$/);
  });

  it('are eight kilobytes of what came before the name, the newest; what is left out is said first', () => {
    const world = open();
    const trace = begin(world, { user: 'anna' });
    const call = tunnelOf(world).call({ name: '<pptp-9>' });
    for (let at = 0; at < 50; at += 1) call.frame('rcvd', 0xc025, new Uint8Array(at === 49 ? 1 : 896));
    call.named('anna');

    expect(messagesOf(trace)).toEqual([
      '... 42 not shown',
      ...Array.from({ length: 7 }, () => '<pptp-9>: rcvd LQR 896 octets'),
      '<pptp-9>: rcvd LQR 1 octet',
    ]);
  });

  it('are a thousand tunnels that keep what came before the name; who goes makes room', () => {
    const world = open();
    const trace = begin(world, { user: 'anna' });
    const tunnels = Array.from({ length: 1001 }, () => tunnelOf(world));
    const calls = tunnels.map((tunnel) => tunnel.call({ name: '<pptp-9>' }));
    for (const call of calls) call.frame('rcvd', 0xc025, new Uint8Array());
    calls[1000]?.named('anna');
    expect(messagesOf(trace)).toEqual([]);

    calls[0]?.called({ user: 'bob', interfaceName: '<pptp-bob>' });
    tunnels[1]?.closed();
    for (const at of [2, 1000]) calls[at]?.frame('rcvd', 0xc025, new Uint8Array());
    calls[2]?.named('anna');
    expect(messagesOf(trace)).toHaveLength(3);
  });

  it('are not used up by the echoes of tunnels whose users are known', () => {
    const world = open();
    const echo = { name: 'echoRequest', identifier: 1 } as const;
    const known = Array.from({ length: 1001 }, () => tunnelOf(world));
    for (const tunnel of known) {
      tunnel.call({ name: '<pptp-8>' }).called({ user: 'bob', interfaceName: '<pptp-bob>' });
    }
    const trace = begin(world, { user: 'anna' });
    for (const tunnel of known) tunnel.heard([echo]);
    const call = tunnelOf(world).call({ name: '<pptp-9>' });
    call.frame('rcvd', 0xc025, new Uint8Array());
    call.named('anna');

    expect(messagesOf(trace)).toEqual(['<pptp-9>: rcvd LQR 0 octets']);
  });

  it('are those of a call, whatever another call of its tunnel does meanwhile', () => {
    const world = open();
    const trace = begin(world, { user: 'anna' });
    const tunnel = tunnelOf(world);
    const [bobs, annas] = [tunnel.call({ name: '<pptp-8>' }), tunnel.call({ name: '<pptp-9>' })];
    annas.frame('rcvd', 0xc025, new Uint8Array());
    bobs.called({ user: 'bob', interfaceName: '<pptp-bob>' });
    bobs.frame('rcvd', 0xc025, new Uint8Array());
    annas.named('anna');
    bobs.frame('rcvd', 0xc025, new Uint8Array());

    expect(messagesOf(trace)).toEqual(['<pptp-9>: rcvd LQR 0 octets']);
  });

  it('keeps nothing for a name that can no longer come', () => {
    const world = open();
    const trace = begin(world, { user: 'anna' });
    for (let at = 0; at < 1001; at += 1) {
      const tunnel = tunnelOf(world);
      const call = tunnel.call({ name: '<pptp-9>' });
      tunnel.closed();
      call.moved('ended');
    }
    const call = tunnelOf(world).call({ name: '<pptp-9>' });
    call.frame('rcvd', 0xc025, new Uint8Array());
    call.named('anna');

    expect(messagesOf(trace)).toEqual([
      'a call ended before a name was said, the last from 198.51.100.7',
      '<pptp-9>: rcvd LQR 0 octets',
    ]);
  });

  it('keeps nothing of anybody once nobody waits for a name', () => {
    const world = open();
    const call = tunnelOf(world).call({ name: '<pptp-9>' });
    const first = begin(world, { user: 'anna' });
    call.frame('rcvd', 0xc025, new Uint8Array());
    first.close();
    call.frame('rcvd', 0xc025, new Uint8Array());
    const second = begin(world, { user: 'anna' });
    call.named('anna');

    expect(messagesOf(second)).toEqual([]);
  });

  it('are eight traces at a time', () => {
    const world = open();
    const traces = Array.from({ length: 8 }, (_, at) => begin(world, { user: `u${at}` }));

    expect(() => begin(world, { user: 'anna' })).toThrow(Fault);
    traces[0]?.close();
    begin(world, { user: 'anna' });
  });

  it('has frames of its own: the engine may use its octets again', () => {
    const world = open();
    const trace = begin(world, { user: 'anna' });
    const call = tunnelOf(world).call({ name: '<pptp-9>' });
    const octets = Uint8Array.of(9, 7, 0, 8, 0, 0, 0, 1);
    call.frame('rcvd', 0xc021, octets);
    octets.fill(0xff);
    call.named('anna');

    expect(messagesOf(trace)).toEqual(['<pptp-9>: rcvd LCP EchoReq id=0x7 <magic 0x1>']);
  });
});
