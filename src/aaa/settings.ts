/**
 * The menus of users: `/ppp secret`, one item per user that this node knows itself, `/ppp profile`, what many users have in
 * common, and `/ppp aaa`, who else is asked and told. Names, types and defaults are those of the manuals. What several levels
 * say together is merge.ts's.
 */

import {
  type AddressOrPool,
  addressOrPool,
  choice,
  duration,
  integer,
  ipv4,
  listOf,
  name,
  optional,
  reference,
  text,
  yesNo,
} from '../base/kind.ts';
import { comment, disabled } from '../base/rows.ts';
import { concealed } from '../base/secret.ts';
import { type Kind, menu, Refusal, type Row, refuse, type ValuesOf } from '../base/setting.ts';
import { optionalInterfaceName } from '../net/interface-name.ts';
import { Password } from '../ppp/auth/password.ts';
import { listName, optionalChainName } from './firewall-name.ts';
import { rateLimitKind } from './rate-limit.ts';
import { routeKind } from './route.ts';

/** `default` leaves it to the next level. */
export type Tristate = 'default' | 'no' | 'yes';

/** `yes` encrypts if the peer can, `required` refuses a peer that cannot. */
export type Encryption = Tristate | 'required';

const tristate: Kind<Tristate> = choice(['default', 'no', 'yes']);

/** RouterOS's help says `require`, its reference `required`. */
const encryption: Kind<Encryption> = choice(['default', 'no', 'yes', 'required'], { require: 'required' });

export const passwordKind: Kind<Password> = concealed((typed) => new Password(typed));

/** Milliseconds. Zero is "none", also where a lower level names a time; no tunnel lives for a year. */
const timeout: Kind<number | undefined> = optional(duration(0, 365 * 86_400_000));

/** Octets; zero is no limit. */
const quota: Kind<number> = integer(0, Number.MAX_SAFE_INTEGER);

function addressRow(help: string): Row<AddressOrPool | undefined> {
  return { kind: optional(addressOrPool('/ip pool')), default: undefined, applies: 'next-session', help };
}

function filterRow(help: string): Row<string | undefined> {
  return { kind: optionalChainName, default: undefined, applies: 'next-session', help };
}

const localAddress = addressRow("This node's end of the tunnel.");
const remoteAddress = addressRow("The user's end of the tunnel.");

export const profileMenu = menu({
  path: '/ppp profile',
  kind: 'list',
  help: 'What many users have in common.',
  flags: [{ letter: '*', name: 'default' }],
  naming: { space: 'ppp profile', taken: 'profile with such name already exists' },
  rows: {
    name: { kind: name, default: '', required: true, applies: 'next-session', help: 'Name of the profile.' },
    localAddress,
    remoteAddress,
    bridge: {
      kind: optionalInterfaceName,
      default: undefined,
      applies: 'next-session',
      help: "Bridge of this host that the user's LAN is joined to, by BCP; the peer has to bridge too.",
    },
    useCompression: {
      kind: tristate,
      default: 'default',
      applies: 'next-session',
      help: 'Whether data may be compressed, if the peer can.',
    },
    useEncryption: {
      kind: encryption,
      default: 'default',
      applies: 'next-session',
      help: 'Whether data are encrypted; `required` refuses a peer that cannot.',
    },
    onlyOne: {
      kind: tristate,
      default: 'default',
      applies: 'next-session',
      help: 'Whether a user may have one session only.',
    },
    changeTcpMss: {
      kind: tristate,
      default: 'default',
      applies: 'next-session',
      help: 'Whether TCP connections through the tunnel are kept to segments that fit.',
    },
    sessionTimeout: {
      kind: timeout,
      default: undefined,
      applies: 'next-session',
      help: 'How long a session may last.',
    },
    idleTimeout: {
      kind: timeout,
      default: undefined,
      applies: 'next-session',
      help: 'How long a session may last without traffic.',
    },
    rateLimit: {
      kind: rateLimitKind,
      default: undefined,
      applies: 'next-session',
      help: 'Rate as rx[/tx] of this node, with bursts if wanted; rx is what the user sends.',
    },
    incomingFilter: filterRow('Chain of nftables that packets from the user pass.'),
    outgoingFilter: filterRow('Chain of nftables that packets to the user pass.'),
    addressList: {
      kind: listOf(listName),
      default: [],
      applies: 'next-session',
      help: "Sets of nftables that hold the user's address while he is connected.",
    },
    dnsServer: {
      kind: listOf(ipv4),
      default: [],
      applies: 'next-session',
      help: 'Name servers for the user: the first two are told.',
    },
    winsServer: {
      kind: listOf(ipv4),
      default: [],
      applies: 'next-session',
      help: 'NetBIOS name servers for the user: the first two are told.',
    },
    comment,
  },
  builtIn: [
    { id: 0, values: { name: 'default', changeTcpMss: 'yes' } },
    { id: 0xfffffffe, values: { name: 'default-encryption', useEncryption: 'yes', changeTcpMss: 'yes' } },
  ],
});

/** A profile as configured. Times are in milliseconds. */
export type Profile = ValuesOf<typeof profileMenu>;

/** A day at most: servers take silence for a session that is gone long before. */
const interimMax = duration(0, 86_400_000);

/** Acct-Interim-Interval is in whole seconds. */
const interimKind: Kind<number> = {
  ...interimMax,
  parse(typed) {
    const valueMs = interimMax.parse(typed);
    return valueMs instanceof Refusal || valueMs % 1000 === 0 ? valueMs : refuse.invalid();
  },
};

export const aaaMenu = menu({
  path: '/ppp aaa',
  kind: 'settings',
  help: 'Who judges users, and who is told of their sessions.',
  rows: {
    useRadius: {
      kind: yesNo,
      default: false,
      applies: 'live',
      help: 'Whether RADIUS is asked about users that are not in /ppp secret.',
    },
    accounting: {
      kind: yesNo,
      default: true,
      applies: 'live',
      help: 'Whether RADIUS is told of sessions.',
    },
    interimUpdate: {
      kind: interimKind,
      default: 0,
      applies: 'next-session',
      help: 'Between two Interim-Updates of a session, if the RADIUS server does not say; 0s is none.',
    },
    sessionPolicy: {
      kind: choice(['reject', 'replace']),
      default: 'reject',
      applies: 'live',
      help: 'When a user has as many sessions as he may, or another has his address: the new one is refused, or the oldest gives way.',
    },
  },
});

/** Times are in milliseconds. */
export type AaaSettings = ValuesOf<typeof aaaMenu>;

/** RouterOS's services; ours is `pptp`. */
const services = ['any', 'async', 'l2tp', 'ovpn', 'pppoe', 'pptp', 'sstp'] as const;

export type Service = (typeof services)[number];

export const secretMenu = menu({
  path: '/ppp secret',
  kind: 'list',
  help: 'Users that this node knows itself.',
  flags: [{ letter: 'X', name: 'disabled' }],
  naming: { space: 'ppp secret', taken: 'secret with the same name already exists' },
  rows: {
    name: { kind: name, default: '', required: true, applies: 'next-session', help: 'Name of the user.' },
    service: {
      kind: choice(services),
      default: 'any',
      applies: 'next-session',
      help: 'Service that the user may use.',
    },
    callerId: {
      kind: text,
      default: '',
      applies: 'next-session',
      help: 'Address that the user must call from; empty if any will do.',
    },
    password: {
      kind: passwordKind,
      default: new Password(''),
      applies: 'next-session',
      sensitive: true,
      help: 'Password of the user.',
    },
    profile: {
      kind: reference('/ppp profile'),
      default: 'default',
      applies: 'next-session',
      help: 'Profile that says what the secret does not.',
    },
    localAddress,
    remoteAddress,
    routes: {
      kind: listOf(routeKind),
      default: [],
      applies: 'next-session',
      help: 'Routes of this node while the user is connected, each as dst-address, gateway and metric.',
    },
    limitBytesIn: {
      kind: quota,
      default: 0,
      applies: 'next-session',
      help: 'Octets that the user may send in one session.',
    },
    limitBytesOut: {
      kind: quota,
      default: 0,
      applies: 'next-session',
      help: 'Octets that the user may receive in one session.',
    },
    comment,
    disabled: disabled(false),
  },
});

/** A user as configured. */
export type PppSecret = ValuesOf<typeof secretMenu>;
