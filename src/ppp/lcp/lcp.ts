/**
 * LCP: the negotiation of a link and what keeps it honest (RFC 1661 section 5, RFC 1570 for Identification and
 * Time-Remaining). Information fields of LCP frames go in; effects come out. Knows nothing of authentication beyond the
 * option that names its method, and of other protocols only that they can be rejected.
 */

import { Reader, Writer } from '../../base/bytes.ts';
import { Malformed } from '../../base/fault.ts';
import type { Random } from '../../base/random.ts';
import { type Method, type PasswordMethod, strongest } from '../auth/method.ts';
import type { State } from '../automaton.ts';
import { note } from '../effect.ts';
import { type FinishCause, Negotiator, type NegotiatorEffect } from '../negotiator.ts';
import { codes, decodePacket, encodePacket, headerBytes, type Packet } from '../packet.ts';
import { lcpProtocol } from '../protocol.ts';
import {
  freshEndpoint,
  freshMagic,
  type LcpSide,
  type LcpTerms,
  lcpDefaults,
  lcpOptions,
} from './options.ts';

/** Requests with our own magic number, in a row, that make a loop: a chance of one in 2^128 otherwise. */
const maxLoops = 4;
/** Protocol-Rejects while LCP is open: Windows probes a handful of protocols ten times each; a flood earns silence. */
const maxProtocolRejects = 64;

/** What an open LCP has agreed. */
export interface LcpSides {
  /** What we receive, as the peer acknowledged it. */
  readonly ours: Readonly<LcpSide>;
  /** What the peer receives, as we acknowledged it. */
  readonly peers: Readonly<LcpSide<PasswordMethod>>;
}

export interface LcpSettings {
  /** What we wish to receive, in octets of the information field. */
  readonly mru: number;
  /** Multilink: the longest information field that we put together from fragments; undefined: neither side may have it. */
  readonly mrru: number | undefined;
  /** Whether to ask for Protocol- and Address-and-Control-Field-Compression; the peer's wish for them is always granted. */
  readonly fieldCompression: boolean;
  /** Methods one of which the peer has to prove itself by; empty: none. */
  readonly demand: ReadonlySet<Method>;
  /** Methods by which we are ready to prove ourselves; empty: none. */
  readonly answer: ReadonlySet<PasswordMethod>;
}

/**
 * Departs from RFC 1661 section 4.6: begins at one second, not three, because the first request of a PPTP call is often lost
 * (Windows 10 is not listening yet when the server starts). Ten requests take 27 s, about what the RFC's defaults take.
 */
const restartMs = [1_000, 2_000, 3_000] as const;

export type LcpEffect =
  | NegotiatorEffect<'lcp'>
  /** The peer does not know this protocol. */
  | { readonly do: 'protocol-rejected'; readonly protocol: number }
  /** The peer has asked to terminate; its Terminate-Ack is among the effects before this one. */
  | { readonly do: 'terminate-requested' }
  /** Our Echo-Request was answered. */
  | { readonly do: 'echo-reply' };

type Effects = readonly LcpEffect[];

export class Lcp {
  readonly #terms: LcpTerms;
  readonly #negotiator: Negotiator<LcpTerms, 'lcp'>;
  #identifier = 0;
  #protocolRejects = 0;

  constructor(settings: LcpSettings, random: Random) {
    this.#terms = {
      random,
      offer: {
        mru: settings.mru,
        magic: freshMagic(random),
        authentication: strongest(settings.demand),
        fieldCompression: new Set(settings.fieldCompression ? ['protocol', 'address-and-control'] : []),
        mrru: settings.mrru,
        endpoint: settings.mrru === undefined ? undefined : freshEndpoint(random),
      },
      multilink: settings.mrru !== undefined,
      demand: new Set(settings.demand),
      answer: settings.answer,
      authenticationRefused: false,
      loops: 0,
      ours: { ...lcpDefaults },
      peers: { ...lcpDefaults },
    };
    this.#negotiator = new Negotiator(
      { name: 'lcp', protocol: lcpProtocol, rows: lcpOptions, restartMs },
      this.#terms,
    );
  }

  get state(): State {
    return this.#negotiator.state;
  }

  /** As it is agreed now. */
  get sides(): LcpSides {
    return this.#terms;
  }

  /** LCP is open, with this agreed: a process before this one has negotiated it. */
  resume({ ours, peers }: LcpSides): void {
    Object.assign(this.#terms.ours, ours);
    Object.assign(this.#terms.peers, peers);
    this.#negotiator.resume('Opened');
  }

  get looped(): boolean {
    return this.#terms.loops >= maxLoops;
  }

  get authenticationRefused(): boolean {
    return this.#terms.authenticationRefused;
  }

  /** The call is there: negotiate. */
  up(): Effects {
    return [...this.#negotiator.open(), ...this.#negotiator.up()];
  }

  /** The call is gone. */
  down(): Effects {
    return this.#negotiator.down();
  }

  close(cause: FinishCause, text: Uint8Array): Effects {
    return this.#negotiator.close(cause, text);
  }

  expired(): Effects {
    return this.#negotiator.expired();
  }

  again(): Effects {
    return this.#negotiator.again();
  }

  /** Asks whether the peer is still there. */
  echo(): Effects {
    if (this.state !== 'Opened') return [];
    const data = new Writer(new Uint8Array(4)).u32(this.#terms.ours.magic).done();
    return [this.#send(codes.echoRequest, this.#nextIdentifier(), data)];
  }

  /** [RFC 1661 §5.7] `protocol` is none of ours; its information field goes back, cut to the peer's MRU. */
  rejectProtocol(protocol: number, bytes: Uint8Array): Effects {
    if (this.state !== 'Opened') return [];
    this.#protocolRejects += 1;
    if (this.#protocolRejects > maxProtocolRejects) return [note('protocol-rejects-exhausted')];
    const copy = bytes.subarray(0, this.#terms.peers.mru - headerBytes - 2);
    const data = new Writer(new Uint8Array(2 + copy.length)).u16(protocol).bytes(copy).done();
    return [note('protocol-rejected'), this.#send(codes.protocolReject, this.#nextIdentifier(), data)];
  }

  received(bytes: Uint8Array): Effects {
    const packet = decodePacket(bytes);
    if (packet instanceof Malformed) return [note('malformed')];
    switch (packet.code) {
      case codes.protocolReject:
        return this.#protocolRejected(packet);
      case codes.echoRequest:
        return this.#negotiator.extended(() => this.#echoed(packet));
      case codes.echoReply:
        return this.#echoReplied(packet);
      case codes.discardRequest:
      case codes.identification:
      case codes.timeRemaining:
        return this.#negotiator.extended(() => []);
      case codes.terminateRequest:
        return [...this.#negotiator.received(packet), { do: 'terminate-requested' }];
      default:
        return this.#negotiator.received(packet);
    }
  }

  #echoed({ identifier, data }: Packet): readonly NegotiatorEffect<'lcp'>[] {
    if (data.length < 4) return [note('malformed')];
    const { ours, peers } = this.#terms;
    const from = new Reader(data);
    if (ours.magic !== 0 && from.u32() === ours.magic) return [note('looped')];
    // The reply may be no longer than the peer's MRU, whatever the request was.
    const copy = data.slice(0, peers.mru - headerBytes);
    new Writer(copy.subarray(0, 4)).u32(ours.magic).done();
    return [this.#send(codes.echoReply, identifier, copy)];
  }

  #echoReplied({ data }: Packet): Effects {
    if (this.state !== 'Opened') return [];
    if (data.length < 4) return [note('malformed')];
    const { ours } = this.#terms;
    if (ours.magic !== 0 && new Reader(data).u32() === ours.magic) return [note('looped')];
    return [{ do: 'echo-reply' }];
  }

  #protocolRejected({ data }: Packet): Effects {
    // [RFC 1661 §5.7] In any other state than Opened it is silently discarded.
    if (this.state !== 'Opened') return [];
    if (data.length < 2) return [note('malformed')];
    const protocol = new Reader(data).u16();
    if (protocol === lcpProtocol) return this.#negotiator.protocolRejected();
    return [{ do: 'protocol-rejected', protocol }];
  }

  #send(code: number, identifier: number, data: Uint8Array): NegotiatorEffect<'lcp'> {
    return { do: 'send', protocol: lcpProtocol, bytes: encodePacket({ code, identifier, data }) };
  }

  #nextIdentifier(): number {
    this.#identifier = (this.#identifier + 1) & 0xff;
    return this.#identifier;
  }
}
