/**
 * Filters and address lists in a real kernel, through a real engine, with nft as witness. A subscriber's packets are written by
 * nobody: the namespace of a neighbour is routed through the node to the session's interface, and what is dropped on the way
 * is told by counters in the chains of the operator.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseIpv4 } from '../../src/base/ip.ts';
import { contractVersion, type EventOf } from '../../src/datapath/contract.ts';
import { type Engine, startEngine } from '../../src/datapath/engine.io.ts';
import type { FilterPlan } from '../../src/net/filter-plan.ts';
import { encodeRequests } from '../../src/net/netlink.ts';
import { encodeNftables } from '../../src/net/nftables.ts';
import { apply } from '../../src/net/plan.ts';
import { Firewall } from '../../src/session/firewall.ts';
import { Switchboard } from '../../src/session/switchboard.ts';
import { enginePath } from '../contract/real-world.io.ts';
import { type Namespace, Network } from './namespaces.io.ts';

const address = (text: string): number => parseIpv4(text) ?? Number.NaN;
const linkName = '<pptp-ex>';
const user = '10.0.103.2';

const directory = mkdtempSync(join(tmpdir(), 'firewall-'));
let network: Network;
let node: Namespace;
let neighbour: Namespace;
let engine: Engine;
let switchboard: Switchboard;
let firewall: Firewall;
let log: string[];

beforeAll(async () => {
  network = new Network('firewall');
  node = network.namespace('node');
  neighbour = network.namespace('neighbour');
  network.join(neighbour, '192.0.2.2/24', node, '192.0.2.1/24');
  neighbour.run('ip', 'route', 'add', 'default', 'via', '192.0.2.1');
  node.run('sysctl', '-q', 'net.ipv4.ip_forward=1');
  await startNode();
});
afterAll(async () => {
  await engine?.stop();
  await network?.remove();
  rmSync(directory, { recursive: true });
});

beforeEach(async () => {
  log = [];
  firewall = await startFirewall();
});
afterEach(() => {
  node.run('nft', 'flush', 'ruleset');
});

/** An engine with one session's interface, up, and the way to its user. */
async function startNode(): Promise<void> {
  engine = await startEngine({
    socketPath: join(directory, 'engine.sock'),
    logPath: join(directory, 'engine.log'),
    command: node.inside([enginePath]),
    onLost: (fault) => {
      throw fault;
    },
  });
  switchboard = new Switchboard(engine, () => {});
  switchboard.send({ kind: 'hello', version: contractVersion });
  const interfaceIndex = await new Promise<number>((resolve) => {
    switchboard.openLink(0x10000, linkName, (event) => {
      if (event.kind === 'link-opened') resolve(event.interfaceIndex);
    });
  });
  const ends = { local: address('10.0.103.1'), remote: address(user) };
  const done = await perform(
    encodeRequests(apply({ linkName, mtu: 1436, ...ends, routes: [] }, interfaceIndex)),
  );
  expect(done.errno).toBe(0);
}

async function startFirewall(): Promise<Firewall> {
  const started = new Firewall(switchboard, (severity, _, text) => void log.push(`${severity}: ${text}`));
  await new Promise<void>((resolve) => started.start(resolve));
  return started;
}

function perform(messages: Uint8Array): Promise<EventOf<'netlink-done'>> {
  return new Promise((resolve) => switchboard.netlink(messages, resolve));
}

function follow(plan: FilterPlan | undefined, holder = 'session'): Promise<string | undefined> {
  return new Promise((resolve) => firewall.follow(holder, plan, resolve));
}

function planOf(plan: Partial<FilterPlan>): FilterPlan {
  const filters = { incoming: undefined, outgoing: undefined };
  return { linkName, address: address(user), filters, addressLists: [], ...plan };
}

const outgoing = (chain: string): FilterPlan => planOf({ filters: { incoming: undefined, outgoing: chain } });

const nft = (...command: readonly string[]): string => node.run('nft', ...command);
const elements = (kind: 'set' | 'map', set: string): string =>
  (/elements = \{([^}]*)\}/.exec(nft('list', kind, 'ip', 'pptp', set))?.[1] ?? '')
    .trim()
    .replace(/\s+/g, ' ');

/** Whether a datagram of the neighbour's gets through the node. A table of its own counts it as it comes and as it goes. */
function passes(): boolean {
  const counter = (name: string): number =>
    Number(/packets (\d+)/.exec(nft('list', 'counter', 'ip', 'witness', name))?.[1]);
  nft('add table ip witness; add counter ip witness came; add counter ip witness went');
  for (const [name, hook] of [
    ['came', 'prerouting'],
    ['went', 'postrouting'],
  ]) {
    nft(`add chain ip witness ${hook} { type filter hook ${hook} priority 0; }`);
    nft(`add rule ip witness ${hook} ip daddr ${user} counter name ${name}`);
  }
  neighbour.run('bash', '-c', `echo hello > /dev/udp/${user}/9`);
  while (counter('came') === 0);
  const went = counter('went') > 0;
  nft('delete table ip witness');
  return went;
}

test('who asks for nothing causes nothing', async () => {
  expect(await follow(planOf({}))).toBeUndefined();
  expect(await follow(undefined)).toBeUndefined();

  expect(nft('list', 'ruleset')).toBe('');
  expect(log).toEqual([]);
});

test('a filter drops what its chain drops, and taken away lets it pass', async () => {
  nft('add table ip pptp; add chain ip pptp nothing-passes; add rule ip pptp nothing-passes counter drop');
  expect(passes()).toBe(true);

  expect(await follow(outgoing('nothing-passes'))).toBeUndefined();

  expect(elements('map', 'outgoing')).toBe(`"${linkName}" : jump nothing-passes`);
  expect(passes()).toBe(false);
  expect(nft('list', 'chain', 'ip', 'pptp', 'nothing-passes')).toContain('counter packets 1 ');

  expect(await follow(undefined)).toBeUndefined();

  expect(elements('map', 'outgoing')).toBe('');
  expect(passes()).toBe(true);
});

test('the table is what the README says, in the words of nft', async () => {
  nft('add table ip pptp; add chain ip pptp debtors');
  await follow(planOf({ filters: { incoming: 'debtors', outgoing: undefined }, addressLists: ['vip'] }));

  expect(nft('list', 'table', 'ip', 'pptp').replace(/\s+/g, ' ').trim()).toBe(
    [
      'table ip pptp {',
      `map incoming { type ifname : verdict elements = { "${linkName}" : jump debtors } }`,
      'map outgoing { type ifname : verdict }',
      `set list-vip { type ipv4_addr elements = { ${user} } }`,
      'chain debtors { }',
      'chain ppp { iifname vmap @incoming oifname vmap @outgoing }',
      'chain ppp-forward { type filter hook forward priority filter; policy accept; jump ppp }',
      '}',
    ].join(' '),
  );
});

test('a change of filter is one transaction, and one that fails changes nothing', async () => {
  nft('add table ip pptp; add chain ip pptp slow; add chain ip pptp fast');
  await follow(outgoing('slow'));

  expect(await follow(outgoing('fast'))).toBeUndefined();
  expect(elements('map', 'outgoing')).toBe(`"${linkName}" : jump fast`);

  const list = { ...outgoing('missing'), addressLists: ['vip'] };
  expect(await follow(list)).toBe(
    'filter chain "missing" does not exist: make it with `nft add chain ip pptp missing`',
  );
  expect(elements('map', 'outgoing')).toBe(`"${linkName}" : jump fast`);
  expect(nft('list', 'sets')).not.toContain('list-vip');
});

test('chains that cannot be jumped to are told apart', async () => {
  nft('add table ip pptp; add chain ip pptp hooked { type filter hook input priority 0; }');

  expect(await follow(outgoing('hooked'))).toContain('has a hook of its own');
  expect(await follow(outgoing('ppp'))).toContain('leads back to itself');
});

test('an address stands in its lists while its user is connected', async () => {
  await follow(planOf({ addressLists: ['vip', '1001'] }));
  await follow(planOf({ address: address('10.0.103.9'), addressLists: ['vip'] }), 'another');

  expect(elements('set', 'list-vip').split(', ').sort()).toEqual([user, '10.0.103.9']);
  expect(elements('set', 'list-1001')).toBe(user);

  await follow(planOf({ addressLists: ['1001'] }));
  expect(elements('set', 'list-vip')).toBe('10.0.103.9');

  await follow(undefined, 'another');
  await follow(undefined);
  expect(elements('set', 'list-vip') + elements('set', 'list-1001')).toBe('');
});

test('a rule of the operator finds the users of a list', async () => {
  await follow(planOf({ addressLists: ['debtors'] }));
  nft('add chain ip pptp mine { type filter hook forward priority 10; }');
  nft('add rule ip pptp mine ip daddr @list-debtors drop');

  expect(passes()).toBe(false);
  await follow(undefined);
  expect(passes()).toBe(true);
});

test('a new process empties what the one before left, and nothing of the operator', async () => {
  nft('add table ip pptp; add chain ip pptp debtors; add rule ip pptp debtors drop');
  nft('add set ip pptp mine { type ipv4_addr; elements = { 10.9.9.9 } }');
  await follow({ ...outgoing('debtors'), addressLists: ['vip'] });

  firewall = await startFirewall();

  expect(elements('map', 'outgoing')).toBe('');
  expect(elements('set', 'list-vip')).toBe('');
  expect(elements('set', 'mine')).toBe('10.9.9.9');
  expect(nft('list', 'chain', 'ip', 'pptp', 'debtors')).toContain('drop');
  expect(nft('list', 'chain', 'ip', 'pptp', 'ppp').match(/vmap/g)).toHaveLength(2);
  expect(passes()).toBe(true);
  expect(await follow(outgoing('debtors'))).toBeUndefined();
  expect(passes()).toBe(false);
});

test('a ruleset that was flushed and loaded again gets its sessions back with the next change', async () => {
  nft('add table ip pptp; add chain ip pptp debtors');
  await follow(outgoing('debtors'));
  nft('flush ruleset; add table ip pptp; add chain ip pptp debtors');

  expect(await follow(planOf({ addressLists: ['vip'] }), 'another')).toBeUndefined();

  expect(elements('map', 'outgoing')).toBe(`"${linkName}" : jump debtors`);
  expect(elements('set', 'list-vip')).toBe(user);
  expect(log).toEqual([expect.stringContaining('emptied by somebody else')]);
});

test('hundreds of lists are found at the start', async () => {
  const lists = Array.from({ length: 800 }, (_, n) => `list-number-${n}`);
  nft(['add table ip pptp', ...lists.map((set) => `add set ip pptp ${set} { type ipv4_addr; }`)].join('; '));
  nft('add element ip pptp list-number-799 { 10.9.9.9 }');

  firewall = await startFirewall();

  expect(log).toEqual([]);
  expect(elements('set', 'list-number-799')).toBe('');
});

test('the engine performs a transaction whole or not at all, and says which message was refused', async () => {
  const octets = encodeNftables([
    { request: 'make-table' },
    { request: 'make-set', set: 'list-vip' },
    { request: 'delete-address', set: 'list-vip', address: 1 },
  ]);

  expect(await perform(octets)).toMatchObject({ errno: 2, performed: 2 });
  expect(nft('list', 'ruleset')).toBe('');

  const foreign = encodeNftables([
    { request: 'make-table' },
    { request: 'make-map', set: 'incoming' },
    { request: 'add-jump', set: 'incoming', linkName: 'eth0', chain: 'debtors' },
  ]);
  expect(await perform(foreign)).toMatchObject({ errno: 1, performed: 2 });
  expect(nft('list', 'ruleset')).toBe('');
});
