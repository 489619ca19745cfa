import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Certificates } from '../../../system/radsec-certificates.io.ts';
import { sessionRow } from '../world.ts';
import { ServicesWorld, Speaker } from './world.ts';

let services: ServicesWorld;
let port: number;

beforeEach(async () => {
  services = new ServicesWorld();
  port = await services.open('www');
});

afterEach(() => services.close());

function basic(user: string, password = 'secret'): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

interface Options {
  readonly user?: string;
  readonly password?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Status and body of an answer. */
async function ask(
  method: string,
  target: string,
  options: Options = {},
): Promise<[status: number, body: unknown]> {
  const { user = 'full', password, body, headers } = options;
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(`http://127.0.0.1:${port}${target}`, {
    method,
    headers: { authorization: basic(user, password), ...type, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const json = await response.text();
  return [response.status, json === '' ? undefined : JSON.parse(json)];
}

describe('REST', () => {
  it('adds with PUT, gets with GET, sets with PATCH, removes with DELETE', async () => {
    const [created, alice] = await ask('PUT', '/rest/ppp/secret', {
      body: { name: 'alice', disabled: true, comment: 7 },
    });
    expect(created).toBe(201);
    expect(alice).toMatchObject({
      '.id': '*1',
      name: 'alice',
      disabled: 'true',
      comment: '7',
      service: 'any',
    });

    expect(await ask('GET', '/rest/ppp/secret')).toEqual([200, [alice]]);
    expect(await ask('GET', '/rest/ppp/secret/*1')).toEqual([200, alice]);
    expect(await ask('GET', '/rest/ppp/secret/alice')).toEqual([200, alice]);

    const [changed, bob] = await ask('PATCH', '/rest/ppp/secret/alice', {
      body: { name: 'bob', disabled: 'no' },
    });
    expect([changed, bob]).toEqual([200, { ...(alice as object), name: 'bob', disabled: 'false' }]);

    expect(await ask('DELETE', '/rest/ppp/secret/*1')).toEqual([204, undefined]);
    expect(await ask('GET', '/rest/ppp/secret')).toEqual([200, []]);
  });

  it('gets what is searched, with the properties that are asked for', async () => {
    services.configure('/ppp secret\nadd name=a profile=default-encryption\nadd name=b\nadd name="c d"\n/');

    expect(await ask('GET', '/rest/ppp/secret?profile=default-encryption&.proplist=name')).toEqual([
      200,
      [{ name: 'a' }],
    ]);
    expect(await ask('GET', '/rest/ppp/secret/c%20d?.proplist=.id')).toEqual([200, { '.id': '*3' }]);
    expect(await ask('GET', '/rest/interface/pptp-server/server?.proplist=enabled')).toEqual([
      200,
      { enabled: 'false' },
    ]);
  });

  it('does any command with POST', async () => {
    const print = { '.query': ['node=south', 'name=alice', '#|'], '.proplist': ['name', 'node'] };
    expect(
      await ask('POST', '/rest/ppp/active/print', { body: { ...print, '.query': ['node=north'] } }),
    ).toEqual([200, [{ name: 'alice', node: 'north' }]]);
    expect((await ask('POST', '/rest/ppp/active/print', { body: print }))[1]).toHaveLength(3);
    expect(await ask('POST', '/rest/ppp/secret/add', { body: { name: 'x' } })).toEqual([200, { ret: '*1' }]);
    expect(await ask('POST', '/rest/ppp/secret/disable', { body: { '.id': '*1' } })).toEqual([200, []]);
    expect(await ask('POST', '/rest/ppp/aaa/set', { body: { 'use-radius': 'yes' } })).toEqual([200, []]);
    expect(await ask('GET', '/rest/ppp/aaa?.proplist=use-radius')).toEqual([200, { 'use-radius': 'true' }]);
    expect(await ask('POST', '/rest/radius/monitor', { body: { numbers: '*1', once: '' } })).toEqual([
      404,
      { error: 404, message: 'Not Found', detail: 'no such item' },
    ]);
    expect(await ask('POST', '/rest/ppp/active/print', { body: { 'count-only': '' } })).toEqual([
      200,
      { ret: '3' },
    ]);
  });

  it.each([
    ['GET', '/rest/ppp/secret/nobody', undefined, 404, 'no such item'],
    ['PATCH', '/rest/ppp/secret/*9', { name: 'x' }, 404, 'no such item'],
    ['DELETE', '/rest/ppp/secret/*9', undefined, 404, 'no such item'],
    ['GET', '/rest/ppp/nothing', undefined, 400, 'no such command or directory (nothing)'],
    ['POST', '/rest/ppp/secret/dance', {}, 400, 'no such command'],
    [
      'PUT',
      '/rest/ppp/secret',
      { name: 'x', profile: 'none' },
      400,
      'input does not match any value of profile',
    ],
    ['PUT', '/rest/ppp/secret', {}, 400, 'missing value(s) of argument(s) name'],
    ['PUT', '/rest/ppp/secret', { name: 'x', shoe: '44' }, 400, 'unknown parameter shoe'],
    [
      'PUT',
      '/rest/ppp/secret',
      { name: { first: 'x' } },
      400,
      'the body is not an object of names and values',
    ],
    ['PUT', '/rest/ppp/secret', '{"name":', 400, 'the body is no JSON'],
    ['POST', '/rest/ppp/secret/listen', {}, 400, 'listen would not end by itself: give once, or use the API'],
    [
      'POST',
      '/rest/ppp/secret/print',
      { interval: '1s' },
      400,
      'print would not end by itself: give once, or use the API',
    ],
    ['OPTIONS', '/rest/ppp/secret', undefined, 405, 'method OPTIONS is not allowed'],
    ['GET', '/webfig/', undefined, 404, 'only /rest is here'],
    ['GET', '/rest/ppp/secret/%', undefined, 404, 'only /rest is here'],
  ])('%s %s with %j is %i: %s', async (method, target, body, status, detail) => {
    expect(await ask(method, target, { body })).toEqual([
      status,
      expect.objectContaining({ error: status, detail }),
    ]);
  });

  it('takes no body that is not application/json: no page of others can send one', async () => {
    const body = JSON.stringify({ name: 'x' });
    const headers = { 'content-type': 'text/plain' };

    expect((await ask('PUT', '/rest/ppp/secret', { body, headers }))[0]).toBe(415);
    expect(await ask('GET', '/rest/ppp/secret')).toEqual([200, []]);
  });

  it('takes no body of more than 64 KiB', async () => {
    const [status] = await ask('PUT', '/rest/ppp/secret', { body: { name: 'x'.repeat(66_000) } });

    expect(status).toBe(413);
  });

  it('streams ten thousand sessions as one array', async () => {
    services.world.sessions = Array.from({ length: 10_000 }, (_, at) => sessionRow(at, `user${at}`, 'north'));

    const [status, rows] = await ask('GET', '/rest/ppp/active?.proplist=name');
    expect(status).toBe(200);
    expect(rows).toHaveLength(10_000);
    expect((rows as unknown[]).at(-1)).toEqual({ name: 'user9999' });
  });
});

describe('who comes by REST', () => {
  it('needs a name and a password', async () => {
    const unauthorized = { error: 401, message: 'Unauthorized' };

    expect(await ask('GET', '/rest/ppp/secret', { password: 'wrong' })).toEqual([401, unauthorized]);
    expect(await ask('GET', '/rest/ppp/secret', { user: 'admin', password: '' })).toEqual([
      401,
      unauthorized,
    ]);
    const bare = await fetch(`http://127.0.0.1:${port}/rest/ppp/secret`);
    expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="REST API", charset="UTF-8"',
    ]);
    await services.line(/^login failure for user full from 127\.0\.0\.1 via rest-api$/);
  });

  it('and is of the group read changes nothing', async () => {
    const forbidden = { error: 403, message: 'Forbidden', detail: 'not enough permissions (9)' };

    expect(await ask('PUT', '/rest/ppp/secret', { user: 'read', body: { name: 'x' } })).toEqual([
      403,
      forbidden,
    ]);
    expect(await ask('GET', '/rest/ppp/secret', { user: 'read' })).toEqual([200, []]);
  });

  it('with a wrong password many times waits', async () => {
    for (let at = 0; at < 5; at += 1) await ask('GET', '/rest/ppp/aaa', { password: `guess${at}` });
    expect((await ask('GET', '/rest/ppp/aaa'))[0]).toBe(401);

    services.world.clock.advance(60_000);
    expect((await ask('GET', '/rest/ppp/aaa'))[0]).toBe(200);
  });

  it('and does not read is cut off after a minute', async () => {
    const name = 'x'.repeat(20_000);
    services.world.sessions = Array.from({ length: 2000 }, (_, at) => sessionRow(at, name, 'north'));
    const slow = new Speaker(port);
    slow.socket.removeAllListeners('data').pause();
    slow.socket.write(`GET /rest/ppp/active HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('read')}\r\n\r\n`);

    expect((await ask('GET', '/rest/ppp/active?.proplist=.id'))[1]).toHaveLength(2000);
    services.world.clock.advance(60_000);

    slow.socket.on('error', () => {});
    const octets = await new Promise<number>((closed) => {
      slow.socket.on('close', () => closed(slow.socket.bytesRead)).resume();
    });
    expect(octets).toBeLessThan(2000 * name.length);
  });

  it('over TLS is answered with the certificate of the service', async () => {
    const certificates = new Certificates();
    onTestFinished(() => certificates.remove());
    const { both } = certificates.issue('router', 'IP:127.0.0.1');
    const secure = new ServicesWorld();
    onTestFinished(() => secure.close());
    const securePort = await secure.open('www-ssl', `certificate=${both}`);

    const ca = readFileSync(certificates.authority);
    const answer = await new Promise<string>((told, failed) => {
      const headers = { authorization: basic('read') };
      const options = {
        host: '127.0.0.1',
        port: securePort,
        path: '/rest/user/group?name=read',
        ca,
        headers,
      };
      request(options, (response) => void text(response).then(told, failed))
        .on('error', failed)
        .end();
    });
    expect(JSON.parse(answer)).toEqual([
      { '.id': '*3', name: 'read', policy: 'read,!write,!policy,!sensitive' },
    ]);
  });
});
