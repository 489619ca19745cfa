/** What the kernel makes of a plan, asked with iproute2. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toText } from '../../src/base/bytes.ts';
import { parseIpv4, parsePrefix } from '../../src/base/ip.ts';
import { contractVersion, type EventOf } from '../../src/datapath/contract.ts';
import { type Engine, startEngine } from '../../src/datapath/engine.io.ts';
import { encodeRequests, type Request } from '../../src/net/netlink.ts';
import { apply, difference, type Plan, undo } from '../../src/net/plan.ts';
import { enginePath } from '../contract/real-world.io.ts';
import { type Namespace, Network } from './namespaces.io.ts';

const directory = mkdtempSync(join(tmpdir(), 'plan-'));
let network: Network;
let host: Namespace;
let engine: Engine;
let interfaceIndex: number;
let done: (event: EventOf<'netlink-done'>) => void;

beforeAll(async () => {
  network = new Network('plan');
  host = network.namespace('host');
  engine = await startEngine({
    socketPath: join(directory, 'engine.sock'),
    logPath: join(directory, 'engine.log'),
    command: host.inside([enginePath]),
    onLost: (fault) => {
      throw fault;
    },
  });
  interfaceIndex = await new Promise<number>((resolve) => {
    engine.listen((event) => {
      if (event.kind === 'link-opened') resolve(event.interfaceIndex);
      if (event.kind === 'netlink-done') done(event);
    });
    engine.send({ kind: 'hello', version: contractVersion });
    engine.send({ kind: 'link-open', link: 0x10000, name: '<pptp-ex>', bridge: '' });
  });
});
afterAll(async () => {
  await engine?.stop();
  await network?.remove();
  rmSync(directory, { recursive: true });
});

async function perform(requests: readonly Request[]): Promise<void> {
  const answer = new Promise<EventOf<'netlink-done'>>((resolve) => {
    done = resolve;
  });
  engine.send({ kind: 'netlink', token: 1, messages: encodeRequests(requests) });
  const { errno, performed, text } = await answer;
  expect({ errno, performed }, toText(text)).toEqual({ errno: 0, performed: requests.length });
}

const lines = (...command: [string, ...string[]]): string[] =>
  host
    .run(...command)
    .split('\n')
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '');

test('a plan is applied, changed and taken back', async () => {
  const plan: Plan = {
    linkName: '<pptp-ex>',
    mtu: 1436,
    local: parseIpv4('10.0.103.1') ?? 0,
    remote: parseIpv4('10.0.103.2') ?? 0,
    routes: [
      { destination: parsePrefix('10.150.1.0/24') ?? { address: 0, length: 0 }, metric: 1 },
      {
        destination: parsePrefix('10.150.2.0/24') ?? { address: 0, length: 0 },
        gateway: parseIpv4('192.0.2.1') ?? 0,
        metric: 7,
      },
    ],
    defaultRoute: { distance: 5 },
  };

  await perform(apply(plan, interfaceIndex));

  expect(host.run('ip', 'link', 'show', 'dev', '<pptp-ex>')).toMatch(/UP.* mtu 1436 /);
  expect(lines('ip', '-4', 'address', 'show', 'dev', '<pptp-ex>')).toContainEqual(
    expect.stringContaining('inet 10.0.103.1 peer 10.0.103.2/32'),
  );
  const routes = lines('ip', 'route', 'show', 'dev', '<pptp-ex>');
  expect(routes.map((route) => route.replace(/ (proto kernel )?scope link| linkdown/g, ''))).toEqual([
    'default metric 5',
    '10.0.103.2 src 10.0.103.1',
    '10.150.1.0/24 metric 1',
    '10.150.2.0/24 via 192.0.2.1 metric 7 onlink',
  ]);
  const moved = { ...plan, remote: parseIpv4('10.0.103.3') ?? 0, routes: plan.routes.slice(0, 1) };
  await perform(difference(plan, moved, interfaceIndex));

  expect(lines('ip', 'route', 'show', 'dev', '<pptp-ex>')).toHaveLength(3);

  await perform(undo(moved, interfaceIndex));

  expect(host.run('ip', 'link', 'show', 'dev', '<pptp-ex>')).toContain('state DOWN');
  expect(lines('ip', '-4', 'address', 'show', 'dev', '<pptp-ex>')).toEqual([]);
  expect(lines('ip', 'route')).toEqual([]);
});
