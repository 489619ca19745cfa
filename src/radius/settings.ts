/**
 * The menus `/radius`, one item per server, whose order counts, and `/radius incoming`. Names, types and defaults are those
 * of RouterOS's manuals; what RouterOS has not (weights, backups, a bound on requests, the certificates' files) says so.
 */

import { choice, duration, integer, setOf, text, yesNo } from '../base/kind.ts';
import { comment, disabled } from '../base/rows.ts';
import { concealed, Secret } from '../base/secret.ts';
import { type Kind, menu, refuse, type ValuesOf } from '../base/setting.ts';
import { type Address, addressKind, isIpv6 } from './address.ts';

/** RouterOS's services; ours is `ppp`. */
const services = ['ppp', 'login', 'hotspot', 'wireless', 'dhcp', 'ipsec', 'dot1x'] as const;

/** What a server is reached over: datagrams, or TLS (RFC 6614). */
export type Protocol = 'udp' | 'radsec';

/**
 * Which replies have to carry Message-Authenticator: all to an Access-Request, none, or `auto`, all of a server that has once
 * sent a valid one.
 */
export type RequireMessageAuth = 'yes-for-request-resp' | 'no' | 'auto';

const requireMessageAuth: Kind<RequireMessageAuth> = choice(['yes-for-request-resp', 'no', 'auto'], {
  yes: 'yes-for-request-resp',
});

const anySource: Address = '0.0.0.0';

/** Zero: the server is not asked in that role. */
const serverPort = integer(0, 65_535);

const waitMs = duration(10, 60_000);

export const radiusMenu = menu({
  path: '/radius',
  kind: 'list',
  help: 'RADIUS servers, asked in this order unless they have weights.',
  isOrdered: true,
  flags: [{ letter: 'X', name: 'disabled' }],
  rows: {
    service: {
      kind: setOf(services),
      default: [],
      applies: 'live',
      help: 'What the server is asked about; without `ppp` it is not asked by this program.',
    },
    calledId: {
      kind: text,
      default: '',
      applies: 'live',
      help: 'Address of this node that the subscriber has called, if the server is for that one only.',
    },
    domain: {
      kind: text,
      default: '',
      applies: 'live',
      help: "Windows domain of the subscriber's name, if the server is for that one only.",
    },
    address: {
      kind: addressKind,
      default: anySource,
      required: true,
      applies: 'live',
      help: 'Address of the server, IPv4 or IPv6.',
    },
    secret: {
      kind: concealed((typed) => new Secret(typed)),
      default: new Secret(''),
      applies: 'live',
      sensitive: true,
      help: 'Secret shared with the server; over RadSec it is `radsec`, whatever is set here.',
    },
    authenticationPort: {
      kind: serverPort,
      default: 1812,
      applies: 'live',
      help: 'UDP port for authentication, also over RadSec 0 if the server is not for that.',
    },
    accountingPort: {
      kind: serverPort,
      default: 1813,
      applies: 'live',
      help: 'UDP port for accounting, also over RadSec 0 if the server is not for that.',
    },
    timeout: {
      kind: waitMs,
      default: 1100,
      applies: 'live',
      help: 'How long the first transmission waits for its reply; the second waits twice as long, and so on.',
    },
    radsecTimeout: {
      kind: waitMs,
      default: 3300,
      applies: 'live',
      help: 'How long a request waits for its reply over RadSec, where nothing is sent twice.',
    },
    radsecPort: {
      kind: integer(1, 65_535),
      default: 2083,
      applies: 'live',
      help: 'TCP port for RadSec, for authentication and accounting alike.',
    },
    accountingBackup: {
      kind: yesNo,
      default: false,
      applies: 'live',
      help: 'Whether the server gets accounting only while no other server lives.',
    },
    realm: {
      kind: text,
      default: '',
      applies: 'live',
      help: 'Realm that is added to the names of users who give none.',
    },
    srcAddress: {
      kind: addressKind,
      default: anySource,
      applies: 'live',
      help: 'Address of this node that requests come from; 0.0.0.0 leaves it to the route.',
    },
    protocol: {
      kind: choice(['udp', 'radsec']),
      default: 'udp',
      applies: 'live',
      help: 'Datagrams, or RADIUS over TLS.',
    },
    certificate: {
      kind: text,
      default: '',
      applies: 'live',
      help: "File with this node's private key and certificate in PEM form, for RadSec.",
    },
    caCertificate: {
      kind: text,
      default: '',
      applies: 'live',
      help: "File with the authority's certificates in PEM form that a RadSec server's must come from; empty: the system's.",
    },
    serverName: {
      kind: text,
      default: '',
      applies: 'live',
      help: "Name that a RadSec server's certificate must carry; empty: its address.",
    },
    requireMessageAuth: {
      kind: requireMessageAuth,
      // RouterOS requires it. The FreeRADIUS of Debian 12 sends none, and would look dead; `auto` protects whoever can be.
      default: 'auto',
      applies: 'live',
      help: 'Which replies to authentication are discarded for want of a Message-Authenticator.',
    },
    weight: {
      kind: integer(0, 1000),
      default: 0,
      applies: 'live',
      help: 'Share of the requests among servers that have weights; 0 leaves it to the order.',
    },
    backup: {
      kind: yesNo,
      default: false,
      applies: 'live',
      help: 'Whether the server is asked only while no other server lives.',
    },
    requestsMax: {
      kind: integer(1, 4096),
      default: 128,
      applies: 'live',
      help: 'Requests of one role that the server may have unanswered at once; more wait here.',
    },
    comment,
    disabled: disabled(false),
  },
  check({ address, srcAddress, protocol, certificate }) {
    if (address === '0.0.0.0' || address === '::') return { argument: 'address', refusal: refuse.invalid() };
    if (!isAnySource(srcAddress) && isIpv6(srcAddress) !== isIpv6(address)) {
      const refusal = refuse.failure('address and src-address are not of the same family');
      return { argument: 'srcAddress', refusal };
    }
    if (protocol === 'radsec' && certificate === '') {
      return { argument: 'certificate', refusal: refuse.failure('RadSec needs a certificate of this node') };
    }
    return undefined;
  },
});

/** True if the route may choose. */
export function isAnySource(address: Address): boolean {
  return address === anySource || address === '::';
}

/** A server as configured. Times are in milliseconds. */
export type RadiusServer = ValuesOf<typeof radiusMenu>;

export const radiusIncomingMenu = menu({
  path: '/radius incoming',
  kind: 'settings',
  help: 'Requests that RADIUS servers may send: Disconnect and Change-of-Authorization.',
  rows: {
    accept: {
      kind: yesNo,
      default: false,
      applies: 'live',
      help: 'Whether requests are heard; from the servers of `/radius` only.',
    },
    port: {
      kind: integer(1, 65_535),
      default: 3799,
      applies: 'live',
      help: 'UDP port that they come to.',
    },
  },
});

export type RadiusIncoming = ValuesOf<typeof radiusIncomingMenu>;
