/** The whole program as a pod of Kubernetes: what a cordon of its node does to it, and that it serves without a word of Kubernetes. */

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { modified } from '../unit/kubernetes/words.ts';
import { ApiServer } from './api-server.io.ts';
import { CertificateAuthority } from './certificates.io.ts';
import { addresses, Site } from './concentrator.io.ts';

const script = '/interface pptp-server server set enabled=yes';
const more = ['--watch-cordon'];

let site: Site;
let directory: string;
let apiServer: ApiServer;
/** What the kubelet puts into a pod. */
let account: string;

beforeAll(async () => {
  site = new Site('cordon');
  directory = mkdtempSync(join(tmpdir(), 'cordon-'));
  account = join(directory, 'account');
  const authority = new CertificateAuthority(directory);
  apiServer = await ApiServer.start(
    site.client,
    addresses.client,
    authority.vouchFor(addresses.client, 'server'),
  );
  mkdirSync(account);
  cpSync(authority.files.certificate, join(account, 'ca.crt'));
  writeFileSync(join(account, 'token'), 'a token\n');
}, 60_000);

afterAll(async () => {
  await site?.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs what follows with the environment of a pod; with its account too, in a file system of its own. */
function inPod(hasAccount: boolean): readonly string[] {
  const environment = [
    'NODE_NAME=node-1',
    `KUBERNETES_SERVICE_HOST=${addresses.client}`,
    'KUBERNETES_SERVICE_PORT=6443',
  ];
  const place = '/run/secrets/kubernetes.io/serviceaccount';
  const put = `mount -t tmpfs tmpfs /run && mkdir -p ${place} && cp ${account}/* ${place} && exec "$@"`;
  const mounted = hasAccount ? put : 'mount -t tmpfs tmpfs /run && exec "$@"';
  return ['unshare', '--mount', 'env', ...environment, 'sh', '-c', mounted, 'sh'];
}

test('a cordon drains the node softly, its end takes calls again, and a watch holds up no end', async () => {
  const node = site.start(site.server, script, { through: inPod(true), more });
  await node.line(/^listening on TCP 1723/);
  await node.line(/^a cordon of node-1 in Kubernetes drains it softly/);

  apiServer.say(modified('101', true));
  await node.line(/^draining: new calls are refused/);
  apiServer.say(modified('102', false));
  await node.line(/^drain cancelled: calls are taken again/);

  expect(await node.end()).toEqual({ status: 0, signal: null });
});

test('a pod without a token serves, and says what it lacks', async () => {
  const node = site.start(site.server, script, { through: inPod(false), more });
  await node.line(/^listening on TCP 1723/);

  const { hint } = await node.line(/^cannot see whether Kubernetes cordons node-1/);
  expect(hint).toMatch(/automountServiceAccountToken/);
  expect(await node.end()).toEqual({ status: 0, signal: null });
});

test('what is no pod serves, and says so', async () => {
  const node = site.start(site.server, script, { through: ['env', '--unset', 'NODE_NAME'], more });
  await node.line(/^listening on TCP 1723/);

  await node.line(/^cannot see whether Kubernetes cordons the node: this is no pod/);
  expect(await node.end()).toEqual({ status: 0, signal: null });
});
