/**
 * Every menu and property as a table for the README: menus in; Markdown out, with each property's values, default, when a change is
 * seen, and the manual that it comes from. Of the manuals only which properties they have is said here; all else the rows know. Pure.
 */

import { type AnyMenu, defaultsOf, type MenuPath, type Setting } from '../base/setting.ts';

/** Which properties the manuals show, and which of the others RouterOS does not know. */
interface Origin {
  readonly older?: readonly string[];
  readonly newer?: readonly string[];
  /** `all`: the menu is ours. */
  readonly ours?: readonly string[] | 'all';
}

const sizes = ['max-mtu', 'max-mru'];
const client = ['name', ...sizes, 'connect-to', 'user', 'password', 'profile', 'add-default-route', 'allow'];
const server = ['enabled', ...sizes, 'authentication', 'keepalive-timeout', 'default-profile'];
const secret = ['name', 'service', 'password', 'local-address', 'remote-address'];

const origins: Readonly<Record<MenuPath, Origin>> = {
  '/interface pptp-client': {
    older: [...client, 'disabled'],
    newer: [...client, 'disabled', 'keepalive-timeout', 'mrru', 'dial-on-demand', 'default-route-distance'],
  },
  '/interface pptp-server server': { older: server, newer: [...server, 'mrru'] },
  '/interface pptp-server': { older: ['name', 'user', 'disabled'], newer: ['name', 'user'] },
  '/interface ethernet': { older: ['name', 'arp'] },
  '/ip route': { older: ['dst-address', 'gateway'] },
  '/ppp secret': {
    older: [...secret, 'caller-id', 'profile', 'routes', 'disabled'],
    newer: [...secret, 'profile'],
  },
  '/ppp aaa': { ours: ['session-policy'] },
  '/radius': {
    ours: ['ca-certificate', 'server-name', 'radsec-port', 'weight', 'backup', 'requests-max'],
  },
  '/system license': { older: ['level'] },
  '/system cluster': { ours: 'all' },
  '/system drain': { ours: 'all' },
  '/system metrics': { ours: 'all' },
  '/ip dns publish': { ours: 'all' },
};

/** The menus in alphabetical order, each with its rows in the order of `print`. */
export function menuTable(menus: readonly AnyMenu[]): string {
  const sorted = menus.toSorted((one, other) => (one.path < other.path ? -1 : 1));
  return `${sorted.map(menuSection).join('\n\n')}\n`;
}

function menuSection(menu: AnyMenu): string {
  const defaults = defaultsOf(menu);
  const rows = menu.settings.map((setting) =>
    line(
      nameOf(setting),
      setting.kind.label,
      defaultOf(setting, defaults),
      applies[setting.applies],
      originOf(menu, setting),
    ),
  );
  return [
    `#### \`${menu.path}\``,
    '',
    menu.help,
    '',
    line('property', 'values', 'default', 'seen', 'from'),
    line('---', '---', '---', '---', '---'),
    ...rows,
  ].join('\n');
}

/** When a change is seen. */
const applies = {
  live: 'at once',
  'next-session': 'by the next session',
  restart: 'after a restart',
} as const;

function line(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function nameOf({ name, aliases = [] }: Setting<unknown>): string {
  return [name, ...aliases].map((each) => `\`${each}\``).join(', ');
}

function defaultOf(
  { key, kind, required, readOnly }: Setting<unknown>,
  defaults: Readonly<Record<string, unknown>>,
) {
  if (required) return 'must be given';
  if (readOnly) return 'is given';
  const value = defaults[key];
  const text = value === undefined ? '' : kind.format(value);
  return text === '' ? '' : `\`${text}\``;
}

function originOf({ path }: AnyMenu, { name }: Setting<unknown>): string {
  const { older = [], newer = [], ours = [] } = origins[path] ?? {};
  if (ours === 'all' || ours.includes(name)) return 'ours';
  const manuals = [older.includes(name) ? 'older' : '', newer.includes(name) ? 'newer' : ''].filter(
    (each) => each !== '',
  );
  return manuals.length === 0 ? 'RouterOS' : `${manuals.join(', ')} manual`;
}
