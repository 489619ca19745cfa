/**
 * What all requests about one session say of it, the Access-Request and each Accounting-Request alike: servers match their
 * records by these, so that one changed value makes another session of it (RFC 2866, RFC 2868, and what RouterOS sends).
 *
 * An identity and the user's name in, attributes out. Pure.
 */

import { formatIpv4 } from '../base/ip.ts';
import { type Attribute, attribute } from '../radius/attribute.ts';
import type { NasIdentity, SessionIdentity } from './identity.ts';

/** RFC 2865 sections 5.6, 5.7 and 5.41, RFC 2868 sections 3.1 and 3.2. */
const framed = 2;
const ppp = 1;
const virtual = 5;
const pptp = 1;
const ipv4Medium = 1;

/** A tag of zero groups nothing: there is one tunnel. */
const untagged = 0;

/** `user` as the peer sent it, or as the server has renamed it since. */
export function identityAttributes(
  identity: SessionIdentity,
  user: string | Uint8Array,
): readonly Attribute[] {
  const { nas, sessionId, nasPort, nasPortId, peerAddress, localAddress, connectInfo } = identity;
  const [peer, local] = [formatIpv4(peerAddress), formatIpv4(localAddress)];
  return [
    typeof user === 'string' ? attribute('User-Name', user) : { name: 'User-Name', octets: user },
    ...nasAttributes(nas),
    attribute('NAS-Port', nasPort),
    attribute('NAS-Port-Id', nasPortId),
    attribute('NAS-Port-Type', virtual),
    attribute('Service-Type', framed),
    attribute('Framed-Protocol', ppp),
    attribute('Calling-Station-Id', peer),
    attribute('Called-Station-Id', local),
    attribute('Acct-Session-Id', sessionId),
    ...(connectInfo === '' ? [] : [attribute('Connect-Info', connectInfo)]),
    attribute('Tunnel-Type', pptp, untagged),
    attribute('Tunnel-Medium-Type', ipv4Medium, untagged),
    attribute('Tunnel-Client-Endpoint', peer, untagged),
    attribute('Tunnel-Server-Endpoint', local, untagged),
  ];
}

/** How this node calls itself, in requests about sessions and in its own. */
export function nasAttributes({ identifier, address }: NasIdentity): readonly Attribute[] {
  const named = attribute('NAS-Identifier', identifier);
  return address === undefined ? [named] : [attribute('NAS-IP-Address', address), named];
}
