/**
 * Where a tunnel and its calls can be looked at: what passes between them and the outside is told here, and goes to the traces that want
 * it. While nobody traces, telling is one look at an empty set, and nothing is kept.
 *
 * A trace by user begins before its user is known. What a tunnel shows until a call has named him waits here, undecoded and within
 * bounds, as long as a trace waits for a name; then all of it is his, or it is forgotten. Pure.
 */

import type { Malformed } from '../../base/fault.ts';
import { formatIpv4, type Ipv4 } from '../../base/ip.ts';
import type { Log } from '../../base/observe.ts';
import type { Message } from '../../pptp/messages.ts';
import type { LifeState } from '../lifecycle.ts';
import type { Moment, Way } from './moment.ts';
import type { Trace } from './trace.ts';
import { type Known, suits } from './wanted.ts';

/** Octets that may wait for a tunnel's user: LCP and a proof take one kilobyte, EAP with TLS six. */
const keptBytesMax = 8192;
/** What a moment takes beside its frame. */
const momentBytes = 128;

/** The traces that are open, and when it is. */
export interface Onlookers {
  readonly open: ReadonlySet<Trace>;
  /** Since 1970. */
  wallMs(): number;
  /** Whether one more tunnel may keep what waits for its user. */
  reserve(): boolean;
  release(): void;
}

interface Kept {
  readonly moment: Moment;
  readonly atMs: number;
  /** Undefined: of the tunnel. */
  readonly call: CallTrace | undefined;
  readonly bytes: number;
}

/** A call before anything is known of it. */
export interface TracedCall {
  /** Acct-Session-Id of a subscriber's. */
  readonly sessionId?: string;
  /** As the log names it. */
  readonly name: string;
  /** Who we say that we are, where we have dialled. */
  readonly user?: string;
}

export class TunnelTrace {
  readonly peer: string;
  readonly #onlookers: Onlookers;
  /** Made when there is one. */
  #followers: WeakSet<Trace> | undefined;
  #kept: Kept[] = [];
  #keptBytes = 0;
  #isKeeping = false;
  /** Calls of it whose users may yet say a name. */
  #nameless = 0;
  #hasCalled = false;
  #isClosed = false;
  /** Moments that had no room. */
  #missed = 0;

  constructor(peerAddress: Ipv4, onlookers: Onlookers) {
    this.peer = formatIpv4(peerAddress);
    this.#onlookers = onlookers;
  }

  call(call: TracedCall): CallTrace {
    this.#hasCalled = true;
    this.#nameless += 1;
    return new CallTrace(this, call);
  }

  /** Octets of one message. */
  sent(octets: Uint8Array): void {
    if (this.isWatched) this.tell({ kind: 'message', peer: this.peer, way: 'sent', octets });
  }

  heard(messages: readonly (Message | Malformed)[]): void {
    if (!this.isWatched) return;
    for (const message of messages) this.tell({ kind: 'message', peer: this.peer, way: 'rcvd', message });
  }

  /** `log`, with its lines told here on the way. */
  before(log: Log, call?: CallTrace): Log {
    return (severity, topics, text, facts = {}) => {
      if (this.isWatched) this.tell({ kind: 'log', severity, topics, text, facts }, call);
      log(severity, topics, text, facts);
    };
  }

  /** It is over: what still waits is nobody's, and no call of it will say a name. */
  closed(): void {
    this.#isClosed = true;
    this.#forget();
  }

  // ---- for its calls

  /** Whether anybody traces anybody. */
  get isWatched(): boolean {
    if (this.#onlookers.open.size > 0) return true;
    if (this.#isKeeping) this.#forget();
    return false;
  }

  tell(moment: Moment, call?: CallTrace): void {
    const atMs = this.#onlookers.wallMs();
    this.decide(call, (trace) => trace.give(moment, atMs));
    if (this.#isKeeping) this.#keep(moment, atMs, call);
  }

  /** Calls `follow` for each trace that this is for, once it has had what came before. */
  decide(call: CallTrace | undefined, follow: (trace: Trace) => void = () => {}): void {
    let isAwaited = false;
    for (const trace of this.#onlookers.open) {
      const isFor = this.#isFor(trace, call);
      if (isFor === undefined) isAwaited = true;
      if (!isFor) continue;
      this.#catchUp(trace, call);
      follow(trace);
    }
    if (isAwaited && !this.#isKeeping && !this.#isKnown) this.#isKeeping = this.#onlookers.reserve();
    if (this.#isKnown && this.#isKeeping) this.#forget();
  }

  /** One of its calls has an owner from now on, or has ended without. */
  decided(): void {
    this.#nameless -= 1;
  }

  /** A call has ended without a name. */
  endedNameless(): void {
    for (const trace of this.#onlookers.open) {
      const known = { callerId: this.peer, users: [], interfaces: [], isNamed: false };
      if (suits(trace.wanted, known) === undefined) trace.missNameless(this.peer);
    }
  }

  #isFor(trace: Trace, call: CallTrace | undefined): boolean | undefined {
    if (call !== undefined) return suits(trace.wanted, call.known);
    // What is the tunnel's belongs to each of its calls.
    return this.#followers?.has(trace) || suits(trace.wanted, this.#known);
  }

  get #isKnown(): boolean {
    return this.#isClosed || (this.#hasCalled && this.#nameless === 0);
  }

  get #known(): Known {
    return { callerId: this.peer, users: [], interfaces: [], isNamed: this.#isKnown };
  }

  #catchUp(trace: Trace, call: CallTrace | undefined): void {
    this.#followers ??= new WeakSet();
    const [isNew, isNewTunnel] = [call?.followed(trace) === true, !this.#followers.has(trace)];
    this.#followers.add(trace);
    if (!isNew && !isNewTunnel) return;
    if (this.#kept.length > 0) trace.miss(this.#missed);
    for (const { moment, atMs, call: whose } of this.#kept) {
      if (whose === undefined ? isNewTunnel : isNew && whose === call) trace.give(moment, atMs);
    }
  }

  #keep(moment: Moment, atMs: number, call: CallTrace | undefined): void {
    const frame = moment.kind === 'frame' ? moment.information.length : 0;
    const bytes = frame + momentBytes;
    // The engine may use its octets again.
    const own = moment.kind === 'frame' ? { ...moment, information: moment.information.slice() } : moment;
    this.#kept.push({ moment: own, atMs, call, bytes });
    this.#keptBytes += bytes;
    while (this.#keptBytes > keptBytesMax) {
      this.#keptBytes -= this.#kept.shift()?.bytes ?? 0;
      this.#missed += 1;
    }
  }

  #forget(): void {
    if (this.#isKeeping) this.#onlookers.release();
    this.#isKeeping = false;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#missed = 0;
  }
}

/** What can be looked at, where somebody may. */
export interface Traced {
  readonly trace?: CallTrace;
}

export class CallTrace {
  readonly #sessionId: string | undefined;
  readonly #tunnel: TunnelTrace;
  /** Made when there is one: ten thousand calls are not traced. */
  #followers: WeakSet<Trace> | undefined;
  readonly #users: string[] = [];
  readonly #interfaces: string[];
  #name: string;
  #state: LifeState = 'ringing';
  #isNamed = false;

  constructor(tunnel: TunnelTrace, { sessionId, name, user }: TracedCall) {
    this.#tunnel = tunnel;
    this.#sessionId = sessionId;
    this.#name = name;
    this.#interfaces = [name];
    if (user !== undefined) this.#users.push(user);
  }

  get known(): Known {
    return {
      callerId: this.#tunnel.peer,
      users: this.#users,
      interfaces: this.#interfaces,
      isNamed: this.#isNamed,
    };
  }

  frame(way: Way, protocol: number, information: Uint8Array): void {
    if (!this.#tunnel.isWatched) return;
    this.#tunnel.tell({ kind: 'frame', name: this.#name, way, protocol, information }, this);
  }

  moved(to: LifeState): void {
    const from = this.#state;
    this.#state = to;
    if (this.#tunnel.isWatched) this.#tunnel.tell({ kind: 'state', name: this.#name, from, to }, this);
    if (to !== 'ended') return;
    this.#decided();
    if (this.#users.length === 0) this.#tunnel.endedNameless();
  }

  /** Its peer says that he is `user`. */
  named(user: string): void {
    addTo(this.#users, user);
    if (this.#tunnel.isWatched) this.#tunnel.decide(this);
  }

  /** It is `user`'s, and its interface is called so from now on. */
  called({ user, interfaceName }: { readonly user: string; readonly interfaceName: string }): void {
    addTo(this.#users, user);
    addTo(this.#interfaces, interfaceName);
    this.#name = interfaceName;
    this.#decided();
    if (this.#tunnel.isWatched) this.#tunnel.decide(this);
  }

  /** `log`, with its lines told here on the way. */
  before(log: Log): Log {
    return this.#tunnel.before(log, this);
  }

  #decided(): void {
    if (!this.#isNamed) this.#tunnel.decided();
    this.#isNamed = true;
  }

  /** True the first time: the trace is told who it is about from now on. */
  followed(trace: Trace): boolean {
    this.#followers ??= new WeakSet();
    if (this.#followers.has(trace)) return false;
    this.#followers.add(trace);
    if (this.#sessionId !== undefined) trace.follow(this.#sessionId);
    return true;
  }
}

/** A peer may say few names: LCP starts over eight times at the most. */
function addTo(names: string[], name: string): void {
  if (!names.includes(name)) names.push(name);
}
