/** What the menu means: settings in; out comes what publisher.ts and responder.ts are made of, or undefined where nothing is to be done. Pure. */

import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import type { Delegation } from './responder.ts';
import type { Place } from './rrset.ts';
import type { PublishSettings } from './settings.ts';
import type { Key } from './tsig.ts';

/** Where updates go, signed with what, about what. */
export interface Publication {
  readonly place: Place;
  readonly key: Key;
  /** An address, or a name that the system resolves. */
  readonly server: { readonly host: string; readonly port: number };
}

/** The updates that this node sends; `ownAddress` is where it listens, if the settings do not say where clients reach it. */
export function publicationOf(
  settings: PublishSettings,
  ownAddress: Ipv4 | undefined,
): Publication | undefined {
  const { name, zone, ttl, dnsServer, keyName } = settings;
  const address = settings.address ?? ownAddress;
  if (name === undefined || zone === undefined || dnsServer === undefined) return undefined;
  if (keyName === undefined || address === undefined) return undefined;
  return {
    place: { zone, name, ttlMs: ttl, address },
    key: {
      name: keyName,
      algorithm: settings.keyAlgorithm,
      secret: Uint8Array.from(atob(settings.key.reveal()), (octet) => octet.charCodeAt(0)),
    },
    server: {
      host: 'address' in dnsServer ? formatIpv4(dnsServer.address) : dnsServer.hostName,
      port: settings.dnsServerPort,
    },
  };
}

/** What this node answers for. */
export function delegationOf(settings: PublishSettings): Delegation | undefined {
  const { name, ttl, respond, nameServers, addressesPerAnswer } = settings;
  if (name === undefined || !respond) return undefined;
  return { name, ttlMs: ttl, nameServers, addressesPerAnswer };
}
