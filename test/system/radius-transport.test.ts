/** The exchange with a real FreeRADIUS: UDP over both families, TLS, and a server that is killed and comes back. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.io.ts';
import { silent } from '../../src/base/observe.ts';
import { systemRandom } from '../../src/base/random.io.ts';
import { Secret } from '../../src/base/secret.ts';
import { defaultsOf } from '../../src/base/setting.ts';
import { Exchange } from '../../src/radius/exchange.ts';
import { codes } from '../../src/radius/packet.ts';
import type { Outcome, Query } from '../../src/radius/query.ts';
import { openRadsec } from '../../src/radius/radsec.io.ts';
import { type RadiusServer, radiusMenu } from '../../src/radius/settings.ts';
import { hidePassword } from '../../src/radius/sign.ts';
import { openUdp } from '../../src/radius/udp.io.ts';
import { FreeRadius, hasFreeRadius } from './freeradius.io.ts';
import { Certificates } from './radsec-certificates.io.ts';

const text = new TextEncoder();

function attribute(type: number, value: Uint8Array): number[] {
  return [type, value.length + 2, ...value];
}

/** PAP of `ex`. */
function login(password: string): Query {
  return {
    role: 'authentication',
    code: codes.accessRequest,
    urgency: 'urgent',
    attributes: ({ secret, authenticator }) =>
      Uint8Array.from([
        ...attribute(1, text.encode('ex')),
        ...attribute(2, hidePassword(text.encode(password), secret, authenticator)),
      ]),
  };
}

/** An Accounting-Start. */
const start: Query = {
  role: 'accounting',
  code: codes.accountingRequest,
  urgency: 'urgent',
  attributes: () =>
    Uint8Array.from([
      ...attribute(40, Uint8Array.of(0, 0, 0, 1)),
      ...attribute(44, text.encode('session-1')),
    ]),
};

describe.skipIf(!hasFreeRadius)('with FreeRADIUS', () => {
  let certificates: Certificates;
  let node: { readonly both: string };
  let radius: FreeRadius;
  let ipv6Port = 0;
  let radsecPort = 0;
  const exchanges: Exchange[] = [];

  beforeAll(async () => {
    certificates = new Certificates();
    node = certificates.issue('node', 'DNS:node.test');
    const { certificate, key } = certificates.issue('radius', 'IP:127.0.0.1,DNS:radius.test');
    [ipv6Port, radsecPort] = [await freeUdp6Port(), await freeTcpPort()];
    radius = await FreeRadius.start({
      users: [{ name: 'ex', password: 'lkjrht' }],
      signReplies: true,
      more: `
client ipv6 {
  ipv6addr = ::1
  secret = testing123
}
listen {
  type = auth
  ipv6addr = ::1
  port = ${ipv6Port}
  virtual_server = default
}
listen {
  type = auth+acct
  ipaddr = 127.0.0.1
  port = ${radsecPort}
  proto = tcp
  virtual_server = default
  clients = radsec
  limit {
    max_connections = 16
    lifetime = 0
    idle_timeout = 30
  }
  tls {
    private_key_file = ${key}
    certificate_file = ${certificate}
    ca_file = ${certificates.authority}
    require_client_cert = yes
    tls_min_version = "1.2"
    tls_max_version = "1.2"
  }
}
clients radsec {
  client loopback {
    ipaddr = 127.0.0.1
    proto = tls
    secret = radsec
  }
}
`,
    });
  });

  afterEach(() => {
    for (const exchange of exchanges.splice(0)) exchange.close();
  });

  afterAll(async () => {
    await radius?.remove();
    certificates?.remove();
  });

  function exchangeWith(...servers: readonly Partial<RadiusServer>[]): Exchange {
    const exchange = new Exchange({
      clock: systemClock,
      random: systemRandom,
      openWire: (ends, events) => (ends.protocol === 'radsec' ? openRadsec : openUdp)(ends, events),
      log: silent,
    });
    exchange.configure(
      servers.map((settings) => ({
        ...defaultsOf(radiusMenu),
        service: ['ppp'],
        address: radius.address,
        authenticationPort: radius.authenticationPort,
        accountingPort: radius.accountingPort,
        radsecPort,
        secret: new Secret(radius.secret),
        ...settings,
      })),
    );
    exchanges.push(exchange);
    return exchange;
  }

  it('a password is accepted or refused, and every reply is signed', async () => {
    const exchange = exchangeWith({ requireMessageAuth: 'yes-for-request-resp' });

    expect(await codeOf(exchange, login('lkjrht'))).toBe(codes.accessAccept);
    expect(await codeOf(exchange, login('wrong'))).toBe(codes.accessReject);
    expect(await codeOf(exchange, start)).toBe(codes.accountingResponse);
    expect(exchange.monitor()[0]).toMatchObject({ accepts: 2, rejects: 1, badReplies: 0, timeouts: 0 });
  });

  it('a server on an IPv6 address answers', async () => {
    const exchange = exchangeWith({ address: '::1', authenticationPort: ipv6Port });

    expect(await codeOf(exchange, login('lkjrht'))).toBe(codes.accessAccept);
  });

  it('over TLS both roles are served on one connection', async () => {
    const exchange = exchangeWith(radsec());

    expect(await codeOf(exchange, login('lkjrht'))).toBe(codes.accessAccept);
    expect(await codeOf(exchange, login('wrong'))).toBe(codes.accessReject);
    expect(await codeOf(exchange, start)).toBe(codes.accountingResponse);
    expect(exchange.monitor()[0]?.roles.map(({ server }) => server)).toEqual(
      Array(2).fill(`127.0.0.1:${radsecPort}`),
    );
  });

  it('over TLS a server is known by its name if one is set, and not otherwise', async () => {
    expect(await codeOf(exchangeWith(radsec({ serverName: 'radius.test' })), login('lkjrht'))).toBe(
      codes.accessAccept,
    );
    const other = exchangeWith(radsec({ serverName: 'other.test' }));
    expect(await codeOf(other, { ...login('lkjrht'), deadlineMs: 1_500 })).toBeUndefined();
    expect(other.monitor()[0]?.state).toBe('dead');
  });

  it('over TLS a server of another authority is not believed', async () => {
    const others = new Certificates();
    const exchange = exchangeWith(radsec({ caCertificate: others.authority }), {});

    expect(await codeOf(exchange, login('lkjrht'))).toBe(codes.accessAccept);
    others.remove();

    expect(exchange.monitor().map(({ state, accepts }) => [state, accepts])).toEqual([
      ['dead', 0],
      ['alive', 1],
    ]);
  });

  it('over TLS a file that is not there is a server that cannot be reached', async () => {
    const exchange = exchangeWith(radsec({ certificate: '/nonexistent/node.pem' }), {});

    expect(await codeOf(exchange, login('lkjrht'))).toBe(codes.accessAccept);
    expect(exchange.monitor()[0]?.state).toBe('dead');
  });

  it('a server that was killed is dead, and back by Status-Server when it runs again', async () => {
    const exchange = exchangeWith({ timeout: 500 }, radsec());
    expect(await codeOf(exchange, login('lkjrht'))).toBe(codes.accessAccept);
    const revived = new Promise((resolve) => exchange.onRevived((server, role) => resolve({ server, role })));

    await radius.kill();
    expect(await codeOf(exchange, { ...login('lkjrht'), deadlineMs: 5_000 })).toBeUndefined();
    expect(exchange.monitor()[0]?.roles[0]?.state).toBe('zombie');
    await radius.restart();

    await revived;
    expect(await codeOf(exchange, login('lkjrht'))).toBe(codes.accessAccept);
  });

  it('a connection that the server closed is opened again for the next request', async () => {
    const exchange = exchangeWith(radsec());
    expect(await codeOf(exchange, login('lkjrht'))).toBe(codes.accessAccept);

    await radius.restart();

    expect(await codeOf(exchange, login('lkjrht'))).toBe(codes.accessAccept);
    expect(exchange.monitor()[0]).toMatchObject({ state: 'alive', timeouts: 0 });
  });

  function radsec(settings: Partial<RadiusServer> = {}): Partial<RadiusServer> {
    const { both: certificate } = node;
    return { protocol: 'radsec', certificate, caCertificate: certificates.authority, ...settings };
  }
});

/** The code of the reply; undefined for silence. */
async function codeOf(exchange: Exchange, query: Query): Promise<number | undefined> {
  const outcome = await new Promise<Outcome>((resolve) => exchange.ask(query, resolve));
  return outcome.got === 'reply' ? outcome.packet.code : undefined;
}

async function freeUdp6Port(): Promise<number> {
  const socket = createSocket('udp6').bind(0, '::1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function freeTcpPort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  listener.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
