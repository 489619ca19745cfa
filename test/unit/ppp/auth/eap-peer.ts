/**
 * The two ends between which our authenticator stands, with MD5-Challenge (RFC 3748 section 5.4): a peer, and a server that
 * judges without a memory. Both are as the RFC has them: a peer never repeats itself unless it is asked again.
 */

import { createHash } from 'node:crypto';
import { concat, equal, toBytes } from '../../../../src/base/bytes.ts';
import { Malformed } from '../../../../src/base/fault.ts';
import {
  type AuthenticationMachine,
  type Effects,
  retryMs,
  tries,
} from '../../../../src/ppp/auth/authentication.ts';
import type { Answer, Credentials } from '../../../../src/ppp/auth/credentials.ts';
import { eapProtocol } from '../../../../src/ppp/auth/method.ts';
import { decodePacket, encodePacket, type Packet } from '../../../../src/ppp/packet.ts';

const challenge = Uint8Array.from({ length: 16 }, (_, at) => at);

function md5Value(identifier: number, password: string): Uint8Array {
  const hashed = concat(Uint8Array.of(identifier), toBytes(password), challenge);
  return new Uint8Array(createHash('md5').update(hashed).digest());
}

/** Octets of an EAP packet: code, identifier, and what follows the length. */
export function eap(code: number, identifier: number, ...data: readonly (number | Uint8Array)[]): Uint8Array {
  const parts = data.map((part) => (typeof part === 'number' ? Uint8Array.of(part) : part));
  return encodePacket({ code, identifier, data: concat(...parts) });
}

export class EapPeer implements AuthenticationMachine {
  readonly method = 'eap';
  readonly protocol = eapProtocol;
  readonly #name: string;
  readonly #password: string;
  #last: { readonly identifier: number; readonly response: Uint8Array } | undefined;
  #over = false;

  constructor(name: string, password: string) {
    this.#name = name;
    this.#password = password;
  }

  start(): Effects {
    return [patience];
  }

  received(bytes: Uint8Array): Effects {
    const packet = decodePacket(bytes);
    if (packet instanceof Malformed || this.#over) return [];
    if (packet.code === 1) return this.#respond(packet);
    if (packet.identifier !== this.#last?.identifier) return [];
    this.#over = true;
    return [
      { do: 'disarm', timer: 'authenticatee' },
      packet.code === 3
        ? { do: 'done', method: 'eap', peerName: '' }
        : { do: 'failed', cause: 'refused', message: '' },
    ];
  }

  expired(): Effects {
    this.#over = true;
    return [{ do: 'failed', cause: 'silent', message: 'no word for half a minute' }];
  }

  /** [RFC 3748 §4.1] A Request with the identifier of the one before is the same one: it gets the same Response. */
  #respond({ identifier, data: [type] }: Packet): Effects {
    if (identifier !== this.#last?.identifier) {
      const name = toBytes(this.#name);
      const response =
        type === 1
          ? eap(2, identifier, 1, name)
          : eap(2, identifier, 4, 16, md5Value(identifier, this.#password), name);
      this.#last = { identifier, response };
    }
    return [{ do: 'send', protocol: eapProtocol, bytes: this.#last.response }, patience];
  }
}

const patience = { do: 'arm', timer: 'authenticatee', delayMs: retryMs * tries } as const;

/** The server: a challenge for who says who it is, a judgement for who answers it. */
export function judgeEap({ packet }: Extract<Credentials, { method: 'eap' }>, password: string): Answer {
  const [, identifier = 0, , , type] = packet;
  if (type === 1) {
    return { accept: undefined, eap: eap(1, (identifier + 1) & 0xff, 4, 16, challenge, toBytes('node')) };
  }
  const value = packet.slice(6, 22);
  if (type === 4 && equal(value, md5Value(identifier, password))) return { accept: true };
  return { accept: false, errorCode: 691, message: 'bad user name or password' };
}
