/**
 * The menu `/ip dns publish`: the name that clients dial, and how this node appears under it. RouterOS has the command
 * `/tool dns-update`, whose words these are as far as it goes (`name`, `zone`, `ttl`, `address`, `dns-server`, `key-name`,
 * `key`). It is a menu here, beside RouterOS's other names and addresses in `/ip dns`, because it is kept true and not said once.
 */

import { anyAddress } from '../base/ip.ts';
import { choice, host, integer, ipv4, listOf, optional, seconds, yesNo } from '../base/kind.ts';
import { concealed, Secret } from '../base/secret.ts';
import { type Kind, menu, refuse, type ValuesOf } from '../base/setting.ts';
import { type DomainName, isBelow, isSameName, parseName } from './name.ts';
import { keyAlgorithms } from './tsig.ts';

const domainName: Kind<DomainName> = {
  label: 'domain name',
  quoted: true,
  parse: (typed) => parseName(typed) ?? refuse.invalid(),
  format: (name) => name,
};

/** Base64, as BIND's tsig-keygen prints it. */
const key: Kind<Secret> = {
  ...concealed((typed) => {
    const isBase64 = typed.length % 4 === 0 && /^[A-Za-z\d+/]*={0,2}$/.test(typed);
    return isBase64
      ? new Secret(typed)
      : refuse.failure('the key is not in base64, as tsig-keygen prints it');
  }),
  label: 'base64',
};

const port = integer(1, 65_535);

export const publishMenu = menu({
  path: '/ip dns publish',
  kind: 'settings',
  help: 'The DNS name under which clients find the nodes of this service.',
  rows: {
    name: {
      kind: optional(domainName),
      default: undefined,
      applies: 'live',
      help: 'Name that clients dial; without it nothing is published.',
    },
    address: {
      kind: optional(ipv4),
      default: undefined,
      applies: 'live',
      help: 'Address of this node that clients reach; without it the one that the node listens on.',
    },
    ttl: {
      kind: seconds(1, 3600),
      default: 30_000,
      applies: 'live',
      help: 'How long resolvers may remember an address, and so how long clients come to a node that is gone.',
    },
    dnsServer: {
      kind: optional(host),
      default: undefined,
      applies: 'live',
      help: 'Primary name server of the zone, which takes updates; without it none are sent.',
    },
    dnsServerPort: { kind: port, default: 53, applies: 'live', help: 'UDP and TCP port of that server.' },
    zone: {
      kind: optional(domainName),
      default: undefined,
      applies: 'live',
      help: 'Zone of that server in which the name is.',
    },
    keyName: {
      kind: optional(domainName),
      default: undefined,
      applies: 'live',
      help: 'What that server calls the key that signs updates.',
    },
    key: {
      kind: key,
      default: new Secret(''),
      applies: 'live',
      sensitive: true,
      help: 'The key that signs updates, in base64.',
    },
    keyAlgorithm: {
      kind: choice(keyAlgorithms),
      default: 'hmac-sha256',
      applies: 'live',
      help: 'What updates are signed with, as that server has it for the key.',
    },
    respond: {
      kind: yesNo,
      default: false,
      applies: 'live',
      help: 'Whether this node is itself a name server for the name, which the zone above delegates to it.',
    },
    respondAddress: {
      kind: ipv4,
      default: anyAddress,
      applies: 'live',
      help: 'Address of this node that queries come to; 0.0.0.0 is all of them, and replies leave from the first.',
    },
    respondPort: { kind: port, default: 53, applies: 'live', help: 'UDP and TCP port for queries.' },
    nameServers: {
      kind: listOf(domainName),
      default: [],
      applies: 'live',
      help: 'Names of the nodes that respond, as the zone above delegates to them, the same on all nodes.',
    },
    addressesPerAnswer: {
      kind: integer(1, 8),
      // One is the exact share; the second is for a node that died a moment ago.
      default: 2,
      applies: 'live',
      help: 'Nodes that one answer names at most; fewer follow the free licences more closely.',
    },
  },
  check({ name, dnsServer, zone, keyName, key: secret, respond, nameServers }) {
    if (name === undefined) return undefined;
    if (dnsServer !== undefined) {
      if (zone === undefined) return lacking('zone', 'updates need the zone that the name is in');
      if (!isSameName(name, zone) && !isBelow(name, zone))
        return lacking('zone', 'the name is not in the zone');
      if (keyName === undefined) return lacking('keyName', 'updates need a key');
      if (secret.reveal() === '') return lacking('key', 'updates need a key');
    }
    if (respond && nameServers.length === 0) {
      return lacking('nameServers', 'a name that is delegated has name servers');
    }
    // Their addresses are glue of the zone above: nothing stands below the name here.
    if (respond && nameServers.some((server) => isSameName(server, name) || isBelow(server, name))) {
      return lacking(
        'nameServers',
        'a name server is called neither like the name nor like something below it',
      );
    }
    return undefined;
  },
});

function lacking<K extends string>(argument: K, why: string) {
  return { argument, refusal: refuse.failure(why) };
}

export type PublishSettings = ValuesOf<typeof publishMenu>;
