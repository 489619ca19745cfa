/**
 * CHAP (RFC 1994), both sides: the conversation, which MD5, MS-CHAP and MS-CHAP-V2 have in common.
 *
 * Information fields of C223 frames in, effects out. What stands inside a value and a message is the algorithm's: see
 * chap-md5.ts and mschap.ts, which fill in `AuthenticatorAlgorithm` and `AuthenticateeAlgorithm`.
 */

import { concat, equal, Reader, toBytes } from '../../base/bytes.ts';
import { Malformed } from '../../base/fault.ts';
import type { Random } from '../../base/random.ts';
import { decodePacket, encodePacket, type Packet } from '../packet.ts';
import {
  type Authenticatee,
  type AuthenticationEffect,
  type AuthenticationFailure,
  type Authenticator,
  type Effects,
  judgementOf,
  retryMs,
  tries,
} from './authentication.ts';
import type { Acceptance, Answer, PasswordCredentials, Rejection } from './credentials.ts';
import { type ChapMethod, chapProtocol } from './method.ts';
import type { MppeKeys } from './mppe-keys.ts';
import { counted, printable, readCounted } from './texts.ts';

const codes = { challenge: 1, response: 2, success: 3, failure: 4 } as const;

const protocol = chapProtocol;

/** Section 4.1: what a Challenge and a Response carry. */
export interface Proof {
  readonly value: Uint8Array;
  readonly name: Uint8Array;
}

function readProof(data: Uint8Array): Proof | undefined {
  const reader = new Reader(data);
  const value = readCounted(reader);
  return value && { value, name: reader.rest() };
}

function send(code: number, identifier: number, ...data: readonly Uint8Array[]): AuthenticationEffect {
  return { do: 'send', protocol, bytes: encodePacket({ code, identifier, data: concat(...data) }) };
}

/** What the asking side of an algorithm knows. */
export interface AuthenticatorAlgorithm {
  readonly method: ChapMethod;
  /** Octets of a challenge. */
  readonly challengeSize: number;
  /** Codes of the algorithm's own by which a peer asks to change its password. */
  readonly changePasswordCodes: readonly number[];
  /** The credentials in a Response, or undefined if its value has not the algorithm's shape. */
  credentials(id: number, challenge: Uint8Array, response: Proof): PasswordCredentials | undefined;
  /** The message of Success; undefined if `answer` lacks what the peer insists on. */
  success(credentials: PasswordCredentials, answer: Acceptance): string | undefined;
  /** The message of Failure. */
  failure(rejection: Rejection): string;
}

type AuthenticatorPhase =
  | { readonly is: 'asking' }
  | { readonly is: 'judging'; readonly credentials: PasswordCredentials }
  | { readonly is: 'settled'; readonly code: number; readonly message: Uint8Array }
  | { readonly is: 'silent' };

export class ChapAuthenticator implements Authenticator {
  readonly method: ChapMethod;
  readonly protocol = protocol;
  readonly #algorithm: AuthenticatorAlgorithm;
  readonly #name: Uint8Array;
  readonly #identifier: number;
  readonly #challenge: Uint8Array;
  #sent = 0;
  #phase: AuthenticatorPhase = { is: 'asking' };

  constructor(algorithm: AuthenticatorAlgorithm, name: string, random: Random) {
    this.method = algorithm.method;
    this.#algorithm = algorithm;
    this.#name = toBytes(name);
    [this.#identifier = 0] = random(1);
    this.#challenge = random(algorithm.challengeSize);
  }

  start(): Effects {
    return this.#ask();
  }

  received(bytes: Uint8Array): Effects {
    const packet = decodePacket(bytes);
    if (packet instanceof Malformed) return [{ do: 'note', what: 'malformed' }];
    if (packet.code === codes.response) return this.#response(packet);
    return this.#algorithm.changePasswordCodes.includes(packet.code) ? this.#changePassword(packet) : [];
  }

  verdict(answer: Answer): Effects {
    if (this.#phase.is !== 'judging') return [];
    const { credentials } = this.#phase;
    const { method } = this.#algorithm;
    const judgement = judgementOf(answer);
    if (!judgement.accept) return this.#refuse(judgement, 'refused');

    const message = this.#algorithm.success(credentials, judgement);
    // A RADIUS server that accepts without MS-CHAP2-Success is a known fault: the peer would hang up and nobody would say why.
    if (message === undefined) return this.#refuse(incompleteVerdict, 'refused');
    const { mppeKeys } = judgement;
    return [
      this.#settle(codes.success, message),
      { do: 'done', method, peerName: credentials.name, ...(mppeKeys && { keys: mppeKeys }) },
    ];
  }

  expired(): Effects {
    if (this.#phase.is !== 'asking') return [];
    if (this.#sent < tries) return this.#ask();
    this.#phase = { is: 'silent' };
    return [{ do: 'failed', cause: 'silent', message: 'peer did not answer our Challenge' }];
  }

  /**
   * Departs from RFC 1994 4.1, by which each Challenge has a new identifier: a peer on a slow path answers the first one
   * after the second was sent, and would never be right.
   */
  #ask(): Effects {
    this.#sent += 1;
    return [
      send(codes.challenge, this.#identifier, counted(this.#challenge), this.#name),
      { do: 'arm', timer: 'authenticator', delayMs: retryMs },
    ];
  }

  #response({ identifier, data }: Packet): Effects {
    const phase = this.#phase;
    if (identifier !== this.#identifier || phase.is === 'silent') return [{ do: 'note', what: 'unexpected' }];
    if (phase.is === 'judging') return [{ do: 'note', what: 'duplicate' }];
    if (phase.is === 'settled') {
      // [RFC 1994 4.2] A Response received after the reply was sent is answered by the same reply code, whatever it says.
      return [{ do: 'note', what: 'duplicate' }, send(phase.code, identifier, phase.message)];
    }
    const proof = readProof(data);
    const credentials = proof && this.#algorithm.credentials(identifier, this.#challenge, proof);
    if (credentials === undefined) return [{ do: 'note', what: 'malformed' }];
    this.#phase = { is: 'judging', credentials };
    return [
      { do: 'disarm', timer: 'authenticator' },
      { do: 'prove', credentials },
    ];
  }

  /** Instead of a Response, or after a Failure that told the peer that its password has expired. Either way in vain. */
  #changePassword({ identifier }: Packet): Effects {
    const { is } = this.#phase;
    if (is === 'judging' || is === 'silent') return [{ do: 'note', what: 'unexpected' }];
    if (is === 'settled') {
      const message = toBytes(this.#algorithm.failure(passwordChangeRefused));
      return [{ do: 'note', what: 'unexpected' }, send(codes.failure, identifier, message)];
    }
    return [
      { do: 'disarm', timer: 'authenticator' },
      ...this.#refuse(passwordChangeRefused, 'password-change', identifier),
    ];
  }

  #refuse(rejection: Rejection, cause: AuthenticationFailure, identifier = this.#identifier): Effects {
    return [
      this.#settle(codes.failure, this.#algorithm.failure(rejection), identifier),
      { do: 'failed', cause, message: rejection.message },
    ];
  }

  #settle(code: number, text: string, identifier = this.#identifier): AuthenticationEffect {
    const message = toBytes(text);
    this.#phase = { is: 'settled', code, message };
    return send(code, identifier, message);
  }
}

const incompleteVerdict: Rejection = {
  accept: false,
  errorCode: 691,
  message: 'accepted without MS-CHAP2-Success',
};

const passwordChangeRefused: Rejection = {
  accept: false,
  errorCode: 709,
  message: 'passwords cannot be changed here',
};

/** What an algorithm makes of one Challenge. */
export interface Reaction {
  readonly value: Uint8Array;
  /** The keys that the message of Success leads to; `impostor` if it proves nothing; undefined if the algorithm has none. */
  success(message: Uint8Array): MppeKeys | 'impostor' | undefined;
}

/** What the proving side of an algorithm knows. */
export interface AuthenticateeAlgorithm {
  readonly method: ChapMethod;
  /** The reaction to a Challenge; undefined if its value has not the algorithm's shape. */
  react(id: number, challenge: Uint8Array): Reaction | undefined;
  /** What a Failure means. */
  failure(message: Uint8Array): { readonly cause: AuthenticationFailure; readonly message: string };
}

interface Exchange {
  readonly identifier: number;
  readonly challenge: Uint8Array;
  readonly peerName: string;
  readonly reaction: Reaction;
}

export class ChapAuthenticatee implements Authenticatee {
  readonly method: ChapMethod;
  readonly protocol = protocol;
  readonly #algorithm: AuthenticateeAlgorithm;
  readonly #name: Uint8Array;
  #sent = 0;
  /** The latest Challenge and our answer. */
  #exchange: Exchange | undefined;
  /** True from a Challenge until the reply to our Response. */
  #awaiting = false;
  #outcome: 'done' | 'failed' | undefined;

  constructor(algorithm: AuthenticateeAlgorithm, name: string) {
    this.method = algorithm.method;
    this.#algorithm = algorithm;
    this.#name = toBytes(name);
  }

  start(): Effects {
    return [{ do: 'arm', timer: 'authenticatee', delayMs: retryMs * tries }];
  }

  received(bytes: Uint8Array): Effects {
    const packet = decodePacket(bytes);
    if (packet instanceof Malformed) return [{ do: 'note', what: 'malformed' }];
    if (packet.code === codes.challenge) return this.#challenge(packet);
    if (packet.code === codes.success || packet.code === codes.failure) return this.#reply(packet);
    return [];
  }

  expired(): Effects {
    if (this.#outcome !== undefined) return [];
    if (this.#exchange === undefined) return this.#fail('silent', 'server sent no Challenge');
    if (this.#sent < tries) return this.#respond(this.#exchange);
    return this.#fail('silent', 'server did not answer our Response');
  }

  #challenge({ identifier, data }: Packet): Effects {
    if (this.#outcome === 'failed') return [{ do: 'note', what: 'unexpected' }];
    const proof = readProof(data);
    if (proof === undefined) return [{ do: 'note', what: 'malformed' }];

    const last = this.#exchange;
    if (last !== undefined && last.identifier === identifier && equal(last.challenge, proof.value)) {
      return [{ do: 'note', what: 'duplicate' }, ...this.#respond(last)];
    }
    const reaction = this.#algorithm.react(identifier, proof.value);
    if (reaction === undefined) return [{ do: 'note', what: 'malformed' }];
    this.#exchange = { identifier, challenge: proof.value, peerName: printable(proof.name), reaction };
    this.#awaiting = true;
    this.#sent = 0;
    return this.#respond(this.#exchange);
  }

  /**
   * The Response goes out again until it is answered: when Success was lost, the server waits for nothing any more. Once we
   * are in, it is the server who asks again if it misses anything.
   */
  #respond({ identifier, reaction }: Exchange): Effects {
    this.#sent += 1;
    const response = send(codes.response, identifier, counted(reaction.value), this.#name);
    if (this.#outcome !== undefined) return [response];
    return [response, { do: 'arm', timer: 'authenticatee', delayMs: retryMs }];
  }

  #reply({ code, identifier, data }: Packet): Effects {
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.identifier !== identifier)
      return [{ do: 'note', what: 'unexpected' }];
    if (!this.#awaiting) return [{ do: 'note', what: 'duplicate' }];
    this.#awaiting = false;
    if (code === codes.failure) {
      const { cause, message } = this.#algorithm.failure(data);
      return [{ do: 'disarm', timer: 'authenticatee' }, ...this.#fail(cause, message)];
    }

    const keys = exchange.reaction.success(data);
    if (keys === 'impostor') {
      const failed = this.#fail('impostor', 'server did not prove that it knows the password');
      return [{ do: 'disarm', timer: 'authenticatee' }, ...failed];
    }
    return [{ do: 'disarm', timer: 'authenticatee' }, ...this.#succeed(exchange.peerName, keys)];
  }

  /** Only the first success is told: a later one answers a server that asks again now and then, and changes nothing. */
  #succeed(peerName: string, keys: MppeKeys | undefined): Effects {
    if (this.#outcome === 'done') return [];
    this.#outcome = 'done';
    return [{ do: 'done', method: this.method, peerName, ...(keys && { keys }) }];
  }

  #fail(cause: AuthenticationFailure, message: string): Effects {
    this.#outcome = 'failed';
    return [{ do: 'failed', cause, message }];
  }
}
