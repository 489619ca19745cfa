/**
 * The server's menus: `/interface pptp-server server`, which is one set of values, and `/interface pptp-server`, whose static
 * entries give a user an interface name that stays. Also the rows that every PPTP interface has, server or client. Names,
 * ranges and defaults are those of the manuals; the newer one wins, except that MS-CHAPv1 has to be asked for.
 */

import { integer, orWord, reference, seconds, setOf, text, yesNo } from '../base/kind.ts';
import { comment, disabled } from '../base/rows.ts';
import { type Kind, menu, type Row, type ValuesOf } from '../base/setting.ts';
import { interfaceName } from '../net/interface-name.ts';

/** RouterOS's names of the authentication methods, weakest first, which is the order that it prints them in. */
export const authenticationMethods = ['pap', 'chap', 'mschap1', 'mschap2'] as const;

/** Those that a subscriber may use: EAP too, which is relayed to a RADIUS server and not spoken by our own client. */
const subscriberMethods = [...authenticationMethods, 'eap'] as const;

/** Both kinds of PPTP interface are interfaces: no two have one name. */
export const interfaceNaming = {
  space: 'interface',
  taken: 'already have interface with such name',
} as const;

/**
 * Octets of an IP packet in the tunnel. 1500 is what LCP means when it says nothing (RFC 1661 section 6.1); 1450 leaves room
 * for IP, GRE and PPP headers and for MPPE's four octets in an Ethernet frame.
 */
function packetSize(alias: string, help: string): Row<number> {
  return { kind: integer(512, 1500), default: 1450, aliases: [alias], applies: 'next-session', help };
}

const maxMtu = packetSize('mtu', 'Largest packet that the interface sends into the tunnel.');
const maxMru = packetSize('mru', 'Largest packet that the interface takes from the tunnel.');

/** With Multilink the interface is as large as this, and what is too large for one frame crosses in several (RFC 1990). */
const mrru: Row<number | 'disabled'> = {
  kind: orWord('disabled', integer(512, 65_535)),
  default: 'disabled',
  applies: 'next-session',
  help: 'Largest packet that may cross the tunnel in several frames, if the peer can; 1600 lets Ethernet frames through.',
};

/** The rows that say how large packets may be. */
export const packetSizes = { maxMtu, maxMru, mrru } as const;

/** Milliseconds of silence before the peer is probed; printed in seconds, an hour at most: NAT forgets sooner. */
export const keepaliveKind: Kind<number | 'disabled'> = orWord('disabled', seconds(1, 3600));

export const serverMenu = menu({
  path: '/interface pptp-server server',
  kind: 'settings',
  help: 'The PPTP server.',
  rows: {
    enabled: { kind: yesNo, default: false, applies: 'live', help: 'Whether subscribers are served.' },
    ...packetSizes,
    authentication: {
      kind: setOf(subscriberMethods),
      default: ['mschap2'],
      applies: 'next-session',
      help: 'Methods by which a subscriber may prove who he is; the strongest is offered first; eap needs RADIUS.',
    },
    keepaliveTimeout: {
      kind: keepaliveKind,
      default: 30_000,
      applies: 'next-session',
      help: 'Silence after which five probes are sent, a second apart; no answer ends the session.',
    },
    defaultProfile: {
      kind: reference('/ppp profile'),
      default: 'default-encryption',
      applies: 'next-session',
      help: "Profile that says what neither the subscriber's secret nor its profile say.",
    },
  },
});

/** The server as configured. `keepaliveTimeout` is in milliseconds. */
export type ServerSettings = ValuesOf<typeof serverMenu>;

export const staticServerMenu = menu({
  path: '/interface pptp-server',
  kind: 'list',
  help: 'Interfaces of subscribers: static entries, and those of connected users who have none.',
  flags: [
    { letter: 'X', name: 'disabled' },
    { letter: 'D', name: 'dynamic' },
    { letter: 'R', name: 'running' },
  ],
  naming: { ...interfaceNaming, prefix: 'pptp-in' },
  rows: {
    name: { kind: interfaceName, default: '', applies: 'next-session', help: 'Name of the interface.' },
    user: {
      kind: text,
      default: '',
      applies: 'next-session',
      help: 'User whose tunnel gets this interface.',
    },
    comment,
    disabled: disabled(false),
  },
});

/** A static entry as configured. */
export type StaticServer = ValuesOf<typeof staticServerMenu>;
