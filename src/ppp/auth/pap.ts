/**
 * PAP (RFC 1334 section 2), both sides: the password in clear.
 *
 * Information fields of C023 frames in, effects out. The peer speaks first, so the authenticator only waits.
 */

import { concat, Reader, toBytes } from '../../base/bytes.ts';
import { Malformed } from '../../base/fault.ts';
import type { Random } from '../../base/random.ts';
import { decodePacket, encodePacket } from '../packet.ts';
import {
  type Authenticatee,
  type AuthenticationEffect,
  type Authenticator,
  type Effects,
  judgementOf,
  retryMs,
  tries,
} from './authentication.ts';
import type { Answer, PapCredentials } from './credentials.ts';
import { papProtocol } from './method.ts';
import type { Password } from './password.ts';
import { counted, printable, readCounted } from './texts.ts';

const codes = { authenticateRequest: 1, authenticateAck: 2, authenticateNak: 3 } as const;

const protocol = papProtocol;

type AuthenticatorPhase =
  | { readonly is: 'waiting' }
  | { readonly is: 'judging'; readonly name: string; readonly identifier: number }
  | { readonly is: 'settled'; readonly code: number; readonly message: Uint8Array }
  | { readonly is: 'silent' };

export class PapAuthenticator implements Authenticator {
  readonly method = 'pap';
  readonly protocol = protocol;
  #phase: AuthenticatorPhase = { is: 'waiting' };

  start(): Effects {
    return [{ do: 'arm', timer: 'authenticator', delayMs: retryMs * tries }];
  }

  received(bytes: Uint8Array): Effects {
    const packet = decodePacket(bytes);
    if (packet instanceof Malformed) return [{ do: 'note', what: 'malformed' }];
    if (packet.code !== codes.authenticateRequest) return [];

    const phase = this.#phase;
    switch (phase.is) {
      case 'waiting':
        return this.#prove(packet.identifier, packet.data);
      case 'judging':
        // The Ack must carry the identifier of a request that the peer still remembers: the latest.
        this.#phase = { ...phase, identifier: packet.identifier };
        return [{ do: 'note', what: 'duplicate' }];
      case 'settled':
        // [RFC 1334 2.2.1] Repeated requests are answered as the first was, each with its own identifier.
        return [{ do: 'note', what: 'duplicate' }, reply(phase.code, packet.identifier, phase.message)];
      case 'silent':
        return [{ do: 'note', what: 'unexpected' }];
    }
  }

  verdict(answer: Answer): Effects {
    if (this.#phase.is !== 'judging') return [];
    const { name, identifier } = this.#phase;
    const judgement = judgementOf(answer);
    const code = judgement.accept ? codes.authenticateAck : codes.authenticateNak;
    const message = counted(toBytes(judgement.message ?? ''));
    this.#phase = { is: 'settled', code, message };
    return [
      reply(code, identifier, message),
      judgement.accept
        ? { do: 'done', method: 'pap', peerName: name }
        : { do: 'failed', cause: 'refused', message: judgement.message },
    ];
  }

  expired(): Effects {
    if (this.#phase.is !== 'waiting') return [];
    this.#phase = { is: 'silent' };
    return [{ do: 'failed', cause: 'silent', message: 'peer sent no Authenticate-Request' }];
  }

  #prove(identifier: number, data: Uint8Array): Effects {
    const credentials = readRequest(data);
    if (credentials === undefined) return [{ do: 'note', what: 'malformed' }];
    this.#phase = { is: 'judging', name: credentials.name, identifier };
    return [
      { do: 'disarm', timer: 'authenticator' },
      { do: 'prove', credentials },
    ];
  }
}

function reply(code: number, identifier: number, message: Uint8Array): AuthenticationEffect {
  return { do: 'send', protocol, bytes: encodePacket({ code, identifier, data: message }) };
}

/** Section 2.2.1: Peer-ID and Password, each after its length. */
function readRequest(data: Uint8Array): PapCredentials | undefined {
  const reader = new Reader(data);
  const nameOctets = readCounted(reader);
  const password = nameOctets && readCounted(reader);
  return password && { method: 'pap', name: printable(nameOctets), nameOctets, password };
}

export interface PapClaim {
  readonly name: string;
  readonly password: Password;
  readonly random: Random;
}

export class PapAuthenticatee implements Authenticatee {
  readonly method = 'pap';
  readonly protocol = protocol;
  readonly #identifier: number;
  readonly #request: Uint8Array;
  #sent = 0;
  #open = true;

  constructor({ name, password, random }: PapClaim) {
    // Departs from RFC 1334 2.2.1, by which each request has a new identifier: a server whose RADIUS takes longer than our
    // retry time answers the first one, and that answer must still be ours.
    [this.#identifier = 0] = random(1);
    const data = concat(counted(toBytes(name)), counted(password.octets));
    this.#request = encodePacket({ code: codes.authenticateRequest, identifier: this.#identifier, data });
  }

  start(): Effects {
    return this.#send();
  }

  received(bytes: Uint8Array): Effects {
    const packet = decodePacket(bytes);
    if (packet instanceof Malformed) return [{ do: 'note', what: 'malformed' }];
    const { code, identifier, data } = packet;
    if (code !== codes.authenticateAck && code !== codes.authenticateNak) return [];
    if (!this.#open) return [{ do: 'note', what: 'duplicate' }];
    if (identifier !== this.#identifier) return [{ do: 'note', what: 'unexpected' }];

    this.#open = false;
    // Some servers leave out the message and its length; nothing depends on either.
    const message = printable(readCounted(new Reader(data)) ?? data);
    return [
      { do: 'disarm', timer: 'authenticatee' },
      code === codes.authenticateAck
        ? { do: 'done', method: 'pap', peerName: '' }
        : { do: 'failed', cause: 'refused', message },
    ];
  }

  expired(): Effects {
    if (!this.#open) return [];
    if (this.#sent < tries) return this.#send();
    this.#open = false;
    return [{ do: 'failed', cause: 'silent', message: 'server did not answer our Authenticate-Request' }];
  }

  #send(): Effects {
    this.#sent += 1;
    return [
      { do: 'send', protocol, bytes: this.#request },
      { do: 'arm', timer: 'authenticatee', delayMs: retryMs },
    ];
  }
}
