import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { RouterOSAPI } from 'node-routeros';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { servicesTally } from '../../../../src/console/services/users.ts';
import { Certificates } from '../../../system/radsec-certificates.io.ts';
import { sessionRow } from '../world.ts';
import { ServicesWorld, Speaker, speakerAt } from './world.ts';

let services: ServicesWorld;

beforeEach(() => {
  services = new ServicesWorld();
});

afterEach(() => services.close());

/** A library that ISPs' tools are made with, logged in. */
async function library(port: number, user: string, tls?: object): Promise<RouterOSAPI> {
  const api = new RouterOSAPI({ host: '127.0.0.1', port, user, password: 'secret', ...(tls && { tls }) });
  await api.connect();
  onTestFinished(async () => void (await api.close()));
  return api;
}

describe('node-routeros', () => {
  it('adds, prints with a query, sets and removes', async () => {
    const api = await library(await services.open('api'), 'full');

    const [added] = await api.write('/ppp/secret/add', ['=name=alice', '=password=a', '=service=pptp']);
    expect(added).toEqual({ ret: '*1' });
    await api.write('/ppp/secret/add', ['=name=bob', '=password=b']);
    await api.write('/ppp/secret/set', ['=.id=*1', '=remote-address=10.0.0.5', '=comment=north']);
    const found = await api.write('/ppp/secret/print', [
      '?remote-address=10.0.0.5',
      '=.proplist=.id,name,comment',
    ]);
    expect(found).toEqual([{ '.id': '*1', name: 'alice', comment: 'north' }]);
    await api.write('/ppp/secret/remove', ['=.id=*1']);
    expect(await api.write('/ppp/secret/print', ['=.proplist=name'])).toEqual([{ name: 'bob' }]);
    expect(await api.write('/ppp/secret/print', ['?name=alice'])).toEqual([]);
    await expect(api.write('/ppp/secret/add', ['=name=bob'])).rejects.toThrow(
      'failure: secret with the same name already exists',
    );
  });

  it('listens, and stops', async () => {
    const api = await library(await services.open('api'), 'full');
    const heard: unknown[] = [];
    let wake = () => {};
    const stream = api.stream('/ppp/secret/listen', [], (error: Error | null, packet: unknown) => {
      if (error === null && packet !== undefined) heard.push(packet);
      wake();
    });

    await api.write('/ppp/secret/add', ['=name=alice']);
    const told = new Promise<void>((woken) => {
      wake = woken;
    });
    services.world.clock.advance(1000);
    await told;

    expect(heard).toEqual([expect.objectContaining({ '.id': '*1', name: 'alice' })]);
    await stream.stop();
    expect(await api.write('/ppp/secret/print', ['=count-only='])).toEqual([{ ret: '1' }]);
  });

  it('is refused with a wrong password', async () => {
    const port = await services.open('api');
    const api = new RouterOSAPI({ host: '127.0.0.1', port, user: 'admin', password: '' });

    await expect(api.connect()).rejects.toThrow();
    await services.line(/^login failure for user admin from 127\.0\.0\.1 via api$/);
  });

  it('comes in over TLS, with the certificate that is on disk now', async () => {
    const certificates = new Certificates();
    onTestFinished(() => certificates.remove());
    const { both } = certificates.issue('router', 'IP:127.0.0.1');
    const directory = mkdtempSync(join(tmpdir(), 'api-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'service.pem');
    writeFileSync(file, readFileSync(both));
    const port = await services.open('api-ssl', `certificate=${file}`);
    const tls = { ca: readFileSync(certificates.authority) };

    const api = await library(port, 'read', tls);
    expect(await api.write('/user/print', ['?name=read', '=.proplist=group'])).toEqual([{ group: 'read' }]);

    const renewed = certificates.issue('renewed', 'DNS:elsewhere');
    writeFileSync(file, readFileSync(renewed.both));
    services.configure('/user add name=other group=read password=x');
    const stranger = connect({ host: '127.0.0.1', port, ...tls });
    await expect(once(stranger, 'secureConnect')).rejects.toThrow(/does not match certificate's altnames/);
  });
});

describe('a connection', () => {
  it('that has not logged in after ten seconds is ended', async () => {
    const speaker = new Speaker(await services.open('api'));
    await speaker.ask('/login');

    services.world.clock.advance(10_000);

    await speaker.closed();
    await services.line(/ended: nobody has logged in within 10 s$/);
  });

  it('that leaves a sentence half said is ended, however slowly it goes on', async () => {
    const speaker = await speakerAt(await services.open('api'), 'read');
    await speaker.ask('/ip/pool/print');
    const before = servicesTally.read('silent');

    // Two words of a sentence that has no end; the answer to the one before shows that all has been read.
    for (const octet of [1, 0x2f, 1]) {
      speaker.socket.write(Uint8Array.of(octet));
      await new Promise((turn) => setImmediate(turn));
      services.world.clock.advance(9_000);
    }
    services.world.clock.advance(30_000);

    await speaker.closed();
    expect(servicesTally.read('silent')).toBe(before + 1);
  });

  it('that says something else is told so and ended', async () => {
    const speaker = new Speaker(await services.open('api'));
    speaker.socket.write(Uint8Array.of(0xff));

    expect(await speaker.hear()).toEqual(['!fatal', 'API_CONTROL_OCTET']);
    await speaker.closed();
  });

  it('that is HTTP ends before it has read much', async () => {
    const speaker = new Speaker(await services.open('api'));
    speaker.socket.write(`GET / HTTP/1.1\r\nHost: x\r\n\r\n${'x'.repeat(200_000)}`);

    await speaker.closed();
  });

  it('whose program does not read holds little, others go on, and it is ended in the end', async () => {
    // 10 MB for each print: the system's own buffers take some.
    const name = 'x'.repeat(20_000);
    services.world.sessions = Array.from({ length: 500 }, (_, at) => sessionRow(at, name, 'north'));
    const port = await services.open('api');
    const slow = await speakerAt(port, 'read');
    slow.socket.pause();
    const before = servicesTally.read('slowReaders');
    for (let at = 0; at < 8; at += 1) slow.say('/ppp/active/print', `.tag=${at}`);

    const other = await speakerAt(port, 'read');
    expect(await other.ask('/ppp/active/print', '=count-only=')).toEqual([['!done', '=ret=500']]);
    expect(await other.ask('/ppp/active/print', '=.proplist=.id')).toHaveLength(501);
    services.world.clock.advance(60_000);

    slow.socket.removeAllListeners('data').resume();
    await slow.closed();
    expect(servicesTally.read('slowReaders')).toBe(before + 1);
    await services.line(/what it asked for was not read within 60 s$/);
  });

  it('from an address that the service is not for is none', async () => {
    const port = await services.open('api', 'address=192.0.2.0/24,10.0.0.1');
    const speaker = new Speaker(port);
    await speaker.closed();

    expect(servicesTally.read('refusedAddress')).toBeGreaterThan(0);
  });

  it('beyond max-sessions is none, and the log says so once', async () => {
    const port = await services.open('api', 'max-sessions=2');
    const [one, two] = [await speakerAt(port, 'read'), await speakerAt(port, 'read')];

    await new Speaker(port).closed();
    await new Speaker(port).closed();
    expect(services.lines.filter(({ text }) => text === 'service api is full: 2 connections')).toHaveLength(
      1,
    );
    expect(await one.ask('/ip/pool/print')).toEqual([['!done']]);
    expect(await two.ask('/ip/pool/print')).toEqual([['!done']]);
  });

  it('ends when its service is switched off, and is refused from then on', async () => {
    const port = await services.open('api');
    const speaker = await speakerAt(port, 'full');
    speaker.say('/ip/service/disable', '=.id=api');

    await speaker.closed();
    const late = new Speaker(port);
    await expect(once(late.socket, 'connect')).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a port', () => {
  it('that another program has is told once, tried again, and had in the end', async () => {
    const port = await services.open('api');
    const second = new ServicesWorld();
    onTestFinished(() => second.close());
    second.configure(`/ip service set api port=${port} disabled=no`);
    await second.line(/^service api cannot be had: .*EADDRINUSE/);

    services.close();
    second.world.clock.advance(5_000);

    await second.line(/^service api listens/);
    expect(second.lines.filter(({ severity }) => severity === 'error')).toHaveLength(1);
  });

  it('whose certificate cannot be read is told, and tried again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'api-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'late.pem');
    services.configure(`/ip service set api-ssl port=1 certificate=${file} disabled=no`);

    await services.line(/^service api-ssl cannot be had: ENOENT/);
  });
});
