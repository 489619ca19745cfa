/**
 * A node with any number of sessions, for metrics to look at: the switchboard is the real one, over an engine that says what a
 * test wants of each call; the sessions are what is read of them, because ten thousand real ones would be another bench.
 *
 *     const crowd = new Crowd(3);
 *     crowd.count(0, { receivedOctets: 1_000n });
 */

// Declares scripts, of which metrics tell.
import '../../../src/accounting/mirror.ts';
import { concat } from '../../../src/base/bytes.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import { tally } from '../../../src/base/observe.ts';
import {
  type CounterRow,
  contractVersion,
  counterRow,
  type Event,
  type EventOf,
  type WorkerRow,
  workerRow,
} from '../../../src/datapath/contract.ts';
import type { Datapath } from '../../../src/datapath/datapath.ts';
import { zeroCounters } from '../../../src/datapath/fake-call.ts';
import { Licence } from '../../../src/licence/licence.ts';
import type { Subject } from '../../../src/metrics/subject.ts';
import { Counters } from '../../../src/radius/counters.ts';
import type { IncomingEvent } from '../../../src/radius/dynamic.ts';
import type { ServedSession } from '../../../src/session/served-session.ts';
import { Switchboard } from '../../../src/session/switchboard.ts';

const zeroTotals = {
  ...{ connections: 0, links: 0, receivedPackets: 0n, transmittedPackets: 0n, unknownCalls: 0n },
  ...{ malformed: 0n, staleHandles: 0n, refusedConnections: 0n, droppedFrames: 0n, ringFull: 0n },
};

/** Rows in one message, as the engine has it. */
const rowsPerPart = 64;
/** The handle of the call of a session. */
const callOf = (at: number) => 0x10001 + at;

export class Crowd implements Subject {
  readonly node = 'node1';
  readonly version = '1.2.3';
  readonly clock = new VirtualClock();
  readonly switchboard: Switchboard;
  readonly licence = new Licence('level4');
  readonly sessions: ServedSession[] = [];
  readonly isDraining = false;
  readonly unreadiness: string[] = [];
  readonly radiusCounters = new Counters();
  readonly radiusIncoming: Subject['radiusIncoming'] = {
    monitor: { requests: 0, badRequests: 0, acks: 0, naks: 0 },
    tally: tally<IncomingEvent>('radius-incoming', {} as Record<IncomingEvent, string>),
  };
  accounting: Subject['accounting'] = {
    sessions: 0,
    pending: 0,
    oldestAtMs: undefined,
    journalBytes: 0,
    isHealthy: true,
    isFull: false,
  };
  pools: Subject['pools'] = [{ name: 'subscribers', size: 254, leased: 254, used: 3, refused: 0 }];
  lastReload: Subject['lastReload'] = { isSuccessful: true, successAtMs: 0 };
  hasRedis = true;
  readonly isOnline = true;
  readonly nodes = [];
  /** Of calls that the engine holds; an engine that does not answer while `isMute`. */
  readonly rows = new Map<number, CounterRow>();
  isMute = false;
  /** What the engine tells of its workers. */
  workers: readonly WorkerRow[] = [{ processorUs: 0n, socketDrops: 0 }];
  /** Called for a question that is not answered. */
  asked: () => void = () => {};
  #tell: (event: Event) => void = () => {};
  #engine: Datapath | undefined;

  constructor(sessions: number) {
    this.switchboard = new Switchboard(
      {
        send: (command) => {
          if (command.kind !== 'counters-get') return;
          if (this.isMute) this.asked();
          else if (this.#engine === undefined) this.#answer(command.token);
          else this.#engine.send(command);
        },
        listen: (onEvent) => {
          this.#tell = onEvent;
        },
      },
      () => {},
    );
    for (let at = 0; at < sessions; at += 1) this.add(`user${at}`);
  }

  get radius(): Subject['radius'] {
    const role = {
      ...this.radiusCounters,
      role: 'authentication',
      server: '192.0.2.1:1812',
      state: 'alive',
      pending: 1,
      queued: 0,
    } as const;
    return [{ ...role, address: '192.0.2.1', comment: '', roles: [role] }];
  }

  /** A session of a user that is up. */
  add(user: string): void {
    const at = this.sessions.length;
    const call = callOf(at);
    this.switchboard.openCall({ call, localAddress: 1, peerAddress: 2, peerCallId: 3, flags: 0 }, () => {});
    this.rows.set(call, { call, ...zeroCounters, silentMs: 0, idleMs: 0 });
    this.sessions.push({
      user,
      method: 'mschap2',
      identity: { sessionId: `5f00${at}`, peerAddress: 0x0a000001 },
      row: { framedAddress: 0x0a4d0001 + at },
      session: {
        name: `<pptp-${user}>`,
        state: 'up',
        place: { call },
        agreed: { mppe: { bits: 128, stateless: true } },
        uptimeMs: 61_000,
        limits: { rates: { receive: { limit: 1_000_000 }, transmit: { limit: 0 } } },
      },
    } as unknown as ServedSession);
  }

  /** What the engine has counted of a session so far. */
  count(at: number, counters: Partial<CounterRow>): void {
    const row = this.rows.get(callOf(at));
    if (row !== undefined) this.rows.set(row.call, { ...row, ...counters });
  }

  /** The session is over, with the counters that it had. */
  end(at: number): void {
    const call = callOf(at);
    const row = this.rows.get(call) ?? { call, ...zeroCounters, silentMs: 0, idleMs: 0 };
    this.rows.delete(call);
    this.sessions.splice(at, 1);
    this.#tell({ kind: 'closed', errno: 0, ...row } as EventOf<'closed'>);
  }

  /** A real engine holds the calls, from now on, and is asked for their counters. */
  holdIn(engine: Datapath): void {
    this.#engine = engine;
    engine.listen((event) => this.#tell(event));
    engine.send({ kind: 'hello', version: contractVersion });
    for (const call of this.rows.keys())
      engine.send({ kind: 'call-open', call, localAddress: 0, peerAddress: 2, peerCallId: 3, flags: 0 });
  }

  #answer(token: number): void {
    for (const rows of this.#parts()) this.#tell({ kind: 'counters', token, rows });
    this.#tell({
      ...{ kind: 'totals', token, calls: this.rows.size, ...zeroTotals },
      workers: concat(...this.workers.map((row) => workerRow.encode(row))),
    });
  }

  #parts(): readonly Uint8Array[] {
    const all = [...this.rows.values()];
    return Array.from({ length: Math.ceil(all.length / rowsPerPart) }, (_, part) => {
      const rows = all.slice(part * rowsPerPart, (part + 1) * rowsPerPart);
      return concat(...rows.map((row) => counterRow.encode(row)));
    });
  }
}
