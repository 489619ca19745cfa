/** The switchboard and what is inherited, over a datapath that a test speaks for. */

import { beforeEach, describe, expect, it } from 'vitest';
import { concat, toBytes } from '../../../src/base/bytes.ts';
import type { Log } from '../../../src/base/observe.ts';
import { silent } from '../../../src/base/observe.ts';
import {
  type Command,
  type CommandOf,
  counterRow,
  type Event,
  type EventOf,
} from '../../../src/datapath/contract.ts';
import { zeroCounters } from '../../../src/datapath/fake-call.ts';
import { stopRequest } from '../../../src/pptp/control-messages.ts';
import { encode } from '../../../src/pptp/messages.ts';
import { Inheritance } from '../../../src/session/inheritance.ts';
import {
  type CounterTable,
  type EngineEvent,
  Switchboard,
  switchboardTally,
} from '../../../src/session/switchboard.ts';

let sent: Command[];
let engineEvents: EngineEvent[];
let tell: (event: Event) => void;
let switchboard: Switchboard;

beforeEach(() => {
  sent = [];
  engineEvents = [];
  switchboard = new Switchboard(
    {
      send: (command) => void sent.push(command),
      listen: (onEvent) => {
        tell = onEvent;
      },
    },
    (event) => void engineEvents.push(event),
  );
});

const frame = (call: number): Event => ({
  kind: 'frame',
  call,
  protocol: 0xc021,
  first: 1,
  information: new Uint8Array(),
});

function closed(call: number): EventOf<'closed'> {
  return { kind: 'closed', errno: 0, call, ...zeroCounters, silentMs: 0, idleMs: 0 };
}

const zeroTotals = {
  ...{ connections: 0, links: 0, receivedPackets: 0n, transmittedPackets: 0n, unknownCalls: 0n },
  ...{ malformed: 0n, staleHandles: 0n, refusedConnections: 0n, droppedFrames: 0n, ringFull: 0n },
  workers: new Uint8Array(),
};

/** How many stray events `act` brings. */
function strays(act: () => void): number {
  const before = switchboardTally.read('strayEvents');
  act();
  return switchboardTally.read('strayEvents') - before;
}

const accepted = (token: number): Event => ({
  kind: 'accepted',
  token,
  connection: 0x10005,
  localAddress: 1,
  peerAddress: 2,
  localPort: 1723,
  peerPort: 40_000,
});

describe('the switchboard', () => {
  it('brings the events of a call to who holds it, until `closed`, and counts those that come after', () => {
    const got: string[] = [];
    const call = { call: 0x10007, localAddress: 1, peerAddress: 2, peerCallId: 3, flags: 1 };
    switchboard.openCall(call, ({ kind }) => void got.push(kind));
    expect(sent).toEqual([{ kind: 'call-open', ...call }]);

    expect(strays(() => tell(frame(0x10007)))).toBe(0);
    expect(strays(() => tell(closed(0x10007)))).toBe(0);
    expect(strays(() => tell(frame(0x10007)))).toBe(1);
    expect(strays(() => tell(frame(0x20007)))).toBe(1);
    expect(got).toEqual(['frame', 'closed']);
  });

  it('forgets a link after `link-closed`, and after a `link-opened` that failed', () => {
    const got: string[] = [];
    switchboard.openLink(0x10001, 'a', ({ kind }) => void got.push(kind));
    tell({ kind: 'link-opened', link: 0x10001, errno: 0, interfaceIndex: 5 });
    tell({ kind: 'link-closed', link: 0x10001 });
    expect(strays(() => tell({ kind: 'link-closed', link: 0x10001 }))).toBe(1);
    switchboard.openLink(0x20001, 'a', ({ kind }) => void got.push(kind));
    tell({ kind: 'link-opened', link: 0x20001, errno: 17, interfaceIndex: 0 });
    expect(strays(() => tell({ kind: 'link-closed', link: 0x20001 }))).toBe(1);
    expect(got).toEqual(['link-opened', 'link-closed', 'link-opened']);
  });

  it('lets a sink that ends in its last event hold the same handle again', () => {
    const got: string[] = [];
    switchboard.adoptCall(0x10007, ({ kind }) => {
      got.push(kind);
      switchboard.adoptCall(0x10007, (event) => void got.push(`again ${event.kind}`));
    });
    tell(closed(0x10007));
    tell(frame(0x10007));
    expect(got).toEqual(['closed', 'again frame']);
  });

  it('answers each question once, by its token', () => {
    const answers: number[] = [];
    for (const number of [1, 2]) switchboard.netlink(new Uint8Array(), () => void answers.push(number));
    const [first, second] = sent.map((command) => (command.kind === 'netlink' ? command.token : 0));
    expect(first).not.toBe(second);
    expect([first, second]).not.toContain(0);
    const done = (token = 0): Event => ({
      kind: 'netlink-done',
      token,
      errno: 0,
      performed: 0,
      text: new Uint8Array(),
    });
    tell(done(second));
    tell(done(first));
    expect(answers).toEqual([2, 1]);
    expect(strays(() => tell(done(first)))).toBe(1);
  });

  it('resets a connection that was accepted just before its listener was closed: nobody else would', () => {
    const where = { address: 0, port: 1723, backlog: 1 };
    const listener = switchboard.listen(
      where,
      () => {},
      () => {},
    );
    switchboard.unlisten(listener);
    expect(strays(() => tell(accepted(listener)))).toBe(1);
    expect(sent.at(-1)).toEqual({ kind: 'tcp-close', connection: 0x10005, abort: 1 });
  });

  it('forgets a listener that could not listen', () => {
    const got: (number | string)[] = [];
    const where = { address: 0, port: 1723, backlog: 1 };
    const listener = switchboard.listen(
      where,
      () => void got.push('accepted'),
      ({ errno }) => void got.push(errno),
    );
    tell({ kind: 'listening', token: listener, errno: 98, port: 0 });
    expect(strays(() => tell(accepted(listener)))).toBe(1);
    expect(got).toEqual([98]);
  });

  it('gathers the counters of all calls from as many messages as they come in', () => {
    const row = (call: number) =>
      counterRow.encode({ call, ...zeroCounters, silentMs: 0, idleMs: 0, receivedOctets: BigInt(call) });
    const tables: CounterTable[] = [];
    switchboard.counters((table) => void tables.push(table));
    const { token } = sent.at(-1) as CommandOf<'counters-get'>;
    tell({ kind: 'counters', token, rows: concat(row(1), row(2)) });
    tell({ kind: 'counters', token, rows: row(3) });
    expect(tables).toEqual([]);
    tell({ kind: 'totals', token, calls: 3, ...zeroTotals });
    expect(tables.map(({ rows }) => rows.map(({ receivedOctets }) => receivedOctets))).toEqual([
      [1n, 2n, 3n],
    ]);
    expect(strays(() => tell({ kind: 'totals', token, calls: 3, ...zeroTotals }))).toBe(1);
  });

  it("hands what belongs to nobody to the engine's own listener", () => {
    tell({ kind: 'snapshot-end' });
    tell({ kind: 'trouble', errno: 12, text: new Uint8Array() });
    expect(engineEvents.map(({ kind }) => kind)).toEqual(['snapshot-end', 'trouble']);
  });
});

describe('an inheritance', () => {
  const held: readonly EngineEvent[] = [
    {
      kind: 'connection-held',
      connection: 0x10001,
      localAddress: 1,
      peerAddress: 2,
      localPort: 1723,
      peerPort: 4,
    },
    { kind: 'link-held', link: 0x10002, interfaceIndex: 7, name: '<pptp-anna>' },
    {
      kind: 'call-held',
      call: 0x10003,
      link: 0x10002,
      bridgeLink: 0,
      localAddress: 1,
      peerAddress: 0xc6336401,
      peerCallId: 9,
      memo: new Uint8Array(),
    },
  ];
  const snapshotEnd: EventOf<'snapshot-end'> = { kind: 'snapshot-end' };

  interface Met {
    done: number;
    readonly found: string[];
    readonly ended: [sessionId: string, receivedOctets: bigint][];
  }

  function meet(events: readonly EngineEvent[], log: Log = silent): Met {
    const met: Met = { done: 0, found: [], ended: [] };
    const inheritance = new Inheritance(log, {
      resume: () => new Set(),
      found: (sessionIds, go) => {
        met.found.push(...sessionIds);
        go();
      },
      ended: (sessionId, { receivedOctets }) => void met.ended.push([sessionId, receivedOctets]),
      done: () => {
        met.done += 1;
      },
    });
    for (const event of events) inheritance.found(event, switchboard);
    return met;
  }

  it('is none after a fresh start: all may begin when the snapshot has ended', () => {
    expect(meet([]).done).toBe(0);
    expect(meet([snapshotEnd]).done).toBe(1);
  });

  it('that nobody can go on with is closed, with a line for each call, and awaited until the last of it has gone', () => {
    const lines: string[] = [];
    const count = meet([...held, snapshotEnd], (_severity, _topics, text) => void lines.push(text));
    expect(sent.map(({ kind }) => kind)).toEqual(['tcp-send', 'tcp-close', 'call-close', 'link-close']);
    const bytes = encode(stopRequest('stopLocalShutdown'));
    expect(sent[0]).toEqual({ kind: 'tcp-send', connection: 0x10001, bytes });
    expect(lines).toEqual([
      'closing a call of 198.51.100.1: its control process has gone, and it cannot go on',
    ]);

    tell(frame(0x10003));
    tell(closed(0x10003));
    tell({ kind: 'link-closed', link: 0x10002 });
    expect(count.done).toBe(0);
    tell({ kind: 'tcp-closed', connection: 0x10001, errno: 0 });
    expect(count.done).toBe(1);
  });

  it('may go while the heir is not ready yet: he is told when he is, and nothing is awaited twice', () => {
    const met: string[] = [];
    let go = () => {};
    const inheritance = new Inheritance(silent, {
      resume: () => new Set(),
      found: (_sessionIds, ready) => {
        go = ready;
      },
      ended: (sessionId) => met.push(sessionId),
      done: () => met.push('done'),
    });
    const call = { ...(held[2] as EventOf<'call-held'>), memo: toBytes('{"version":1,"sessionId":"ab12"}') };
    for (const event of [held[0], held[1], call, snapshotEnd]) {
      if (event !== undefined) inheritance.found(event, switchboard);
    }
    tell({ kind: 'tcp-closed', connection: 0x10001, errno: 0 });
    tell(closed(0x10003));
    expect(met).toEqual([]);

    go();
    expect(sent.map(({ kind }) => kind)).toEqual(['link-close']);
    tell({ kind: 'link-closed', link: 0x10002 });

    expect(met).toEqual(['ab12', 'done']);
  });

  it('that accounting knows is told with its last counters, by the session id of its memo', () => {
    const memo = toBytes('{"version":1,"sessionId":"ab12"}');
    const call = { ...(held[2] as EventOf<'call-held'>), memo };
    const met = meet([call, snapshotEnd]);
    tell({ ...closed(0x10003), receivedOctets: 77n });
    expect(met).toEqual({ done: 1, found: ['ab12'], ended: [['ab12', 77n]] });
  });
});
