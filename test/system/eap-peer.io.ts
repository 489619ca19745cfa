/**
 * A peer that speaks EAP (RFC 3748) with one method: MD5-Challenge and MS-CHAP-V2 are here, those inside TLS in eap-tls.io.ts.
 * Packets of the authenticator go in, the peer's Responses come out, when its method has had its say.
 *
 *     const peer = new EapPeer('jack', new EapMd5('secret'));
 *     await peer.received(request);      // the Response; undefined: there is none
 *     peer.outcome;                      // what it was told in the end
 *     peer.keys;                         // what its method has led to
 */

import { createHash } from 'node:crypto';
import { concat, Reader, toBytes, Writer } from '../../src/base/bytes.ts';
import { Malformed } from '../../src/base/fault.ts';
import type { AuthenticateeAlgorithm, Reaction } from '../../src/ppp/auth/chap.ts';
import type { MppeKeys } from '../../src/ppp/auth/mppe-keys.ts';
import { mschap2Authenticatee } from '../../src/ppp/auth/mschap.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import { decodePacket, encodePacket } from '../../src/ppp/packet.ts';

/** RFC 3748 section 4. */
export const codes = { request: 1, response: 2, success: 3, failure: 4 } as const;

/** RFC 3748 section 5, and the registry. */
export const types = {
  identity: 1,
  nak: 3,
  md5: 4,
  tls: 13,
  peap: 25,
  mschap2: 26,
  extensions: 33,
} as const;

/** What is said between Type and the end of a packet. */
export interface EapMethod {
  readonly type: number;
  /** The Response's data to a Request's; `identifier` is that of both. */
  respond(data: Uint8Array, identifier: number): Promise<Uint8Array>;
  /** As the peer has them: what it sends with, the authenticator receives with. */
  readonly keys: MppeKeys | undefined;
}

export class EapPeer {
  readonly #name: string;
  readonly #method: EapMethod;
  #last: { readonly identifier: number; readonly response: Uint8Array } | undefined;
  #outcome: 'success' | 'failure' | undefined;
  /** Requests that it was sent, copies left out: octets of each. */
  readonly requestBytes: number[] = [];
  readonly responseBytes: number[] = [];

  constructor(name: string, method: EapMethod) {
    this.#name = name;
    this.#method = method;
  }

  get outcome(): 'success' | 'failure' | undefined {
    return this.#outcome;
  }

  get keys(): MppeKeys | undefined {
    return this.#method.keys;
  }

  async received(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const packet = decodePacket(bytes);
    if (packet instanceof Malformed) throw new Error(`the authenticator sends ${packet.code}`);
    const { code, identifier, data } = packet;
    if (code === codes.success || code === codes.failure) {
      // [RFC 3748 §4.2] Their identifier is that of the Response which they answer.
      if (identifier !== this.#last?.identifier) throw new Error('Success or Failure out of turn');
      this.#outcome = code === codes.success ? 'success' : 'failure';
      return undefined;
    }
    if (identifier === this.#last?.identifier) return this.#last.response;
    this.requestBytes.push(bytes.length);
    const response = encodePacket({
      code: codes.response,
      identifier,
      data: await this.#respond(data, identifier),
    });
    this.responseBytes.push(response.length);
    this.#last = { identifier, response };
    return response;
  }

  async #respond(data: Uint8Array, identifier: number): Promise<Uint8Array> {
    const [type] = data;
    if (type === types.identity) return Uint8Array.of(type, ...toBytes(this.#name));
    const method = this.#method;
    if (type !== method.type) return Uint8Array.of(types.nak, method.type);
    return concat(Uint8Array.of(type), await method.respond(data.slice(1), identifier));
  }
}

/** RFC 3748 section 5.4. */
export class EapMd5 implements EapMethod {
  readonly type = types.md5;
  readonly keys = undefined;
  readonly #password: string;

  constructor(password: string) {
    this.#password = password;
  }

  async respond(data: Uint8Array, identifier: number): Promise<Uint8Array> {
    const [size = 0] = data;
    const hash = createHash('md5').update(Uint8Array.of(identifier)).update(this.#password);
    return Uint8Array.of(16, ...hash.update(data.subarray(1, 1 + size)).digest());
  }
}

/** MS-CHAP-V2 inside EAP as Microsoft has it: OpCode, MS-CHAPv2-ID, MS-Length, then what stands in a CHAP packet. */
export class EapMschap2 implements EapMethod {
  readonly type = types.mschap2;
  readonly #name: string;
  readonly #algorithm: AuthenticateeAlgorithm;
  #reaction: Reaction | undefined;
  #keys: MppeKeys | undefined;

  constructor(name: string, password: string, random: (size: number) => Uint8Array) {
    this.#name = name;
    this.#algorithm = mschap2Authenticatee({ name, password: new Password(password), random });
  }

  get keys(): MppeKeys | undefined {
    return this.#keys;
  }

  async respond(data: Uint8Array): Promise<Uint8Array> {
    const reader = new Reader(data);
    const [opCode, id] = [reader.u8(), reader.u8()];
    reader.skip(2);
    if (opCode === opCodes.challenge) return this.#answer(id, reader.bytes(reader.u8()));
    if (opCode === opCodes.success) this.#keys = keysOf(this.#reaction?.success(reader.rest()));
    return Uint8Array.of(opCode);
  }

  #answer(id: number, challenge: Uint8Array): Uint8Array {
    this.#reaction = this.#algorithm.react(id, challenge);
    if (this.#reaction === undefined) throw new Error(`a challenge of ${challenge.length} octets`);
    const { value } = this.#reaction;
    const name = toBytes(this.#name);
    const length = 5 + value.length + name.length;
    const packet = new Writer(new Uint8Array(length)).u8(opCodes.response).u8(id).u16(length);
    return packet.u8(value.length).bytes(value).bytes(name).done();
  }
}

const opCodes = { challenge: 1, response: 2, success: 3, failure: 4 } as const;

function keysOf(proved: MppeKeys | 'impostor' | undefined): MppeKeys {
  if (proved === undefined || proved === 'impostor') throw new Error('the server does not know the password');
  return proved;
}
