/**
 * EAP (RFC 3748) as a pass-through authenticator (section 2.3): the conversation is the authentication server's, who alone knows
 * its types. Ours are Identity, which begins it, that Requests get there, and the bounds.
 *
 * Information fields of C227 frames in, effects out. A Response goes out as `prove`, a Continuation comes back with the next
 * Request, a judgement with Success or Failure. Relaying them over RADIUS (RFC 3579) is AAA's. The peer's side is not spoken.
 */

import { Malformed } from '../../base/fault.ts';
import type { Random } from '../../base/random.ts';
import { decodePacket, encodePacket, type Packet } from '../packet.ts';
import {
  type AuthenticationEffect,
  type Authenticator,
  type Effects,
  retryMs,
  tries,
} from './authentication.ts';
import type { Answer, Rejection } from './credentials.ts';
import { eapProtocol } from './method.ts';
import { printable } from './texts.ts';

/** Section 4. */
const codes = { request: 1, response: 2, success: 3, failure: 4 } as const;

/** Section 5: the types that this side has to know, and the first of those that prove something. */
const types = { identity: 1, nak: 3, firstProof: 4 } as const;

/** Requests of one conversation: FreeRADIUS stops there too, and EAP-TLS with long chains of certificates takes fifteen. */
const maxRounds = 50;

/**
 * Departs from RFC 3579 2.4, by which Framed-MTU bounds the whole packet: FreeRADIUS 3.2.1 fills that many octets with TLS and
 * puts code, identifier, length, type, flags and TLS length before them. Requests of its have to fit into the MRU all the same.
 */
const tlsHeaderBytes = 10;

const protocol = eapProtocol;

/** A Request that waits for its Response. */
interface Request {
  readonly packet: Uint8Array;
  readonly identifier: number;
  readonly type: number;
}

/** `answered` is the identifier of the latest Response that was handed out. `quiet`: nothing is asked yet, or any more. */
type Phase =
  | { readonly is: 'asking'; readonly request: Request; readonly answered: number | undefined }
  | { readonly is: 'judging'; readonly answered: number }
  | { readonly is: 'settled'; readonly packet: Uint8Array; readonly answered: number }
  | { readonly is: 'quiet'; readonly answered: undefined };

export class EapAuthenticator implements Authenticator {
  readonly method = 'eap';
  readonly protocol = protocol;
  readonly #mru: number;
  readonly #random: Random;
  /** From the latest Response to Identity. */
  #nameOctets: Uint8Array = new Uint8Array();
  #rounds = 0;
  #sent = 0;
  #phase: Phase = { is: 'quiet', answered: undefined };

  /** `mru` is the peer's: no Request is larger. */
  constructor(mru: number, random: Random) {
    this.#mru = mru;
    this.#random = random;
  }

  start(): Effects {
    const [identifier = 0] = this.#random(1);
    const data = Uint8Array.of(types.identity);
    return this.#ask(requestOf({ code: codes.request, identifier, data }, types.identity), undefined);
  }

  received(bytes: Uint8Array): Effects {
    const packet = decodePacket(bytes);
    if (packet instanceof Malformed) return [{ do: 'note', what: 'malformed' }];
    if (packet.code !== codes.response) return [];
    const [type] = packet.data;
    if (type === undefined) return [{ do: 'note', what: 'malformed' }];

    const phase = this.#phase;
    if (phase.is === 'asking' && fits(phase.request, packet.identifier, type)) return this.#prove(packet);
    if (packet.identifier !== phase.answered) return [{ do: 'note', what: 'unexpected' }];
    // While the next Request is out its own timer repeats it: to answer every copy would double each round after it.
    const again = phase.is === 'settled' ? [send(phase.packet)] : [];
    return [{ do: 'note', what: 'duplicate' }, ...again];
  }

  verdict(answer: Answer): Effects {
    if (this.#phase.is !== 'judging') return [];
    const { answered } = this.#phase;
    if (answer.accept === undefined) return this.#continue(answer.eap, answered);
    if (!answer.accept) return this.#refuse(answer, answered);
    const { eap, mppeKeys } = answer;
    const peerName = printable(this.#nameOctets);
    return [
      this.#settle(codes.success, answered, eap),
      { do: 'done', method: 'eap', peerName, ...(mppeKeys && { keys: mppeKeys }) },
    ];
  }

  /** [RFC 3748 §4.3] The Request goes out again, octet by octet the same, until it is answered. */
  expired(): Effects {
    if (this.#phase.is !== 'asking') return [];
    if (this.#sent < tries) return this.#transmit(this.#phase.request);
    this.#phase = { is: 'quiet', answered: undefined };
    return [{ do: 'failed', cause: 'silent', message: 'peer did not answer our EAP Request' }];
  }

  #ask(request: Request, answered: number | undefined): Effects {
    this.#phase = { is: 'asking', request, answered };
    this.#sent = 0;
    return this.#transmit(request);
  }

  #transmit({ packet }: Request): Effects {
    this.#sent += 1;
    return [send(packet), { do: 'arm', timer: 'authenticator', delayMs: retryMs }];
  }

  #prove(packet: Packet): Effects {
    const { identifier, data } = packet;
    if (data[0] === types.identity) this.#nameOctets = data.slice(1);
    this.#phase = { is: 'judging', answered: identifier };
    const nameOctets = this.#nameOctets;
    return [
      { do: 'disarm', timer: 'authenticator' },
      {
        do: 'prove',
        credentials: {
          method: 'eap',
          name: printable(nameOctets),
          nameOctets,
          packet: encodePacket(packet),
          mtu: this.#mru - tlsHeaderBytes,
        },
      },
    ];
  }

  #continue(eap: Uint8Array, answered: number): Effects {
    this.#rounds += 1;
    if (this.#rounds > maxRounds) return this.#refuse(objections.endless, answered);
    const packet = decodePacket(eap);
    if (packet instanceof Malformed || packet.code !== codes.request) {
      return this.#refuse(objections.noRequest, answered);
    }
    const [type] = packet.data;
    if (type === undefined) return this.#refuse(objections.noRequest, answered);
    if (eap.length > this.#mru) return this.#refuse(objections.tooLarge, answered);
    return this.#ask(requestOf(packet, type), answered);
  }

  #refuse({ eap, message }: Rejection, answered: number): Effects {
    return [this.#settle(codes.failure, answered, eap), { do: 'failed', cause: 'refused', message }];
  }

  /**
   * The server's packet if it says the same as its judgement, else one of our own: what is granted is decided by the judgement
   * alone [RFC 3579 §2.6.3], and the peer must not be told another. Sent once, and again only to who repeats itself [RFC 3748 §4.2].
   */
  #settle(code: number, answered: number, eap: Uint8Array | undefined): AuthenticationEffect {
    const given = eap && decodePacket(eap);
    const says = given !== undefined && !(given instanceof Malformed) && given.code === code;
    const packet = encodePacket({
      code,
      identifier: says ? given.identifier : answered,
      data: new Uint8Array(),
    });
    this.#phase = { is: 'settled', packet, answered };
    return send(packet);
  }
}

function requestOf(packet: Packet, type: number): Request {
  return { packet: encodePacket(packet), identifier: packet.identifier, type };
}

/** [RFC 3748 §4.1] A Response has the Request's identifier and its type; a Nak, if the type is one that proves something. */
function fits({ identifier, type }: Request, answers: number, answerType: number): boolean {
  if (answers !== identifier) return false;
  return answerType === type || (answerType === types.nak && type >= types.firstProof);
}

function send(bytes: Uint8Array): AuthenticationEffect {
  return { do: 'send', protocol, bytes };
}

function objection(message: string): Rejection {
  return { accept: false, errorCode: 691, message };
}

const objections = {
  noRequest: objection('the authentication server sent no EAP Request'),
  tooLarge: objection("the authentication server's EAP Request is larger than the peer's MRU"),
  endless: objection('the EAP conversation has no end'),
} as const;
