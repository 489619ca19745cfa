/**
 * The sound way to log in: a real pppd proves itself by its certificate to a real FreeRADIUS, through our server, and the keys of
 * MPPE come from the same handshake (RFC 5216 section 2.3).
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CertificateAuthority } from '../system/certificates.io.ts';
import { FreeRadius } from '../system/freeradius.io.ts';
import { bootGuest, haltGuests, inGuest, inLab, type LabServer, startServer } from './lab.ts';

const innerAddress = '10.77.0.1';
const directory = mkdtempSync(join(tmpdir(), 'eap-tls-'));
const authority = new CertificateAuthority(directory);
const stranger = new CertificateAuthority(directory, 'stranger');
let radius: FreeRadius;
let server: LabServer;

beforeAll(async () => {
  await bootGuest();
  const tls = { ...authority.vouchFor('server', 'server'), authority: authority.files.certificate };
  const users = [{ name: 'test', password: 'unused' }];
  radius = await FreeRadius.start({ users, eap: { tls, first: 'tls' }, namespace: { inside: inLab } });
  server = await startServer(`
/ip pool add name=subscribers ranges=10.77.1.0-10.77.3.255
/ppp profile add name=subscribers local-address=${innerAddress} remote-address=subscribers use-encryption=required
/ppp aaa set use-radius=yes
/radius add service=ppp address=${radius.address} secret=${radius.secret}
/interface pptp-server server set enabled=yes authentication=eap default-profile=subscribers
`);
});

afterAll(async () => {
  await server?.end();
  await radius?.remove();
  await haltGuests();
  rmSync(directory, { recursive: true });
});

/** Puts the file where the guest's pppd finds it. */
async function give(file: string, name: string): Promise<string> {
  const place = `/tmp/${name}`;
  const { status } = await inGuest(`echo ${readFileSync(file).toString('base64')} | base64 -d > ${place}`);
  expect(status).toBe(0);
  return place;
}

/** What pppd is told of the certificates: ours, its key, and whose servers it trusts. */
async function identity(by: CertificateAuthority, name: string): Promise<string> {
  const { certificate, key } = by.vouchFor(name, 'client');
  const files = [await give(certificate, 'client.pem'), await give(key, 'client.key')];
  const ca = await give(authority.files.certificate, 'ca.pem');
  return `cert ${files[0]} key ${files[1]} ca ${ca} max-tls-version 1.2 require-mppe-128`;
}

describe('a real pppd with a certificate', () => {
  it.each(['-k', ''])('comes up with MPPE-128 and pings (client %s)', async (path) => {
    const options = await identity(authority, 'test');
    const { output } = await inGuest(
      `client ${path} -m any -i 0 10.99.0.1 ${options}; ping -c 3 -i 0.2 ${innerAddress}; grep -h MPPE /tmp/log.0; clients-down >/dev/null`,
    );

    console.log(output);
    expect(output).toMatch(/^ok /);
    expect(output).toMatch(/3 packets transmitted, 3 received/);
    expect(output).toMatch(/MPPE 128-bit stateless compression enabled/);
  });

  it('is turned away when nobody that the server trusts vouches for it', async () => {
    const options = await identity(stranger, 'test');
    const { output } = await inGuest(`client -k -m any -i 0 10.99.0.1 ${options}; clients-down >/dev/null`);

    expect(output).toMatch(/^fail /);
    expect(server.lines.some(({ msg }) => /authentication failed/.test(String(msg)))).toBe(true);
  });
});
