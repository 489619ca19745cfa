/**
 * The menus of what runs, as rows: nothing in them is ever set. They have the columns that the manuals show, and a node's name
 * where there are several nodes. Where a menu is configured too, its rows stand beside those that come by themselves. Pure.
 */

import { formatDuration } from '../base/duration.ts';
import { duration, integer, ipv4, listOf, optional, text } from '../base/kind.ts';
import { type Kind, menu, type Row } from '../base/setting.ts';
import { clientMenu } from '../client/settings.ts';
import { licenceMenu } from '../licence/settings.ts';
import { staticServerMenu } from '../session/server-settings.ts';

/** A value that is shown and never set. */
export function shown<T>(kind: Kind<T>, help: string): Row<T | undefined> {
  return { kind: optional(kind), default: undefined, applies: 'live', readOnly: true, help };
}

/** Uptimes are shown in whole seconds. */
export const uptimeKind: Kind<number> = {
  ...duration(0, Number.MAX_SAFE_INTEGER),
  label: 'time',
  format: (valueMs) => formatDuration(Math.floor(valueMs / 1000) * 1000),
};
/** Round trips are shown in whole milliseconds. */
const roundTripKind: Kind<number> = {
  ...uptimeKind,
  format: (valueMs) => formatDuration(Math.round(valueMs)),
};
export const count = integer(0, Number.MAX_SAFE_INTEGER);
/** A text that is printed without quotation marks. */
export const word: Kind<string> = { label: 'text', parse: text.parse, format: text.format };

/** RouterOS shows a session without encryption as `encoding=""`. */
const encoding: Row<string> = {
  kind: text,
  default: '',
  applies: 'live',
  readOnly: true,
  help: 'How the data of the session are encrypted; both directions, if they differ.',
};
const uptime = shown(uptimeKind, 'How long it has been up.');

export const activeMenu = menu({
  path: '/ppp active',
  kind: 'list',
  help: 'Users who are connected, on all nodes of the service.',
  flags: [{ letter: 'R', name: 'radius' }],
  rows: {
    name: shown(text, 'Name of the user.'),
    service: shown(word, 'Service that the user came by.'),
    callerId: shown(text, 'Address that the user came from.'),
    address: shown(ipv4, 'Address that the user got.'),
    uptime,
    encoding,
    sessionId: shown(word, 'Acct-Session-Id of the session.'),
    interface: shown(word, 'Interface of the session, on its node.'),
    node: shown(word, 'Node that the user is connected to.'),
  },
});

export const serverInterfaceMenu = menu({
  path: '/interface pptp-server',
  kind: 'list',
  help: staticServerMenu.help,
  flags: staticServerMenu.flags ?? [],
  rows: {
    name: staticServerMenu.rows.name,
    user: staticServerMenu.rows.user,
    mtu: shown(count, 'Largest packet that the interface sends now.'),
    clientAddress: shown(ipv4, 'Address that the user came from.'),
    uptime,
    encoding: shown(text, 'How the data are encrypted, or none.'),
    comment: staticServerMenu.rows.comment,
    disabled: staticServerMenu.rows.disabled,
  },
});

export const serverMonitorMenu = menu({
  path: serverInterfaceMenu.path,
  kind: 'settings',
  help: 'A session of the server.',
  rows: {
    status: shown(word, 'What it does.'),
    uptime,
    user: shown(text, 'Name of the user.'),
    callerId: shown(text, 'Address that the user came from.'),
    encoding,
    mtu: shown(count, 'Largest packet that it sends.'),
  },
});

export const clientMonitorMenu = menu({
  path: clientMenu.path,
  kind: 'settings',
  help: 'A tunnel that this node dials.',
  rows: { uptime, encoding, status: shown(word, 'What it does.') },
});

export const licenceViewMenu = menu({
  path: licenceMenu.path,
  kind: 'settings',
  help: licenceMenu.help,
  rows: {
    ...licenceMenu.rows,
    tunnelsUsed: shown(count, 'Tunnels of subscribers that this node has.'),
    tunnelsMax: shown(word, 'Tunnels that it may have.'),
  },
});

export const radiusMonitorMenu = menu({
  path: '/radius',
  kind: 'settings',
  help: 'What has been asked of a server.',
  rows: {
    state: shown(word, 'Whether the server answers: alive, zombie, dead.'),
    pending: shown(count, 'Requests that wait for their reply.'),
    requests: shown(count, 'Requests sent.'),
    accepts: shown(count, 'Requests that were accepted.'),
    rejects: shown(count, 'Requests that were rejected.'),
    challenges: shown(count, 'Requests that were answered by a challenge.'),
    resends: shown(count, 'Copies sent.'),
    timeouts: shown(count, 'Requests that were never answered.'),
    badReplies: shown(count, 'Replies that were discarded: with CHAP, all that a wrong secret shows.'),
    lastRequestRtt: shown(roundTripKind, 'From the last request to its reply.'),
  },
});

export const nodeMenu = menu({
  path: '/system cluster node',
  kind: 'list',
  help: 'Nodes of the service.',
  flags: [
    { letter: 'R', name: 'ready' },
    { letter: 'D', name: 'draining' },
    { letter: 'S', name: 'suspect' },
  ],
  rows: {
    name: shown(text, 'Identity of the node.'),
    addresses: shown(listOf(ipv4), 'Addresses at which clients reach it.'),
    level: shown(word, 'Level of its licence.'),
    tunnelsUsed: shown(count, 'Tunnels of subscribers that it has.'),
    tunnelsMax: shown(word, 'Tunnels that it may have.'),
    sessions: shown(count, 'Users who are connected to it.'),
    uptime,
    version: shown(word, 'Version of the program that it runs.'),
    lastSeen: shown(uptimeKind, 'How long ago it was heard of.'),
  },
});
