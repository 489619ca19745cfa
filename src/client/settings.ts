/**
 * `/interface pptp-client`: the tunnels that this node dials itself. Defaults are those of the newer manual; the rows that
 * say how large packets may be are the server's.
 */

import { passwordKind } from '../aaa/settings.ts';
import { host, integer, optional, reference, setOf, text, yesNo } from '../base/kind.ts';
import { comment, disabled } from '../base/rows.ts';
import { menu, type ValuesOf } from '../base/setting.ts';
import { interfaceName } from '../net/interface-name.ts';
import { Password } from '../ppp/auth/password.ts';
import {
  authenticationMethods,
  interfaceNaming,
  keepaliveKind,
  packetSizes,
} from '../session/server-settings.ts';

export const clientMenu = menu({
  path: '/interface pptp-client',
  kind: 'list',
  help: 'Tunnels to PPTP servers.',
  flags: [
    { letter: 'X', name: 'disabled' },
    { letter: 'R', name: 'running' },
  ],
  naming: { ...interfaceNaming, prefix: 'pptp-out' },
  rows: {
    name: { kind: interfaceName, default: '', applies: 'next-session', help: 'Name of the interface.' },
    ...packetSizes,
    connectTo: {
      kind: optional(host),
      default: undefined,
      applies: 'next-session',
      help: 'The server, by address or by name; nothing is dialled without it.',
    },
    user: { kind: text, default: '', applies: 'next-session', help: 'Name to give to the server.' },
    password: {
      kind: passwordKind,
      default: new Password(''),
      applies: 'next-session',
      sensitive: true,
      help: 'Password to prove to the server.',
    },
    profile: {
      kind: reference('/ppp profile'),
      default: 'default-encryption',
      applies: 'next-session',
      help: 'Profile of the tunnel.',
    },
    keepaliveTimeout: {
      kind: keepaliveKind,
      default: 60_000,
      applies: 'next-session',
      help: 'Silence after which five probes are sent, a second apart; no answer ends the session.',
    },
    addDefaultRoute: {
      kind: yesNo,
      default: false,
      applies: 'next-session',
      help: 'Whether the default route leads through the tunnel while it is up.',
    },
    defaultRouteDistance: {
      kind: integer(0, 255),
      default: 1,
      applies: 'next-session',
      help: 'Distance of that default route.',
    },
    dialOnDemand: {
      kind: yesNo,
      default: false,
      applies: 'next-session',
      help: 'Whether to dial only when there is traffic for the tunnel.',
    },
    allow: {
      kind: setOf(authenticationMethods),
      default: authenticationMethods,
      applies: 'next-session',
      help: 'Methods by which to prove who we are, if the server asks for them.',
    },
    comment,
    disabled: disabled(true),
  },
});

/** A client as configured. `keepaliveTimeout` is in milliseconds. */
export type ClientSettings = ValuesOf<typeof clientMenu>;
