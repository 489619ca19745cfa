/**
 * The conductor: one session from its call to its last octet. It takes the news of the link (session-link.ts) and hands them to
 * the network (network.ts), to the engine or to its party; it knows no protocol number, option or attribute itself.
 *
 * Enter: what the control connection says of the call, and the engine's events of it. Leave: commands to the engine, log
 * lines, and the news to its owner. All is released only when the engine has let go of the call and of the interface, so that
 * nothing is given out twice.
 */

import type { Limits } from '../aaa/grant.ts';
import { limits } from '../base/limits.ts';
import type { Log, Severity } from '../base/observe.ts';
import type { Random } from '../base/random.ts';
import type { EventOf } from '../datapath/contract.ts';
import { causes as pppCauses } from '../ppp/cause.ts';
import type { LcpSides } from '../ppp/lcp/lcp.ts';
import { type EndingCause, explain } from './ending.ts';
import { errorName } from './errno.ts';
import { eventOf } from './events.ts';
import { isAlive, type LifeState, moveTo } from './lifecycle.ts';
import {
  encodingOf,
  type MadeInterfaces,
  Network,
  type NetworkOwner,
  type NetworkServices,
  type StandingPhase,
} from './network.ts';
import type { Authenticated, NetworkUp, Party, Terms } from './party.ts';
import { type Held, Restraint, type RestraintServices, type StandingRestraint } from './restraint.ts';
import { type CallPlace, SessionCall } from './session-call.ts';
import type { Outcome } from './session-interface.ts';
import { type LinkOwner, SessionLink } from './session-link.ts';
import { SetUp } from './set-up.ts';
import type { CallEvent } from './switchboard.ts';
import { pppTally } from './tally.ts';
import { Timers } from './timers.ts';
import type { Traced } from './trace/tunnel-trace.ts';

/** What every session is given. */
export interface SessionServices extends NetworkServices, RestraintServices, Traced {
  readonly random: Random;
  readonly log: Log;
}

export type FinalCounters = EventOf<'closed'>;

/** A session that is up, as it is told to a process after this one. Times are the clock's, which goes on over processes. */
export interface StandingSession {
  readonly upSinceMs: number;
  readonly lcp: LcpSides;
  readonly packetBytesMax: number;
  readonly network: StandingPhase;
  readonly restraint: StandingRestraint;
}

/** What the owner of a session is told. */
export interface SessionOwner {
  /** The call is to be cleared on the control connection; not told when it is that which ended the call. */
  hangUp(cause: EndingCause): void;
  up(session: Session, agreed: NetworkUp): void;
  /** The engine holds its call, or `standing` is another now: the memo of the call is to say so. */
  stands(session: Session): void;
  /** The last news. `counters` are final. */
  ended(session: Session, cause: EndingCause, counters: FinalCounters): void;
}

/** How long a link that we end may take to say goodbye: two Terminate-Requests, of which one arrives. */
const goodbyeMs = 2000;

export class Session {
  readonly #call: SessionCall;
  readonly #party: Party;
  readonly #services: SessionServices;
  readonly #owner: SessionOwner;
  readonly #timers: Timers<'set-up' | 'goodbye'>;
  readonly #link: SessionLink;
  readonly #network: Network;
  readonly #restraint: Restraint;
  readonly #setUp = new SetUp();
  #state: LifeState = 'ringing';
  #name: string;
  #terms: Terms | undefined;
  #upSinceMs: number | undefined;
  #endedAtMs: number | undefined;
  #cause: EndingCause | undefined;
  /** The control connection still has the call. */
  #isOnLine = true;

  constructor(place: CallPlace, party: Party, services: SessionServices, owner: SessionOwner) {
    this.#call = new SessionCall(place, services.switchboard, services.trace);
    this.#party = party;
    this.#services = services;
    this.#owner = owner;
    this.#name = party.name;
    this.#timers = new Timers(services.clock);
    this.#link = new SessionLink(this.#call, party, services, this.#linkOwner());
    this.#network = new Network(place.call, services, this.#networkOwner());
    this.#restraint = new Restraint(place.call, services, {
      command: (command) => this.#call.command(command),
      watch: (idleMs) => this.#watch(idleMs),
      exhausted: (cause) => this.end(cause),
    });
  }

  get place(): CallPlace {
    return this.#call.place;
  }

  get state(): LifeState {
    return this.#state;
  }

  /** As the log calls it: by its party's name, and by its interface's when there is one. */
  get name(): string {
    return this.#name;
  }

  get terms(): Terms | undefined {
    return this.#terms;
  }

  /** Of its interface, in octets; undefined before it has been up. */
  get mtu(): number | undefined {
    return this.#network.mtu;
  }

  get agreed(): NetworkUp | undefined {
    return this.#network.agreed;
  }

  /** What it is held to now; undefined before it has an interface. */
  get limits(): Limits | undefined {
    return this.#restraint.limits;
  }

  /** From the network's first coming up to the cause of the end, in ms; 0 if it never came up. */
  get uptimeMs(): number {
    if (this.#upSinceMs === undefined) return 0;
    return (this.#endedAtMs ?? this.#services.clock.nowMs()) - this.#upSinceMs;
  }

  /** In each phase of its coming up, in ms. */
  get setUpMs(): SetUp['spentMs'] {
    return this.#setUp.spentMs;
  }

  /** What a process after this one goes on from; undefined while the session is not up: then it cannot. */
  get standing(): StandingSession | undefined {
    const [network, restraint] = [this.#network.standing, this.#restraint.standing];
    if (this.#state !== 'up' || network === undefined || restraint === undefined) return undefined;
    const upSinceMs = this.#upSinceMs ?? this.#services.clock.nowMs();
    const { sides: lcp, packetBytesMax } = this.#link;
    return { upSinceMs, lcp, packetBytesMax, network, restraint };
  }

  /** The session is up since a process before this one, and the engine has its call and its interface. Instead of `open`. */
  resume(standing: StandingSession, terms: Terms, made: MadeInterfaces): void {
    const { upSinceMs, lcp, packetBytesMax, network, restraint } = standing;
    this.#terms = terms;
    this.#name = terms.interfaceName;
    this.#services.trace?.called(terms);
    this.#upSinceMs = upSinceMs;
    this.#call.resume((event) => this.#received(event));
    this.#link.resume(lcp, packetBytesMax);
    this.#network.resume(terms, network, made);
    this.#move('up');
    this.#restraint.resume(this.#heldBy(terms), restraint, (trouble) => {
      if (trouble !== undefined) this.#filtersRefused(trouble);
    });
  }

  /** Has the engine hold the call. A peer's id that is not known yet comes with `connected`. */
  open(peerCallId: number | undefined): void {
    this.#call.open(peerCallId, (event) => this.#received(event));
    this.#owner.stands(this);
    this.#timers.arm('set-up', limits.sessionSetUpMs, () => this.end('set-up-timeout'));
  }

  /** The call is connected: negotiate. */
  connected(peerCallId: number): void {
    if (!isAlive(this.#state)) return;
    this.#call.connected(peerCallId);
    this.#watch(0);
    this.#move('linking');
    this.#link.up();
  }

  /** The control connection has ended the call: nothing of it can be saved. */
  hungUp(cause: EndingCause, detail = ''): void {
    this.#isOnLine = false;
    if (this.#begin(cause, detail)) this.#link.down();
    this.#closeCall();
  }

  /** Ends the session from this side: the peer is told by LCP, then by PPTP. The first cause stays. */
  end(cause: EndingCause, detail = ''): void {
    const wasRinging = this.#state === 'ringing';
    if (!this.#begin(cause, detail)) return;
    if (wasRinging) return this.#hangUp(cause);
    this.#timers.arm('goodbye', goodbyeMs, () => this.#link.down());
    this.#link.close(cause in pppCauses ? (cause as keyof typeof pppCauses) : 'closed', explain(cause).text);
  }

  /** Holds the session to something else from now on; `done` tells if all of it is so, or none, and why. */
  change(change: Partial<Limits>, done: Outcome): void {
    this.#restraint.change(change, done);
  }

  /** The kernel is told what has changed of the plan of its party. */
  replan(): void {
    this.#network.replan();
  }

  /** What the engine keeps for a control process after this one. */
  remember(memo: Uint8Array): void {
    this.#call.remember(memo);
  }

  // ---- the engine's events

  #received(event: CallEvent): void {
    switch (event.kind) {
      case 'frame':
        this.#link.received(event.protocol, event.information);
        break;
      case 'silent':
        this.#silent(event.probe);
        break;
      case 'idle':
        this.end('idle-timeout');
        break;
      case 'quota':
        this.end('quota-exceeded');
        break;
      case 'cipher-lost':
        this.#network.cipherLost();
        break;
      case 'closed':
        this.#callClosed(event);
        break;
    }
  }

  /** The first probe asks; each further one tells that the probe before was not answered. LCP that is not open asks by itself. */
  #silent(probe: number): void {
    if (!isAlive(this.#state) || this.#state === 'linking') return;
    if (probe > 1) this.#say('info', 'LCP missed echo reply');
    if (!this.#link.silent(probe)) this.end('echo-lost');
  }

  // ---- the link's news

  #linkOwner(): LinkOwner {
    return {
      up: () => this.#move('authenticating'),
      authenticated: (effect) => this.#authenticated(effect),
      deliver: (protocol, information) => this.#network.received(protocol, information),
      protocolRejected: (protocol) => this.#network.protocolRejected(protocol),
      down: (cause) => this.#linkDown(cause),
      ended: (cause, message) => {
        this.#begin(cause, message);
        this.#hangUp(this.#cause ?? cause);
      },
    };
  }

  #authenticated(effect: Authenticated): void {
    const terms = this.#party.terms(effect);
    if (typeof terms === 'string') return this.end(terms);
    if (this.#terms === undefined) {
      this.#name = terms.interfaceName;
      this.#services.trace?.called(terms);
      this.#say('info', 'authenticated', { ...eventOf('session-authenticated'), user: terms.user });
    }
    this.#terms = terms;
    this.#move('preparing');
    const { packetBytesMax } = this.#link;
    this.#network.begin({
      terms,
      keys: effect.keys,
      packetBytesMax: Math.min(packetBytesMax, terms.mtu ?? packetBytesMax),
    });
  }

  /** LCP starts over, if there is no cause: the network goes, the call and the interface stay. */
  #linkDown(cause: EndingCause | undefined): void {
    this.#network.stop();
    if (cause !== undefined) this.#begin(cause, '');
    else if (isAlive(this.#state)) this.#move('linking');
  }

  // ---- the network's news

  #networkOwner(): NetworkOwner {
    return {
      prepare: (go) => this.#prepare(go),
      begun: () => this.#move('networking'),
      up: (agreed) => this.#networkUp(agreed),
      replanned: () => this.#owner.stands(this),
      bridged: () => this.#owner.stands(this),
      down: () => this.#networkDown(),
      failed: (cause) => this.end(cause),
      refused: (trouble) => this.#refused(trouble),
      command: (command) => this.#call.command(command),
      sendFrame: (protocol, information) => this.#call.sendFrame(protocol, information),
      rejectProtocol: (protocol, information) => this.#link.rejectProtocol(protocol, information),
      note: (what) => pppTally.add(what),
      say: (severity, text, hint = '') => this.#say(severity, text, hint === '' ? {} : { hint }),
    };
  }

  /** Filters and rates hold before the first packet. */
  #prepare(go: () => void): void {
    const terms = this.#termsNow;
    this.#restraint.begin(this.#heldBy(terms), terms.limits, (trouble) => {
      if (trouble === undefined) go();
      else this.#filtersRefused(trouble);
    });
  }

  #heldBy({ interfaceName: linkName, plan }: Terms): Held {
    return { linkName, address: plan(0, undefined)?.remote };
  }

  /** A session whose filters do not stand lets no packet pass rather than all. */
  #filtersRefused(trouble: string): void {
    if (!isAlive(this.#state)) return;
    this.#say('error', trouble, eventOf('session-troubled'));
    this.end('filter-failed');
  }

  #networkUp(agreed: NetworkUp): void {
    this.#timers.disarm('set-up');
    this.#move('up');
    this.#restraint.start();
    this.#say('info', `using encoding - ${encodingOf(agreed.mppe) || 'none'}`);
    this.#say('info', 'connected', eventOf('session-connected'));
    if (this.#upSinceMs === undefined) {
      this.#upSinceMs = this.#services.clock.nowMs();
      this.#owner.up(this, agreed);
    }
    this.#owner.stands(this);
  }

  /** A network that goes has a minute to come back, or the session goes too. */
  #networkDown(): void {
    if (!isAlive(this.#state)) return;
    this.#timers.arm('set-up', limits.sessionSetUpMs, () => this.end('set-up-timeout'));
    if (this.#state !== 'up') return;
    this.#move('networking');
    this.#owner.stands(this);
  }

  #refused(trouble: string): void {
    if (!isAlive(this.#state)) return;
    this.#say('error', trouble, eventOf('session-troubled'));
    this.end('interface-failed');
  }

  // ---- the end

  /** Takes the first cause. False if there was one. */
  #begin(cause: EndingCause, detail: string): boolean {
    if (!isAlive(this.#state)) return false;
    this.#cause = cause;
    this.#endedAtMs = this.#services.clock.nowMs();
    this.#move('ending');
    this.#timers.disarm('set-up');
    this.#restraint.stop();
    this.#owner.stands(this);
    const { text, hint } = explain(cause);
    const more = detail === '' || detail === text ? '' : ` (${detail})`;
    this.#say('info', `terminating... - ${text}${more}`, {
      ...eventOf('session-ending'),
      cause,
      ...(hint !== '' && { hint }),
    });
    return true;
  }

  #hangUp(cause: EndingCause): void {
    if (this.#isOnLine) this.#owner.hangUp(cause);
    this.#closeCall();
  }

  #closeCall(): void {
    this.#network.stop();
    this.#link.stop();
    this.#timers.disarmAll();
    this.#call.close();
  }

  #callClosed(counters: FinalCounters): void {
    if (this.#call.closed()) {
      this.#begin('call-refused', errorName(counters.errno));
      this.#link.down();
    }
    // What names the interface goes before its name is free for another.
    this.#restraint.close(() => this.#network.close(() => this.#ended(counters)));
  }

  #ended(counters: FinalCounters): void {
    this.#move('ended');
    this.#party.release();
    this.#say('info', 'disconnected');
    this.#owner.ended(this, this.#cause ?? 'closed', counters);
  }

  // ---- small words

  get #termsNow(): Terms {
    if (this.#terms === undefined) throw new Error('the session has no terms yet');
    return this.#terms;
  }

  #watch(idleMs: number): void {
    this.#call.watch(this.#party.keepaliveMs, idleMs);
  }

  #move(next: LifeState): void {
    this.#state = moveTo(this.#state, next);
    this.#setUp.enter(next, this.#services.clock.nowMs());
    this.#services.trace?.moved(next);
  }

  #say(severity: Severity, text: string, facts: Parameters<Log>[3] = {}): void {
    this.#services.log(severity, 'pptp,ppp', `${this.#name}: ${text}`, {
      session: this.place.call,
      ...facts,
    });
  }
}
