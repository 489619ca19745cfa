/**
 * Requests that RADIUS servers make of us, RFC 5176: CoA and Disconnect. Datagrams enter, with where they come from; requests
 * that are proven, fresh and new leave to be acted on, and replies to be sent. What a request means for which session is
 * decided elsewhere (aaa/dynamic.ts). Opens no socket and waits for nothing but the clock.
 *
 * Who may not ask is not answered at all. A request is acted on once: a copy of it gets the copy of its reply.
 */

import { concat, toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { Malformed } from '../base/fault.ts';
import { type Log, type Tally, tally } from '../base/observe.ts';
import { type AttributeCodec, type Attributes, attribute } from './attribute.ts';
import { errorCauses } from './error-cause.ts';
import { Memory } from './memory.ts';
import { attributeHeaderBytes, codes, headerBytes, type Packet, packetBytes, walk } from './packet.ts';
import { sealReply, verifyRequest } from './sign.ts';

/** Where a datagram comes from: an address as text, without zone. */
export interface Source {
  readonly address: string;
  readonly port: number;
}

/** A server that may ask. */
export interface Asker {
  readonly secret: Uint8Array;
  /** Whether its requests have to carry Message-Authenticator. */
  readonly requireMessageAuthenticator: boolean;
}

/** A request that is to be acted on. */
export interface DynamicRequest {
  readonly kind: 'change' | 'disconnect';
  readonly attributes: Attributes;
  /** The same as they came, for another node that is to act on them. */
  readonly octets: Uint8Array;
}

/** Called once, now or later: all of it is done, or nothing is, and the Error-Cause says why. */
export type Answer = (errorCause?: number) => void;

export interface DynamicPorts {
  readonly clock: Clock;
  readonly codec: AttributeCodec;
  readonly log: Log;
  /** Undefined if `address` is not a server's. */
  askerAt(address: string): Asker | undefined;
  act(request: DynamicRequest, answer: Answer): void;
  send(octets: Uint8Array, to: Source): void;
}

/** RouterOS's `/radius incoming monitor`, since the program's start. `badRequests` are those that were not answered. */
export interface IncomingMonitor {
  readonly requests: number;
  readonly badRequests: number;
  readonly acks: number;
  readonly naks: number;
}

/** Why a datagram was dropped without a word, and what else is counted. */
const counted = {
  'unknown-source': 'datagrams from addresses that are no RADIUS server',
  'wrong-code': 'packets that are neither CoA-Request nor Disconnect-Request',
  malformed: 'datagrams that are no RADIUS packet',
  'wrong-authenticator': 'requests by who does not know the secret',
  'wrong-message-authenticator': 'requests whose Message-Authenticator is wrong',
  'no-message-authenticator': 'requests without Message-Authenticator by a server that has to send it',
  stale: 'requests whose Event-Timestamp is not of now',
  'still-acting': 'copies of a request that is being acted on',
  replayed: 'requests that were seen before, from elsewhere or long ago',
  unanswerable: 'requests that leave no room for a reply',
  'answered-again': 'copies of a request that got the copy of its reply',
} as const;

export type IncomingEvent = keyof typeof counted;
export const incomingEvents = Object.keys(counted) as readonly IncomingEvent[];

type Drop = Exclude<IncomingEvent, 'answered-again'>;

/** RFC 5176 section 6.3: how far the sender's clock may be from ours, in ms. */
const freshMs = 300_000;

/** How long a copy of a request gets the copy of its reply: longer than anybody retransmits. */
const repeatMs = 30_000;

/** Replies kept for copies: those of a night's change of all tariffs, at a hundred a second. */
const repliesMax = 4096;

/** Requests known again: 32 octets each, and more than come within `freshMs`. Only who knows a secret can fill it. */
const seenMax = 65_536;

/** Section 3: State and Proxy-State go back as they came. */
const echoedTypes: readonly number[] = [24, 33];

/** A reply has room beside them for Message-Authenticator and Error-Cause. */
const echoedMax = packetBytes - headerBytes - (attributeHeaderBytes + 16) - (attributeHeaderBytes + 4);

interface Row {
  readonly kind: DynamicRequest['kind'];
  readonly ack: number;
  readonly nak: number;
}

const rows: ReadonlyMap<number, Row> = new Map([
  [codes.coaRequest, { kind: 'change', ack: codes.coaAck, nak: codes.coaNak }],
  [codes.disconnectRequest, { kind: 'disconnect', ack: codes.disconnectAck, nak: codes.disconnectNak }],
]);

export class DynamicAuthorization {
  readonly tally: Tally<IncomingEvent> = tally('radius-incoming', counted);
  readonly #ports: DynamicPorts;
  /** By sender and request; `undefined` inside: not answered yet. */
  readonly #replies = new Memory<{ readonly octets: Uint8Array | undefined }>(repliesMax);
  /** By authenticator, which is the digest of all of a request and of the secret. */
  readonly #seen = new Memory<true>(seenMax);
  #requests = 0;
  #badRequests = 0;
  #acks = 0;
  #naks = 0;

  constructor(ports: DynamicPorts) {
    this.#ports = ports;
  }

  get monitor(): IncomingMonitor {
    return {
      requests: this.#requests,
      badRequests: this.#badRequests,
      acks: this.#acks,
      naks: this.#naks,
    };
  }

  /** A datagram has come. */
  received(octets: Uint8Array, source: Source): void {
    this.#requests += 1;
    const drop = this.#receive(octets, source);
    if (drop === undefined) return;
    this.#badRequests += 1;
    this.tally.add(drop);
    this.#ports.log('debug', 'radius', `request of ${source.address} is dropped: ${counted[drop]}`, {
      address: source.address,
      port: source.port,
      reason: drop,
    });
  }

  /** Why it is dropped; undefined if it is answered, now or later. */
  #receive(octets: Uint8Array, source: Source): Drop | undefined {
    const asker = this.#ports.askerAt(source.address);
    if (asker === undefined) return 'unknown-source';
    const row = rows.get(octets[0] ?? 0);
    if (row === undefined) return 'wrong-code';
    const packet = verifyRequest(octets, asker.secret, asker.requireMessageAuthenticator);
    if (typeof packet === 'string') return packet;
    const repeat = this.#repeat(packet, source);
    if (repeat !== 'new') return repeat;
    const attributes = this.#ports.codec.decode(packet.attributes);
    return this.#begin({ packet, row, source, secret: asker.secret }, attributes);
  }

  /** `new`: never seen. Undefined: a copy, answered with the copy of its reply. */
  #repeat(packet: Packet, source: Source): Drop | 'new' | undefined {
    const nowMs = this.#ports.clock.nowMs();
    const reply = this.#replies.recall(copyKey(packet, source), nowMs);
    if (reply === undefined)
      return this.#seen.recall(toHex(packet.authenticator), nowMs) ? 'replayed' : 'new';
    if (reply.octets === undefined) return 'still-acting';
    this.tally.add('answered-again');
    this.#ports.send(reply.octets, source);
    return undefined;
  }

  #begin(request: Pending, attributes: Attributes | Malformed): Drop | undefined {
    const { packet, row, source } = request;
    const times = attributes instanceof Malformed ? [] : attributes.all('Event-Timestamp');
    const ages = times.map((time) => this.#ports.clock.wallMs() - 1000 * time);
    if (ages.some((ageMs) => Math.abs(ageMs) > freshMs)) return 'stale';
    if (echoed(packet).length > echoedMax) return 'unanswerable';

    const nowMs = this.#ports.clock.nowMs();
    // One without a time is remembered as long as one of now; one of the future, until it is stale.
    const staleInMs = freshMs - Math.min(0, ...ages);
    this.#seen.remember(toHex(packet.authenticator), true, nowMs, nowMs + staleInMs);
    this.#replies.remember(copyKey(packet, source), { octets: undefined }, nowMs, nowMs + repeatMs);
    if (attributes instanceof Malformed) this.#reply(request, errorCauses.invalidRequest);
    else this.#ports.act({ kind: row.kind, attributes, octets: packet.attributes }, this.#answerTo(request));
    return undefined;
  }

  #answerTo(request: Pending): Answer {
    let isAnswered = false;
    return (errorCause) => {
      if (isAnswered) throw new Error('a request is answered once');
      isAnswered = true;
      this.#reply(request, errorCause);
    };
  }

  #reply({ packet, row, source, secret }: Pending, errorCause: number | undefined): void {
    const { clock, codec, send } = this.#ports;
    const isDone = errorCause === undefined;
    const why = isDone ? [] : [attribute('Error-Cause', errorCause)];
    const reply = {
      code: isDone ? row.ack : row.nak,
      identifier: packet.identifier,
      attributes: concat(codec.encode(why), echoed(packet)),
    };
    const octets = sealReply(reply, packet, secret);
    const nowMs = clock.nowMs();
    this.#replies.remember(copyKey(packet, source), { octets }, nowMs, nowMs + repeatMs);
    if (isDone) this.#acks += 1;
    else this.#naks += 1;
    send(octets, source);
  }
}

/** A request that was taken, and what its reply needs. */
interface Pending {
  readonly packet: Packet;
  readonly row: Row;
  readonly source: Source;
  readonly secret: Uint8Array;
}

function copyKey({ identifier, authenticator }: Packet, { address, port }: Source): string {
  return `${address} ${port} ${identifier} ${toHex(authenticator)}`;
}

/** What goes back as it came, octet by octet and in order. */
function echoed({ attributes }: Packet): Uint8Array {
  const walked = walk(attributes);
  if (walked instanceof Malformed) throw new Error('a packet has been walked when it was read');
  const kept = walked.filter(({ type }) => echoedTypes.includes(type));
  return concat(
    ...kept.map(({ at, value }) => attributes.subarray(at, at + attributeHeaderBytes + value.length)),
  );
}
