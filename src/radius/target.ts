/**
 * A server in one of its roles: who awaits its reply, who waits for a place among those, whether it lives, and what was
 * counted. Attempts enter and leave; the sockets tell; whoever cannot stay is told through its owner. Where it goes then is
 * inquiry.ts's matter.
 */

import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/observe.ts';
import type { Random } from '../base/random.ts';
import { withPort } from './address.ts';
import type { Attempt, AttemptOwner, Station } from './attempt.ts';
import type { Candidate } from './choice.ts';
import { Counters, type RoleMonitor } from './counters.ts';
import { deadAfterMs, Health, type ServerState } from './health.ts';
import type { Lines } from './lines.ts';
import { codes, type Packet } from './packet.ts';
import { Prober } from './prober.ts';
import type { Role } from './query.ts';
import type { BadReply, ReplyGate } from './replies.ts';
import type { RadiusServer } from './settings.ts';
import { Waiting } from './waiting.ts';

/** Bad replies may come by the thousand: how often the log speaks of them. */
const complaintIntervalMs = 60_000;

export interface TargetPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly lines: Lines;
  readonly gate: ReplyGate;
  readonly secret: Uint8Array;
  /** The server as it is configured now. */
  settings(): RadiusServer;
  /** It answers again. */
  revived(target: Target): void;
  /** Nobody awaits its reply any more. */
  drained(): void;
}

export class Target implements Candidate, Station {
  readonly role: Role;
  readonly name: string;
  readonly #ports: TargetPorts;
  readonly #health = new Health();
  readonly #counters = new Counters();
  readonly #waiting = new Waiting<Attempt>();
  readonly #inFlight = new Set<Attempt>();
  readonly #prober: Prober;
  #dying: Timer | undefined;
  #isRetired = false;
  #lastComplaintMs = Number.NEGATIVE_INFINITY;

  constructor(role: Role, ports: TargetPorts) {
    const { address, protocol, radsecPort, authenticationPort, accountingPort } = ports.settings();
    const udpPort = role === 'authentication' ? authenticationPort : accountingPort;
    this.role = role;
    this.name = withPort(address, protocol === 'radsec' ? radsecPort : udpPort);
    this.#ports = ports;
    const { clock, random, lines, secret } = ports;
    const judge = (octets: Uint8Array, request: Uint8Array) => this.judge(octets, request);
    const answered = (): void => this.#heard(true);
    this.#prober = new Prober({ clock, random, lines, secret, judge, answered });
    lines.join({
      opened: () => {
        this.#prober.opened();
        this.#pump();
      },
      unreachable: (why) => this.#die(`cannot be reached: ${why}`),
      undelivered: () => this.timedOut(),
      unasked: () => this.#complain('wrong-identifier'),
    });
  }

  get settings(): RadiusServer {
    return this.#ports.settings();
  }

  get state(): ServerState {
    return this.#health.state;
  }

  get isTrialDue(): boolean {
    // A server that no socket leads to is tried by opening one, which costs no subscriber anything.
    return this.#ports.lines.local !== undefined && this.#health.isTrialDue(this.clock.nowMs());
  }

  get load(): number {
    return this.#inFlight.size + this.#waiting.size;
  }

  get isDrained(): boolean {
    return this.#inFlight.size === 0;
  }

  get clock(): Clock {
    return this.#ports.clock;
  }

  get random(): Random {
    return this.#ports.random;
  }

  get secret(): Uint8Array {
    return this.#ports.secret;
  }

  get isReliable(): boolean {
    return this.#ports.lines.isReliable;
  }

  get firstTimeoutMs(): number {
    const { timeout, radsecTimeout } = this.settings;
    return this.isReliable ? radsecTimeout : timeout;
  }

  /** Takes an attempt in. False if there is no room even to wait. */
  enter(attempt: Attempt): boolean {
    if (!this.#waiting.enter(attempt, ({ owner }) => owner.displaced())) return false;
    this.#health.entrusted(this.clock.nowMs());
    this.#pump();
    return true;
  }

  /** The attempt is given up, whatever has become of it. */
  leave(attempt: Attempt): void {
    attempt.giveUp();
    if (!this.#waiting.leave(attempt)) this.#freePlace(attempt);
  }

  /** Asks who waits here whether there is a better place by now. */
  reconsider(): void {
    for (const { owner } of this.#waiting.items()) owner.troubled(false);
  }

  /** It is to be asked no more: who waits goes elsewhere, who is under way may finish. */
  retire(): void {
    this.#isRetired = true;
    this.#prober.stop();
    this.#dying?.cancel();
    this.reconsider();
  }

  /** What was changed may let more in. */
  configured(): void {
    this.#pump();
  }

  monitor(): RoleMonitor {
    return {
      ...this.#counters,
      role: this.role,
      server: this.name,
      state: this.state,
      pending: this.#inFlight.size,
      queued: this.#waiting.size,
    };
  }

  judge(octets: Uint8Array, request: Uint8Array): Packet | BadReply {
    const { gate, secret } = this.#ports;
    const packet = gate.judge(octets, request, secret, this.settings.requireMessageAuth);
    if (typeof packet === 'string') this.#complain(packet);
    return packet;
  }

  transmitted(isCopy: boolean): void {
    this.#health.asked(this.clock.nowMs());
    if (isCopy) this.#counters.resends += 1;
    else this.#counters.requests += 1;
  }

  timedOut(): void {
    if (!this.#health.timedOut(this.clock.nowMs())) return;
    this.#say('warning', 'answers nothing: asked for its status');
    this.#dying = this.clock.arm(deadAfterMs, () =>
      this.#die('is dead: it has answered nothing, not even for its status'),
    );
    this.#probe();
    this.reconsider();
  }

  answered(attempt: Attempt, { code }: Packet, replyMs: number): void {
    this.#counters.answered(replyMs);
    if (code === codes.accessReject) this.#counters.rejects += 1;
    else if (code === codes.accessChallenge) this.#counters.challenges += 1;
    else this.#counters.accepts += 1;
    this.#heard(false);
    this.#freePlace(attempt);
  }

  exhausted(attempt: Attempt): void {
    if (attempt.isSent) this.#counters.timeouts += 1;
    this.leave(attempt);
  }

  stranded(attempt: Attempt): void {
    this.#inFlight.delete(attempt);
    if (this.#waiting.enter(attempt, ({ owner }) => owner.displaced())) this.#pump();
    else attempt.owner.displaced();
  }

  /** Gives places to who waits while there are any. */
  #pump(): void {
    while (this.#inFlight.size < this.settings.requestsMax) {
      const attempt = this.#waiting.first();
      if (!attempt?.seat(this.#ports.lines)) return;
      this.#waiting.leave(attempt);
      this.#inFlight.add(attempt);
      attempt.begin();
    }
  }

  #freePlace(attempt: Attempt): void {
    if (!this.#inFlight.delete(attempt)) return;
    this.#pump();
    if (this.isDrained) this.#ports.drained();
  }

  #heard(toStatusServer: boolean): void {
    if (!this.#health.heard(toStatusServer)) return;
    this.#prober.stop();
    this.#dying?.cancel();
    this.#say('info', 'answers again');
    this.#pump();
    this.#ports.revived(this);
  }

  #die(why: string): void {
    this.#dying?.cancel();
    if (this.#health.died(this.clock.nowMs())) {
      this.#say('error', why);
      this.#probe();
    }
    const owners = (attempts: Iterable<Attempt>): AttemptOwner[] => [...attempts].map(({ owner }) => owner);
    const [waiting, inFlight] = [owners(this.#waiting.items()), owners(this.#inFlight)];
    for (const owner of waiting) owner.troubled(false);
    for (const owner of inFlight) owner.troubled(true);
  }

  #probe(): void {
    if (!this.#isRetired) this.#prober.start();
  }

  /** Counts a packet that is discarded. The request goes on waiting: the true reply may follow. */
  #complain(what: BadReply): void {
    this.#counters.badReplies += 1;
    const nowMs = this.clock.nowMs();
    if (nowMs - this.#lastComplaintMs < complaintIntervalMs) return;
    this.#lastComplaintMs = nowMs;
    this.#say('warning', `has sent a bad reply, ${what}: ${hints[what]}`);
  }

  #say(severity: 'info' | 'warning' | 'error', what: string): void {
    this.#ports.log(severity, 'radius', `${this.role} server ${this.name} ${what}`, { server: this.name });
  }
}

const hints: Readonly<Record<BadReply, string>> = {
  malformed: 'it may be no RADIUS server',
  'wrong-identifier': 'an answer that nobody asked for, perhaps forged',
  'wrong-authenticator': 'the secret may differ from the one there',
  'wrong-message-authenticator': 'the secret may differ from the one there',
  'no-message-authenticator': 'let the server sign its replies, or set require-message-auth to no',
  'wrong-code': 'the port may be that of the other role',
};
