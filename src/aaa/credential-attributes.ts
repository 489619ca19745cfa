/**
 * What a peer has shown to prove itself, as a RADIUS server is told it: User-Password (RFC 2865 section 5.2), CHAP-Password
 * (5.3), MS-CHAP-Response and MS-CHAP2-Response (RFC 2548 sections 2.1.3 and 2.3.2), EAP-Message (RFC 3579 section 3.1).
 *
 * Credentials and the round that they are sent in go in, attributes come out. Pure.
 */

import { concat } from '../base/bytes.ts';
import type {
  Credentials,
  EapCredentials,
  Mschap1Credentials,
  Mschap2Credentials,
} from '../ppp/auth/credentials.ts';
import { type Attribute, attribute } from '../radius/attribute.ts';
import type { Round } from '../radius/query.ts';
import { hidePassword } from '../radius/sign.ts';

/** `state` is that of the Access-Challenge which is answered. */
export function credentialAttributes(
  credentials: Credentials,
  { secret, authenticator }: Pick<Round, 'secret' | 'authenticator'>,
  state?: Uint8Array,
): readonly Attribute[] {
  switch (credentials.method) {
    case 'pap':
      return [attribute('User-Password', hidePassword(credentials.password, secret, authenticator))];
    case 'chap': {
      const { id, challenge, response } = credentials;
      return [
        attribute('CHAP-Password', concat(Uint8Array.of(id), response)),
        attribute('CHAP-Challenge', challenge),
      ];
    }
    case 'mschap1':
      return mschap1Attributes(credentials);
    case 'mschap2':
      return mschap2Attributes(credentials);
    case 'eap':
      return eapAttributes(credentials, state);
  }
}

/** Ident, Flags (1: the NT response counts), LM-Response, NT-Response. */
function mschap1Attributes({ id, challenge, response }: Mschap1Credentials): readonly Attribute[] {
  const [responses, useNtResponse] = [response.subarray(0, 48), response.subarray(48)];
  return [
    attribute('MS-CHAP-Challenge', challenge),
    attribute('MS-CHAP-Response', concat(Uint8Array.of(id), useNtResponse, responses)),
  ];
}

/** Ident, Flags, Peer-Challenge, eight reserved octets, Response. */
function mschap2Attributes(credentials: Mschap2Credentials): readonly Attribute[] {
  const { id, flags, challenge, peerChallenge, ntResponse } = credentials;
  const head = Uint8Array.of(id, flags);
  return [
    attribute('MS-CHAP-Challenge', challenge),
    attribute('MS-CHAP2-Response', concat(head, peerChallenge, new Uint8Array(8), ntResponse)),
  ];
}

/** [RFC 3579 2.4] Framed-MTU keeps the server's EAP packets to what the peer takes. */
function eapAttributes({ packet, mtu }: EapCredentials, state: Uint8Array | undefined): readonly Attribute[] {
  return [
    attribute('EAP-Message', packet),
    attribute('Framed-MTU', mtu),
    ...(state === undefined ? [] : [attribute('State', state)]),
  ];
}
