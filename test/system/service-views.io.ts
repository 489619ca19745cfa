/**
 * What nodes, Redis, callers and FreeRADIUS have of the sessions of a service, and whether it is the same. Enter: a site and its callers.
 * Leave: what is not as it should be, a sentence for each.
 */

import { accountingTroubles, type Windows } from './service-chronicle.ts';
import type { ServiceSite } from './service-site.io.ts';

interface ActiveRow {
  readonly name: string;
  readonly address: string;
  readonly 'session-id': string;
  readonly node: string;
}

/** What Redis has, all of one moment. */
const dump = `
local prefix = '{pptp:default}:'
local owners = redis.call('ZRANGE', prefix .. 'owners', 0, -1)
local rows = {}
for _, owner in ipairs(owners) do
  for _, session in ipairs(redis.call('HKEYS', prefix .. 'sessions:' .. owner)) do rows[#rows + 1] = session end
end
return {
  #owners, rows, redis.call('HKEYS', prefix .. 'holders'), redis.call('ZRANGE', prefix .. 'users', 0, -1),
  redis.call('HVALS', prefix .. 'addresses'), redis.call('HVALS', prefix .. 'nodes:beats'),
  redis.call('HLEN', prefix .. 'nodes:graves'),
}`;

type Dump = [number, string[], string[], string[], string[], string[], number];

/** Who is up, as he knows himself. */
export interface Connected {
  readonly user: string;
  readonly address: string;
}

export async function troublesOf(
  site: ServiceSite,
  connected: readonly Connected[],
  windows: Windows,
): Promise<readonly string[]> {
  const views = await Promise.all(site.nodes.map((_, at) => viewOf(site, at)));
  const [first = []] = views;
  const ids = first.map((row) => row['session-id']);
  const unlike = views.flatMap((view, at) =>
    difference(`node${at + 1} has not what node1 has`, linesOf(first), linesOf(view)),
  );
  const callers = difference(
    'callers have not what nodes have',
    first.map(({ name, address }) => `${name} ${address}`),
    connected.map(({ user, address }) => `${user} ${address}`),
  );
  const twice = [
    ...repeated(first.map(({ address }) => address)),
    ...repeated(first.map(({ name }) => name)),
  ].map((what) => `${what} is there twice`);
  const shared = await sharedTroubles(site, ids);
  return [
    ...unlike,
    ...callers,
    ...twice,
    ...shared,
    ...accountingTroubles(site.radius.records(), new Set(ids), windows),
  ];
}

async function sharedTroubles(site: ServiceSite, ids: readonly string[]): Promise<readonly string[]> {
  const [owners, rows, holders, users, addresses, beats, graves] = (await site.redis.ask(
    'EVAL',
    dump,
    '0',
  )) as Dump;
  const status = beats.map((beat) => JSON.parse(beat) as { sessions: number; licenceUsed: number });
  const total = (what: 'sessions' | 'licenceUsed') => status.reduce((sum, one) => sum + one[what], 0);
  const counted = [
    ['owners', owners, site.nodes.length],
    ['graves', graves, 0],
    ['sessions that nodes tell of', total('sessions'), ids.length],
    ['places of the licence in use', total('licenceUsed'), ids.length],
  ] as const;
  return [
    ...difference('redis has not the rows', ids, rows),
    ...difference('redis has not the claims', ids, holders),
    ...difference(
      'redis has not the users',
      ids,
      users.map((member) => member.split(' ')[1] ?? ''),
    ),
    ...difference('redis has not the addresses', ids, addresses),
    ...counted.flatMap(([what, is, due]) => (is === due ? [] : [`${what}: ${is}, not ${due}`])),
  ];
}

async function viewOf(site: ServiceSite, at: number): Promise<readonly ActiveRow[]> {
  const { status, text } = await site.console(at, '--json', '/ppp active print');
  if (status !== 0) throw new Error(`the console of node${at + 1} said ${status}: ${text}`);
  return JSON.parse(text) as ActiveRow[];
}

function linesOf(rows: readonly ActiveRow[]): string[] {
  return rows.map((row) => `${row['session-id']} ${row.name} ${row.address} ${row.node}`);
}

function difference(what: string, due: readonly string[], is: readonly string[]): readonly string[] {
  const [wanted, found] = [new Set(due), new Set(is)];
  const missing = due.filter((each) => !found.has(each)).map((each) => `-${each}`);
  const strange = is.filter((each) => !wanted.has(each)).map((each) => `+${each}`);
  const all = [...missing, ...strange].toSorted();
  return all.length === 0 ? [] : [`${what}: ${all.join(', ')}`];
}

function repeated(values: readonly string[]): readonly string[] {
  return values.filter((value, at) => values.indexOf(value) !== at);
}
