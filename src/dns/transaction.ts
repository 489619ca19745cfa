/**
 * One signed request to a name server and its reply: over UDP, again and again the same octets, then over TCP; over TCP at once
 * when the reply did not fit a datagram (RFC 8945, RFC 2136 section 6.2, RFC 7766). A request enters, exactly one outcome leaves.
 * Opens no socket itself and waits for nothing but the clock.
 *
 * A reply that proves nothing changes nothing: the true one may follow. What it claims is kept for the operator, who has mostly
 * mistyped a key, and after such a claim nothing is sent again.
 */

import type { Clock, Timer } from '../base/clock.ts';
import { Malformed } from '../base/fault.ts';
import type { Random } from '../base/random.ts';
import {
  decodeMessage,
  emptyMessage,
  encodeMessage,
  type Message,
  type ResourceRecord,
  type Sections,
} from './message.ts';
import { claimedError, type Key, type Signed, sign, signatureErrors, verify } from './tsig.ts';

/** Two ways to a server. */
export type Transport = 'udp' | 'tcp';

/** A way to the server: its socket, which may still be connecting. Nothing is told after `close`. */
export interface Line {
  send(message: Uint8Array): void;
  close(): void;
}

export interface LineEvents {
  received(message: Uint8Array): void;
  /** It is of no use any more, or a datagram was refused (ICMP): `why` in the system's words. */
  failed(why: string): void;
}

export type OpenLine = (transport: Transport, events: LineEvents) => Line;

export interface TransactionPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly openLine: OpenLine;
}

/** What is asked: an opcode and sections. */
export type Request = { readonly opcode: number } & Partial<Sections<ResourceRecord>>;

/** A reply that is proven, or why there is none, in words that an operator can look up: `BADKEY`, `silence`, `ECONNREFUSED`. */
export type Outcome =
  | { readonly kind: 'answered'; readonly message: Message }
  | { readonly kind: 'failed'; readonly why: string };

/** How long each transmission waits for its reply, in ms: a lost datagram costs a second, a dead server twelve. */
const waits: readonly (readonly [transport: Transport, waitMs: number])[] = [
  ['udp', 1_000],
  ['udp', 2_000],
  ['udp', 4_000],
  ['tcp', 5_000],
];

/** Longer requests do not pass every path in one piece (RFC 9715 section 3.1). */
const datagramBytes = 1_232;

export class Transaction {
  readonly #ports: TransactionPorts;
  readonly #key: Key;
  readonly #done: (outcome: Outcome) => void;
  readonly #opcode: number;
  readonly #id: number;
  readonly #signed: Signed;
  #line: { readonly transport: Transport; readonly line: Line } | undefined;
  #timer: Timer | undefined;
  #sent = 0;
  /** What went wrong last, should nothing come of it. */
  #why = 'silence';
  #isRefused = false;
  #isOver = false;

  /** Sends at once. `done` is called once, never from within the constructor. */
  constructor(request: Request, key: Key, ports: TransactionPorts, done: (outcome: Outcome) => void) {
    this.#ports = ports;
    this.#key = key;
    this.#done = done;
    this.#opcode = request.opcode;
    const [high = 0, low = 0] = ports.random(2);
    this.#id = (high << 8) | low;
    const octets = encodeMessage({ ...emptyMessage(this.#id, request.opcode), ...request });
    this.#signed = sign(octets, key, ports.clock.wallMs());
    const fits = this.#signed.octets.length <= datagramBytes;
    this.#timer = ports.clock.arm(0, () => this.#goTo(fits ? 'udp' : 'tcp'));
  }

  /** Ends it without an outcome. */
  cancel(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#line?.line.close();
    this.#line = undefined;
  }

  #transmit(): void {
    const [transport, waitMs] = waits[this.#sent] ?? [];
    if (transport === undefined || waitMs === undefined || this.#isRefused) {
      this.#end({ kind: 'failed', why: this.#why });
      return;
    }
    this.#sent += 1;
    this.#timer = this.#ports.clock.arm(waitMs, () => this.#transmit());
    this.#lineOf(transport).send(this.#signed.octets);
  }

  #lineOf(transport: Transport): Line {
    if (this.#line?.transport === transport) return this.#line.line;
    this.#line?.line.close();
    const line = this.#ports.openLine(transport, {
      received: (message) => this.#received(message, transport),
      failed: (why) => this.#failed(why, transport),
    });
    this.#line = { transport, line };
    return line;
  }

  #failed(why: string, transport: Transport): void {
    if (this.#isOver || this.#line?.transport !== transport) return;
    this.#why = why;
    // A refused datagram may be an accident of the moment; a connection that is refused has no second chance.
    if (transport === 'tcp') this.#end({ kind: 'failed', why });
  }

  #received(octets: Uint8Array, transport: Transport): void {
    if (this.#isOver || this.#line?.transport !== transport) return;
    const reply = verify(octets, this.#key, this.#ports.clock.wallMs(), this.#signed.mac);
    if (typeof reply === 'string') {
      this.#hear(reply, octets);
      return;
    }
    const { message, error } = reply;
    if (!message.isResponse || message.id !== this.#id || message.opcode !== this.#opcode) return;
    if (error !== 0) this.#end({ kind: 'failed', why: signatureErrors[error] ?? `TSIG error ${error}` });
    else if (!message.isTruncated) this.#end({ kind: 'answered', message });
    else if (transport === 'udp') this.#goTo('tcp');
    else this.#end({ kind: 'failed', why: 'truncated' });
  }

  /** A reply that proves nothing. */
  #hear(fault: string, octets: Uint8Array): void {
    const message = decodeMessage(octets);
    if (message instanceof Malformed || message.id !== this.#id || !message.isResponse) return;
    const error = claimedError(message);
    this.#why = error === 0 ? fault : (signatureErrors[error] ?? fault);
    this.#isRefused = true;
  }

  #goTo(transport: Transport): void {
    this.#timer?.cancel();
    this.#sent = waits.findIndex(([by]) => by === transport);
    this.#transmit();
  }

  #end(outcome: Outcome): void {
    this.cancel();
    this.#done(outcome);
  }
}
