/** The RouterOS API and REST of the whole program, as ISPs' tools use them: from another machine, with sessions and a file behind. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RouterOSAPI } from 'node-routeros';
import { expect, onTestFinished, test } from 'vitest';
import { addresses, Site } from './concentrator.io.ts';
import { Passage } from './passage.io.ts';
import { Certificates } from './radsec-certificates.io.ts';

const timeout = 60_000;

const users = `/user
add name=tool group=full password=hammer address=${addresses.client}
add name=eye group=read password=open`;
const server = `/ppp secret add name=alice password=secret local-address=10.77.0.1 remote-address=10.77.0.2
/interface pptp-server server set enabled=yes`;

async function library(port: number, user: string, password: string, tls?: object): Promise<RouterOSAPI> {
  const api = new RouterOSAPI({ host: '127.0.0.1', port, user, password, ...(tls && { tls }) });
  await api.connect();
  onTestFinished(async () => void (await api.close()));
  return api;
}

async function passageTo(site: Site, port: number): Promise<number> {
  const passage = await Passage.open(site.client, addresses.server, port);
  onTestFinished(() => passage.close());
  return passage.port;
}

test('a tool works over TCP and TLS; its changes are in force and in the file', { timeout }, async () => {
  const site = new Site('services');
  onTestFinished(() => site.remove());
  const certificates = new Certificates();
  onTestFinished(() => certificates.remove());
  const { both } = certificates.issue('router', 'IP:127.0.0.1');
  const node = await site.startServer(`${users}
/ip service
set api disabled=no
set api-ssl certificate=${both} disabled=no
${server}
`);
  await node.line(/^service api-ssl listens on TCP port 8729/);
  const api = await library(await passageTo(site, 8728), 'tool', 'hammer');
  const tls = { ca: readFileSync(certificates.authority) };
  const secure = await library(await passageTo(site, 8729), 'eye', 'open', tls);
  expect((await node.line(/^user eye logged in/)).msg).toBe(
    `user eye logged in from ${addresses.client} via api-ssl`,
  );

  // A subscriber comes, whom the other tool sees coming and going.
  const seen: Record<string, string>[] = [];
  let wake = () => {};
  secure.stream('/ppp/active/listen', (error: Error | null, packet: Record<string, string>) => {
    if (error !== null || packet['.id'] === undefined) return;
    seen.push(packet);
    wake();
  });
  const isSeen = async (fits: (row: Record<string, string>) => boolean) => {
    while (!seen.some(fits)) {
      await new Promise<void>((woken) => {
        wake = woken;
      });
    }
  };
  expect(
    await api.write('/ppp/secret/add', ['=name=bob', '=password=b', '=remote-address=10.77.0.3']),
  ).toEqual([{ ret: '*2' }]);
  await api.write('/ppp/secret/set', ['=.id=*2', '=local-address=10.77.0.1']);
  const bob = site.start(
    site.client,
    `/interface pptp-client add name=out user=bob password=b connect-to=${addresses.server} disabled=no`,
  );
  await bob.line(/: connected,/);
  await isSeen(({ name }) => name === 'bob');
  const [session] = await api.write('/ppp/active/print', ['?name=bob']);
  expect(session).toMatchObject({ name: 'bob', address: '10.77.0.3', 'caller-id': addresses.client });
  await api.write('/ppp/active/remove', [`=.id=${session?.['.id']}`]);
  await isSeen((row) => row['.dead'] === 'yes' && row['.id'] === session?.['.id']);

  await expect(secure.write('/ppp/secret/remove', ['=.id=*2'])).rejects.toThrow('not enough permissions (9)');
  await api.write('/ppp/secret/remove', ['=.id=*2']);
  const script = readFileSync(join(node.directory, 'configuration.rsc'), 'utf8');
  expect(script).toContain('name=alice');
  expect(script).not.toContain('name=bob');
});

test('REST is opened, used and closed while the node runs', { timeout }, async () => {
  const site = new Site('services');
  onTestFinished(() => site.remove());
  const node = await site.startServer(`${users}\n${server}\n`);
  const port = await passageTo(site, 80);
  const url = `http://127.0.0.1:${port}/rest`;
  const authorization = `Basic ${Buffer.from('tool:hammer').toString('base64')}`;

  node.rewrite(`${users}\n/ip service set www address=${addresses.client} disabled=no\n${server}\n`);
  await node.reload();
  await node.line(/^service www listens on TCP port 80/);
  const secrets = await fetch(`${url}/ppp/secret?.proplist=name`, { headers: { authorization } });
  expect(await secrets.json()).toEqual([{ name: 'alice' }]);
  const stranger = await fetch(`${url}/ppp/secret`);
  expect(stranger.status).toBe(401);

  const body = JSON.stringify({ '.id': 'www', disabled: 'yes' });
  const headers = { authorization, 'content-type': 'application/json' };
  await fetch(`${url}/ip/service/set`, { method: 'POST', headers, body }).catch(() => {});
  await expect(fetch(`${url}/ppp/secret`, { headers: { authorization } })).rejects.toThrow('fetch failed');
  const script = readFileSync(join(node.directory, 'configuration.rsc'), 'utf8');
  expect(script).toContain(`/ip service\nset *2 address=${addresses.client}/32\n`);
});
