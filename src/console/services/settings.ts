/**
 * The menus `/ip service`, `/user` and `/user group`: which of the program's doors are open to other machines, and to whom. Names and
 * words are RouterOS's. Departures: every service is off until it is switched on; `certificate` names a file, as in `/radius`;
 * `admin` can neither be removed nor renamed, and nobody without a password is let in. Pure.
 */

import { choice, integer, ipv4Prefix, listOf, name, text } from '../../base/kind.ts';
import { comment, disabled } from '../../base/rows.ts';
import { concealed, Secret } from '../../base/secret.ts';
import { menu, refuse, type ValuesOf } from '../../base/setting.ts';

/** `www` is REST, `api` the RouterOS API; `-ssl` is the same over TLS. */
export const serviceNames = ['www', 'www-ssl', 'api', 'api-ssl'] as const;
export type ServiceName = (typeof serviceNames)[number];

export function isOverTls(service: ServiceName): boolean {
  return service.endsWith('-ssl');
}

const allowed = 'Addresses and prefixes from which it may be used; empty: all.';

export const serviceMenu = menu({
  path: '/ip service',
  kind: 'list',
  help: 'Ways in for other machines: REST (www) and the RouterOS API, each with and without TLS.',
  flags: [{ letter: 'X', name: 'disabled' }],
  naming: { space: 'service', taken: 'service with the same name already exists' },
  builtIn: [
    { id: 2, values: { name: 'www', port: 80, disabled: true } },
    { id: 4, values: { name: 'www-ssl', port: 443, disabled: true } },
    { id: 5, values: { name: 'api', port: 8728, disabled: true } },
    { id: 7, values: { name: 'api-ssl', port: 8729, disabled: true } },
  ],
  rows: {
    name: {
      kind: choice(serviceNames),
      default: 'www',
      applies: 'live',
      required: true,
      help: 'Which service.',
    },
    port: { kind: integer(1, 65_535), default: 80, applies: 'live', help: 'TCP port.' },
    address: { kind: listOf(ipv4Prefix), default: [], applies: 'live', help: allowed },
    certificate: {
      kind: text,
      default: '',
      applies: 'live',
      help: "File with the service's private key and its certificate chain in PEM form, for TLS.",
    },
    maxSessions: {
      kind: integer(1, 1000),
      // RouterOS's.
      default: 20,
      applies: 'live',
      help: 'Connections at a time.',
    },
    disabled: disabled(true),
  },
  check: (service) =>
    !service.disabled && isOverTls(service.name) && service.certificate === ''
      ? { argument: 'certificate', refusal: refuse.failure('TLS needs a certificate') }
      : undefined,
});

/** As configured. */
export type ServiceSettings = ValuesOf<typeof serviceMenu>;

export const groupNames = ['full', 'write', 'read'] as const;
export type GroupName = (typeof groupNames)[number];

export const userMenu = menu({
  path: '/user',
  kind: 'list',
  help: 'Who may use the services; subscribers stand in /ppp secret.',
  flags: [{ letter: 'X', name: 'disabled' }],
  naming: { space: 'user', taken: 'user with the same name already exists' },
  builtIn: [{ id: 0, values: { name: 'admin', group: 'full' } }],
  rows: {
    name: { kind: name, default: '', applies: 'live', required: true, help: 'Name of the user.' },
    group: {
      kind: choice(groupNames),
      default: 'read',
      applies: 'live',
      required: true,
      help: 'What the user may do.',
    },
    address: { kind: listOf(ipv4Prefix), default: [], applies: 'live', help: allowed },
    password: {
      kind: concealed((typed) => new Secret(typed)),
      default: new Secret(''),
      applies: 'live',
      sensitive: true,
      help: 'Without one the user cannot log in.',
    },
    comment,
    disabled: disabled(false),
  },
});

/** As configured. */
export type UserSettings = ValuesOf<typeof userMenu>;

const { password: _, ...shownRows } = userMenu.rows;

/** What is shown of users: all but the password. */
export const userViewMenu = menu({
  path: userMenu.path,
  kind: 'list',
  help: userMenu.help,
  flags: userMenu.flags ?? [],
  rows: shownRows,
});

/** The groups; they cannot be changed. */
export const groupMenu = menu({
  path: '/user group',
  kind: 'list',
  help: 'What users may do.',
  rows: {
    name: { kind: text, default: '', applies: 'live', readOnly: true, help: 'Name of the group.' },
    policy: {
      kind: text,
      default: '',
      applies: 'live',
      readOnly: true,
      help: 'Rights that it gives, and behind ! those that it does not.',
    },
  },
});
