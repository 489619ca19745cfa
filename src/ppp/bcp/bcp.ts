/**
 * BCP (RFC 3518): whether Ethernet frames may pass, and which. Information fields of BCP frames go in; packets come out, and what
 * the peer takes when the layer is up. It begins when encryption has settled (the bundle tells); a request that comes before is
 * held, as IPCP's is. What becomes of the frames is the engine's business.
 */

import { toBytes } from '../../base/bytes.ts';
import { Malformed } from '../../base/fault.ts';
import { type Arm, type Disarm, type Noted, note, type Send } from '../effect.ts';
import { type FinishCause, Negotiator, type NegotiatorEffect, steadyRestartMs } from '../negotiator.ts';
import { codes, decodePacket } from '../packet.ts';
import { bcpProtocol } from '../protocol.ts';
import { type BcpTerms, type BridgeTakes, bcpOptions, newBcpTerms } from './options.ts';

export type BcpEffect =
  | Send
  | Arm<'bcp'>
  | Disarm<'bcp'>
  | Noted
  | { readonly do: 'bcp-up'; readonly peerTakes: BridgeTakes }
  /** Left Opened, to negotiate again or to end. */
  | { readonly do: 'bcp-down' }
  | { readonly do: 'bcp-finished'; readonly cause: FinishCause };

type Effects = readonly BcpEffect[];

export class Bcp {
  readonly #terms: BcpTerms = newBcpTerms();
  readonly #negotiator: Negotiator<BcpTerms, 'bcp'>;
  #begun = false;
  #held: Uint8Array | undefined;

  constructor() {
    this.#negotiator = new Negotiator(
      { name: 'bcp', protocol: bcpProtocol, rows: bcpOptions, restartMs: steadyRestartMs },
      this.#terms,
    );
  }

  /** BCP is open, and the peer takes this: a process before this one has negotiated it. Instead of the first `settled`. */
  resume(peerTakes: BridgeTakes): void {
    Object.assign(this.#terms.peerTakes, peerTakes);
    this.#begun = true;
    this.#negotiator.resume('Opened');
  }

  /** CCP is open, or given up: BCP begins, or its request goes out once more; then what was held is answered. */
  settled(): Effects {
    const effects = this.#begun
      ? this.#negotiator.again()
      : [...this.#negotiator.open(), ...this.#negotiator.up()];
    this.#begun = true;
    const held = this.#held;
    this.#held = undefined;
    return [...this.#of(effects), ...(held === undefined ? [] : this.received(held))];
  }

  down(): Effects {
    return this.#begun ? this.#of(this.#negotiator.down()) : [];
  }

  expired(): Effects {
    return this.#of(this.#negotiator.expired());
  }

  /** This side cannot bridge after all; `text` is for the peer's log. */
  close(text: string): Effects {
    return this.#of(this.#negotiator.close('closed', toBytes(text)));
  }

  protocolRejected(): Effects {
    return this.#begun ? this.#of(this.#negotiator.protocolRejected()) : [];
  }

  received(bytes: Uint8Array): Effects {
    if (!this.#begun) return this.#early(bytes);
    const packet = decodePacket(bytes);
    return packet instanceof Malformed ? [note('malformed')] : this.#of(this.#negotiator.received(packet));
  }

  /** One request is enough: a newer one replaces the older, which its sender has forgotten. */
  #early(bytes: Uint8Array): Effects {
    if (bytes[0] !== codes.configureRequest) return [note('refused')];
    this.#held = bytes;
    return [note('held')];
  }

  #of(effects: readonly NegotiatorEffect<'bcp'>[]): Effects {
    return effects.flatMap((effect) => this.#ofOne(effect));
  }

  #ofOne(effect: NegotiatorEffect<'bcp'>): Effects {
    switch (effect.do) {
      case 'send':
      case 'arm':
      case 'disarm':
      case 'note':
        return [effect];
      case 'acknowledging':
        return [];
      case 'layer-up':
        return [{ do: 'bcp-up', peerTakes: { ...this.#terms.peerTakes } }];
      case 'layer-down':
        return [{ do: 'bcp-down' }];
      case 'layer-finished':
        return [{ do: 'bcp-finished', cause: effect.cause }];
    }
  }
}
