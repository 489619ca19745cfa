/**
 * A socket towards one port of one server, with its identifiers: what comes in is brought to who holds the identifier. A
 * socket that is lost is opened again, later each time, as long as somebody needs it; identifiers survive that, so that
 * requests under way over TLS are sent once more. What a reply says is not looked at here.
 */

import type { Clock, Timer } from '../base/clock.ts';
import { tally } from '../base/observe.ts';
import type { Address } from './address.ts';
import { Identifiers } from './identifiers.ts';
import type { OpenWire, Wire, WireEnds } from './wire.ts';

/** How long an identifier rests after its request was given up: servers keep a reply for five seconds (FreeRADIUS's `cleanup_delay`). */
export const identifierRestMs = 10_000;

/** Before a lost socket is opened again: at once if it has served, then so long, twice as long each time, at most. */
const reopenFirstMs = 500;
const reopenLongestMs = 30_000;

export const lineTally = tally('radius-socket', {
  lost: 'sockets towards RADIUS servers that could not be opened or broke',
  undelivered: 'requests that the network said did not arrive',
  repeatedReplies: 'replies to requests that had one already',
  unaskedReplies: 'packets with an identifier that no request had',
});

/** Who holds an identifier. */
export interface Holder {
  /** A packet with that identifier has come. */
  received(octets: Uint8Array): void;
  /** The socket is open, or open again: what was sent on the old one has gone with it. */
  opened(): void;
  /** The socket cannot be opened, and another would not do. */
  stranded(): void;
}

export interface LineEvents {
  opened(): void;
  /** Nobody waits for a reply any more, not even for a late one. */
  idle(): void;
  /** The socket cannot be opened, or broke with requests on it before it brought a single reply. */
  unreachable(why: string): void;
  undelivered(): void;
  /** A packet that answers nothing that was ever asked. */
  unasked(): void;
}

export interface LinePorts {
  readonly clock: Clock;
  readonly openWire: OpenWire;
}

/** Where our end is. */
export interface LocalEnd {
  readonly address: Address;
  readonly port: number;
}

export class Line {
  readonly ends: WireEnds;
  readonly #ports: LinePorts;
  readonly #events: LineEvents;
  readonly #identifiers = new Identifiers<Holder>();
  #wire: Wire | undefined;
  #bound: LocalEnd | undefined;
  #isOpen = false;
  /** Sockets opened since one brought a reply. */
  #reopenings = 0;
  #reopening: Timer | undefined;
  #hasHeard = false;
  #isClosed = false;

  constructor(ends: WireEnds, ports: LinePorts, events: LineEvents) {
    this.ends = ends;
    this.#ports = ports;
    this.#events = events;
    this.#open();
  }

  /** Undefined while it is not open. */
  get local(): LocalEnd | undefined {
    return this.#isOpen ? this.#bound : undefined;
  }

  /** Where it was bound last. */
  get bound(): LocalEnd | undefined {
    return this.#bound;
  }

  holders(): readonly Holder[] {
    return this.#identifiers.holders();
  }

  /** An identifier for `holder`; undefined if the line is not open or all are held. */
  take(holder: Holder): number | undefined {
    return this.#isOpen ? this.#identifiers.take(holder) : undefined;
  }

  /** This very identifier for `holder`, if it is free. */
  seize(identifier: number, holder: Holder): boolean {
    return this.#identifiers.seize(identifier, holder);
  }

  send(octets: Uint8Array): void {
    if (this.#isOpen) this.#wire?.send(octets);
  }

  /** The holder of `identifier` has its answer. */
  release(identifier: number): void {
    this.#identifiers.release(identifier);
    if (this.#identifiers.isIdle) this.#events.idle();
  }

  /** The holder of `identifier` waits no more, but will be told if a reply does come. */
  rest(identifier: number): void {
    const holder = this.#identifiers.holderOf(identifier);
    this.#ports.clock.arm(identifierRestMs, () => {
      if (holder !== undefined && this.#identifiers.holderOf(identifier) === holder) this.release(identifier);
    });
  }

  /** Somebody needs it open. */
  want(): void {
    if (this.#isClosed || this.#wire !== undefined || this.#reopening !== undefined) return;
    const delayMs =
      this.#reopenings === 0 ? 0 : Math.min(reopenFirstMs * 2 ** (this.#reopenings - 1), reopenLongestMs);
    this.#reopenings += 1;
    this.#reopening = this.#ports.clock.arm(delayMs, () => {
      this.#reopening = undefined;
      this.#open();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#reopening?.cancel();
    this.#isOpen = false;
    this.#wire?.close();
  }

  #open(): void {
    this.#hasHeard = false;
    this.#wire = this.#ports.openWire(this.ends, {
      opened: (address, port) => this.#opened({ address, port }),
      received: (octets) => this.#received(octets),
      undelivered: () => {
        lineTally.add('undelivered');
        this.#events.undelivered();
      },
      lost: (why) => this.#lost(why),
    });
  }

  #opened(local: LocalEnd): void {
    this.#bound = local;
    this.#isOpen = true;
    for (const holder of this.holders()) holder.opened();
    this.#events.opened();
  }

  #received(octets: Uint8Array): void {
    this.#hasHeard = true;
    this.#reopenings = 0;
    const identifier = octets[1];
    const holder = identifier === undefined ? undefined : this.#identifiers.holderOf(identifier);
    if (holder !== undefined) {
      holder.received(octets);
    } else if (identifier !== undefined && this.#identifiers.wasUsed(identifier)) {
      lineTally.add('repeatedReplies');
    } else {
      lineTally.add('unaskedReplies');
      this.#events.unasked();
    }
  }

  #lost(why: string): void {
    lineTally.add('lost');
    // A server may close a connection that nobody uses: that is no failure.
    const hasFailed = !this.#isOpen || (!this.#hasHeard && !this.#identifiers.isIdle);
    this.#wire = undefined;
    this.#isOpen = false;
    if (!this.#identifiers.isIdle) this.want();
    if (hasFailed) this.#events.unreachable(why);
  }
}
