/**
 * One round: a request to one server, transmitted up to three times, octet by octet the same (RFC 5080 section 2.2.1), from
 * the moment that it has a place on the wire until it is answered or given up. One given up still takes a late reply for as
 * long as its identifier rests. Over TLS it is transmitted once, and once more on every new connection.
 */

import type { Clock, Timer } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Holder } from './line.ts';
import type { Lines, Place } from './lines.ts';
import { authenticatorBytes, codes, headerBytes, type Packet } from './packet.ts';
import type { Query, Round, SentRequest } from './query.ts';
import type { BadReply } from './replies.ts';
import { timeoutOf, transmissionsPerRound } from './retransmission.ts';
import { sealAccessRequest, sealRequest } from './sign.ts';

/** Whose request it is. */
export interface AttemptOwner {
  readonly query: Query;
  /** Since the query was made. */
  readonly waitedMs: number;
  /** Perhaps late, perhaps of an attempt given up long ago. */
  answered(packet: Packet, round: Round): void;
  /** All transmissions have waited in vain. */
  exhausted(): void;
  /** Its server answers nobody, or is no longer asked; `isSent` if this attempt is under way to it. */
  troubled(isSent: boolean): void;
  /** Had to make room for one that is more urgent. */
  displaced(): void;
}

/** The server, in one role, as an attempt sees it. */
export interface Station {
  readonly name: string;
  readonly secret: Uint8Array;
  readonly firstTimeoutMs: number;
  readonly isReliable: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** The packet if it answers `request`; what does not is counted there. */
  judge(octets: Uint8Array, request: Uint8Array): Packet | BadReply;
  transmitted(isCopy: boolean): void;
  /** A transmission has waited in vain. */
  timedOut(): void;
  answered(attempt: Attempt, packet: Packet, replyMs: number): void;
  /** The round is over. */
  exhausted(attempt: Attempt): void;
  /** It has lost its place and needs another, as a fresh request. */
  stranded(attempt: Attempt): void;
}

export class Attempt implements Holder {
  readonly owner: AttemptOwner;
  readonly #station: Station;
  #resume: SentRequest | undefined;
  #place: Place | undefined;
  #sealed: { readonly round: Round; readonly octets: Uint8Array } | undefined;
  #transmissions = 0;
  #firstSentMs = 0;
  #timeoutMs: number | undefined;
  #timer: Timer | undefined;
  #isOver = false;

  /** With `resume` it is that request again, if the place can be had that it came from. */
  constructor(owner: AttemptOwner, station: Station, resume: SentRequest | undefined) {
    this.owner = owner;
    this.#station = station;
    this.#resume = resume;
  }

  get urgency(): Query['urgency'] {
    return this.owner.query.urgency;
  }

  get isSent(): boolean {
    return this.#transmissions > 0;
  }

  /** Takes a place on the wire. False if there is none now. */
  seat(lines: Lines): boolean {
    const former = this.#resume && lines.retake(this.#resume, this);
    if (former === undefined) this.#resume = undefined;
    this.#place = former ?? lines.take(this);
    return this.#place !== undefined;
  }

  /** Has a place: says what will be sent, and sends it when it may. */
  begin(): void {
    const place = seated(this.#place);
    if (this.#resume !== undefined) {
      this.#sealed = this.#sealedAgain(this.#resume.octets);
      if (place.line.local !== undefined) this.#transmit();
      return;
    }
    const sealed = this.#seal(place.identifier);
    this.#sealed = sealed;
    const { query } = this.owner;
    const port = seated(place.line.local).port;
    if (query.beforeSending === undefined) this.#transmit();
    else
      query.beforeSending({ server: this.#station.name, port, octets: sealed.octets }, () =>
        this.#go(sealed),
      );
  }

  /** Waits no more, but takes a reply that comes all the same. */
  giveUp(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    if (this.#place === undefined) return;
    const { line, identifier } = this.#place;
    if (this.isSent) line.rest(identifier);
    else line.release(identifier);
  }

  received(octets: Uint8Array): void {
    if (this.#sealed === undefined || !this.isSent) return;
    const { round, octets: request } = this.#sealed;
    const packet = this.#station.judge(octets, request);
    const { watch } = this.owner.query;
    if (typeof packet === 'string') return watch?.discarded(this.#station.name, packet);
    watch?.received(this.#station.name, packet);
    this.#isOver = true;
    this.#timer?.cancel();
    const { line, identifier } = seated(this.#place);
    line.release(identifier);
    this.#station.answered(this, packet, this.#station.clock.nowMs() - this.#firstSentMs);
    this.owner.answered(packet, round);
  }

  opened(): void {
    if (this.#isOver) return;
    if (this.isSent) this.#send();
    else if (this.#resume !== undefined) this.#transmit();
  }

  stranded(): void {
    if (this.#isOver) return;
    this.#resume = undefined;
    this.#place = undefined;
    this.#sealed = undefined;
    this.#timer?.cancel();
    this.#transmissions = 0;
    this.#timeoutMs = undefined;
    this.#station.stranded(this);
  }

  #seal(identifier: number): { round: Round; octets: Uint8Array } {
    const { query, waitedMs } = this.owner;
    const { name: server, secret, random } = this.#station;
    const isAccess = query.code === codes.accessRequest;
    const authenticator = isAccess ? random(authenticatorBytes) : new Uint8Array(authenticatorBytes);
    const round = { server, secret, authenticator, waitedMs };
    const packet = { code: query.code, identifier, authenticator, attributes: query.attributes(round) };
    const octets = isAccess ? sealAccessRequest(packet, secret) : sealRequest(packet, secret);
    return { round, octets };
  }

  #sealedAgain(octets: Uint8Array): { round: Round; octets: Uint8Array } {
    const { name: server, secret } = this.#station;
    const authenticator = octets.slice(headerBytes - authenticatorBytes, headerBytes);
    return { round: { server, secret, authenticator, waitedMs: this.owner.waitedMs }, octets };
  }

  /** The owner lets `sealed` go; too late if the attempt is over or seals anew. */
  #go(sealed: object): void {
    if (!this.#isOver && this.#sealed === sealed && !this.isSent) this.#transmit();
  }

  #transmit(): void {
    const { clock, random, firstTimeoutMs, isReliable } = this.#station;
    if (!this.isSent) this.#firstSentMs = clock.nowMs();
    this.#send();
    this.#timeoutMs = isReliable ? firstTimeoutMs : timeoutOf(firstTimeoutMs, this.#timeoutMs, random);
    this.#timer = clock.arm(this.#timeoutMs, () => this.#expire());
  }

  #send(): void {
    if (this.#sealed === undefined) throw new Error('nothing is sealed');
    this.#station.transmitted(this.isSent);
    this.owner.query.watch?.sent(this.#station.name, this.#sealed.octets, this.isSent);
    this.#transmissions += 1;
    seated(this.#place).line.send(this.#sealed.octets);
  }

  #expire(): void {
    this.owner.query.watch?.timedOut(this.#station.name, this.#timeoutMs ?? 0);
    this.#station.timedOut();
    // What the timeout brought about may have ended the attempt.
    if (this.#isOver) return;
    if (!this.#station.isReliable && this.#transmissions < transmissionsPerRound) {
      this.#transmit();
      return;
    }
    this.#station.exhausted(this);
    this.owner.exhausted();
  }
}

function seated<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('an attempt was begun without a place on the wire');
  return value;
}
