/**
 * CCP (RFC 1962) for MPPE alone (RFC 3078). Information fields of CCP frames go in; packets, keys and at most one settlement
 * come out: open with one cipher for both directions, or clear with the reason.
 *
 * The order of effects is a law: receive keys, then the Configure-Ack that allows the peer to use them, then, once open, the
 * transmit keys. All travel in one FIFO to the engine, so no packet can come before its key.
 *
 * A Reset-Request of the peer is answered with a Reset-Ack as RFC 1962 asks and pppd does; MPPE itself needs none, because the
 * next packet carries the FLUSHED bit.
 */

import { Malformed } from '../../base/fault.ts';
import { type Arm, type Disarm, type Noted, note, type Send } from '../effect.ts';
import { type FinishCause, Negotiator, type NegotiatorEffect, steadyRestartMs } from '../negotiator.ts';
import { codes, decodePacket, encodePacket, type Packet } from '../packet.ts';
import { ccpProtocol } from '../protocol.ts';
import {
  type CcpTerms,
  ccpOptions,
  type Mppe,
  type MppePolicy,
  sameMppe,
  strongestMppe,
  weakerMppe,
} from './options.ts';

/** Negotiations over again because the two directions had come out different; two sides with one mind need one. */
const maxRestarts = 3;
/** Terminate-Acks to our requests that mean no: one may come from a peer that is only not ready yet. */
const maxTerminateAcks = 2;

export type CcpEffect =
  | Send
  | Arm<'ccp'>
  | Disarm<'ccp'>
  | Noted
  | { readonly do: 'receive-keys'; readonly mppe: Mppe | 'off' }
  | { readonly do: 'transmit-keys'; readonly mppe: Mppe | 'off' }
  /** The peer lost its place: begin anew with the FLUSHED bit. */
  | { readonly do: 'reset-transmit' }
  | { readonly do: 'ccp-up'; readonly mppe: Mppe }
  /** Left Opened, to negotiate again. */
  | { readonly do: 'ccp-down' }
  /** There will be no encryption. */
  | { readonly do: 'ccp-clear'; readonly reason: 'refused' | 'timeout' };

type Effects = readonly CcpEffect[];

export class Ccp {
  readonly #terms: CcpTerms;
  readonly #negotiator: Negotiator<CcpTerms, 'ccp'>;
  #receiving = false;
  #open = false;
  #clear = false;
  #restarts = 0;
  #terminateAcks = 0;
  #identifier = 0;

  constructor({ strengths, stateful }: MppePolicy) {
    const allowed = new Set(strengths);
    this.#terms = {
      allowed,
      stateful,
      choice: strongestMppe({ allowed, stateful }),
      listing: allowed.size > 1,
      offered: undefined,
      statelessNaks: 0,
      ours: undefined,
      peers: undefined,
    };
    this.#negotiator = new Negotiator(
      { name: 'ccp', protocol: ccpProtocol, rows: ccpOptions, restartMs: steadyRestartMs },
      this.#terms,
    );
  }

  /** A process before this one has settled it: open with this cipher, or given up for good. Instead of `up`. */
  resume(mppe: Mppe | undefined): void {
    this.#terms.listing = false;
    this.#open = mppe !== undefined;
    this.#receiving = this.#open;
    this.#clear = !this.#open;
    this.#negotiator.resume(this.#open ? 'Opened' : 'Closed');
    if (mppe !== undefined)
      Object.assign(this.#terms, { choice: mppe, offered: mppe, ours: mppe, peers: mppe });
  }

  up(): Effects {
    return this.#of([...this.#negotiator.open(), ...this.#negotiator.up()]);
  }

  down(): Effects {
    return [...this.#of(this.#negotiator.down()), ...this.#closed()];
  }

  expired(): Effects {
    return this.#of(this.#negotiator.expired());
  }

  /** Gives encryption up; frames that still come get a Terminate-Ack. */
  close(reason: 'refused' | 'timeout'): Effects {
    if (this.#clear) return [];
    this.#clear = true;
    const closing = this.#of(this.#negotiator.close('closed', new Uint8Array()));
    return [...closing, ...this.#closed(), { do: 'ccp-clear', reason }];
  }

  /** The peer does not know CCP. */
  protocolRejected(): Effects {
    return this.#of(this.#negotiator.protocolRejected());
  }

  /** The engine lost its place in the peer's stream (stateful mode): asks for a fresh start. */
  cipherLost(): Effects {
    if (!this.#open) return [];
    this.#identifier = (this.#identifier + 1) & 0xff;
    return [note('reset-requested'), this.#send(codes.resetRequest, this.#identifier)];
  }

  received(bytes: Uint8Array): Effects {
    const packet = decodePacket(bytes);
    if (packet instanceof Malformed) return [note('malformed')];
    switch (packet.code) {
      case codes.resetRequest:
        return this.#reset(packet);
      case codes.resetAck:
        return this.#of(this.#negotiator.extended(() => []));
      case codes.terminateRequest:
        return this.#refusedBy(packet, true);
      case codes.terminateAck:
        this.#terminateAcks += 1;
        return this.#refusedBy(packet, this.#terminateAcks >= maxTerminateAcks && !this.#open);
      default:
        return this.#settle(this.#of(this.#negotiator.received(packet)));
    }
  }

  #refusedBy(packet: Packet, final: boolean): Effects {
    const effects = this.#of(this.#negotiator.received(packet));
    return final ? [...effects, ...this.close('refused')] : effects;
  }

  /** After each packet: nothing left to offer means no encryption. */
  #settle(effects: Effects): Effects {
    return this.#terms.choice === undefined ? [...effects, ...this.close('refused')] : effects;
  }

  #reset({ identifier }: Packet): Effects {
    if (!this.#open) return this.#of(this.#negotiator.extended(() => []));
    return [note('reset-performed'), { do: 'reset-transmit' }, this.#send(codes.resetAck, identifier)];
  }

  #of(effects: readonly NegotiatorEffect<'ccp'>[]): Effects {
    return effects.flatMap((effect) => this.#ofOne(effect));
  }

  #ofOne(effect: NegotiatorEffect<'ccp'>): Effects {
    switch (effect.do) {
      case 'send':
      case 'arm':
      case 'disarm':
      case 'note':
        return [effect];
      case 'acknowledging':
        return this.#acknowledging(effect.repeated);
      case 'layer-up':
        return this.#opened();
      case 'layer-down':
        return this.#closed();
      case 'layer-finished':
        return this.#finished(effect.cause);
    }
  }

  /** A repeated request comes from a peer that has not opened yet: what it will send starts where our keys already stand. */
  #acknowledging(repeated: boolean): Effects {
    const { peers } = this.#terms;
    if (peers === undefined || (repeated && this.#receiving)) return [];
    this.#receiving = true;
    return [{ do: 'receive-keys', mppe: peers }];
  }

  #opened(): Effects {
    const { ours, peers } = this.#terms;
    if (ours === undefined || peers === undefined) return this.close('refused');
    if (!sameMppe(ours, peers)) return this.#restart(weakerMppe(ours, peers));
    this.#open = true;
    return [
      { do: 'transmit-keys', mppe: ours },
      { do: 'ccp-up', mppe: ours },
    ];
  }

  /** The directions came out different, because each side took the other's proposal or list: once more, with the weaker. */
  #restart(choice: Mppe): Effects {
    this.#restarts += 1;
    if (this.#restarts > maxRestarts) return this.close('refused');
    this.#terms.choice = choice;
    return this.#of([...this.#negotiator.down(), ...this.#negotiator.up()]);
  }

  /** Keys go, those too that were announced to a peer before this side had opened. */
  #closed(): Effects {
    const effects: CcpEffect[] = [];
    if (this.#open) effects.push({ do: 'transmit-keys', mppe: 'off' });
    if (this.#receiving) effects.push({ do: 'receive-keys', mppe: 'off' });
    if (this.#open) effects.push({ do: 'ccp-down' });
    this.#open = false;
    this.#receiving = false;
    return effects;
  }

  #finished(cause: FinishCause): Effects {
    const effects = this.#closed();
    if (this.#clear) return effects;
    this.#clear = true;
    return [...effects, { do: 'ccp-clear', reason: cause === 'timeout' ? 'timeout' : 'refused' }];
  }

  #send(code: number, identifier: number): Send {
    const bytes = encodePacket({ code, identifier, data: new Uint8Array() });
    return { do: 'send', protocol: ccpProtocol, bytes };
  }
}
