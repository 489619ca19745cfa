/** Requests of a real radclient over loopback. It needs no server: we are the one. */

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toBytes } from '../../../src/base/bytes.ts';
import { systemClock } from '../../../src/base/clock.io.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import { parseIpv4 } from '../../../src/base/ip.ts';
import { silent } from '../../../src/base/observe.ts';
import { attributeCodec } from '../../../src/radius/codec.io.ts';
import { IncomingSocket } from '../../../src/radius/dynamic.io.ts';
import { type Answer, DynamicAuthorization, type DynamicRequest } from '../../../src/radius/dynamic.ts';
import { errorCauses } from '../../../src/radius/error-cause.ts';

const program = '/usr/bin/radclient';
const secret = 'testing123';
const address = parseIpv4('127.0.0.1') ?? 0;

let acts: DynamicRequest[];
let act: (request: DynamicRequest, answer: Answer) => void;
let authorization: DynamicAuthorization;
let socket: IncomingSocket;
let port: number;

/** The socket on a free port, once it listens. */
function listen(): Promise<number> {
  return new Promise((resolve) => {
    socket = new IncomingSocket({
      clock: systemClock,
      address,
      log: (_severity, _topics, _text, facts) => resolve(Number(facts?.port)),
      received: (octets, source) => authorization.received(octets, source),
    });
    socket.configure({ accept: true, port: 0 });
  });
}

beforeEach(async () => {
  acts = [];
  act = (_, answer) => answer();
  authorization = new DynamicAuthorization({
    clock: systemClock,
    codec: attributeCodec,
    log: silent,
    askerAt: (from) =>
      from === '127.0.0.1' ? { secret: toBytes(secret), requireMessageAuthenticator: false } : undefined,
    act(request, answer) {
      acts.push(request);
      act(request, answer);
    },
    send: (octets, to) => socket.send(octets, to),
  });
  port = await listen();
});

afterEach(() => socket.close());

/** What radclient says of the reply, which it verifies. */
async function radclient(
  kind: 'coa' | 'disconnect',
  attributes: string,
  { withSecret = secret, timeoutS = 10 } = {},
): Promise<string> {
  const args = ['-x', '-r', '1', '-t', String(timeoutS), `127.0.0.1:${port}`, kind, withSecret];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  child.stdin.end(`${attributes}\n`);
  await once(child, 'close');
  return said;
}

describe.runIf(existsSync(program))('radclient', () => {
  it('disconnects', async () => {
    const said = await radclient('disconnect', 'User-Name = "ann"\nAcct-Session-Id = "00000001"');

    expect(said).toMatch(/Received Disconnect-ACK/);
    expect(acts.map(({ kind }) => kind)).toEqual(['disconnect']);
    expect(acts[0]?.attributes.first('Acct-Session-Id')).toBe('00000001');
    expect(authorization.monitor).toEqual({ requests: 1, badRequests: 0, acks: 1, naks: 0 });
  });

  it('changes, signs, and gets back what it sent along', async () => {
    const said = await radclient(
      'coa',
      [
        'User-Name = "ann"',
        'Mikrotik-Rate-Limit = "1M/2M"',
        'State = 0x0102',
        'Proxy-State = 0x0a',
        'Proxy-State = 0x0b',
        'Message-Authenticator = 0x00',
      ].join('\n'),
    );

    expect(said).toMatch(/Received CoA-ACK/);
    expect(said.slice(said.indexOf('Received'))).toMatch(
      /Message-Authenticator = 0x[\s\S]*State = 0x0102[\s\S]*Proxy-State = 0x0a[\s\S]*Proxy-State = 0x0b/,
    );
    expect(acts[0]?.attributes.first('Mikrotik-Rate-Limit')).toBe('1M/2M');
  });

  it('is told why nothing was done', async () => {
    act = (_, answer) => answer(errorCauses.sessionContextNotFound);
    const said = await radclient('coa', 'User-Name = "nobody"\nSession-Timeout = 60');

    expect(said).toMatch(/Received CoA-NAK/);
    expect(said).toMatch(/Error-Cause = Session-Context-Not-Found/);
  });

  it('is answered later, too', async () => {
    act = (_, answer) => void systemClock.arm(20, answer);
    const said = await radclient('disconnect', 'User-Name = "ann"');

    expect(said).toMatch(/Received Disconnect-ACK/);
  });

  it('with another secret gets no answer', async () => {
    const said = await radclient('disconnect', 'User-Name = "ann"', { withSecret: 'wrong', timeoutS: 0.3 });

    expect(said).toMatch(/No reply from server/);
    expect(acts).toEqual([]);
    expect(authorization.tally.read('wrong-authenticator')).toBe(1);
  });
});

describe('the port', () => {
  it('is given back when requests are not heard any more, and taken again', async () => {
    socket.configure({ accept: false, port });
    const other = createSocket('udp4').bind(port, '127.0.0.1');
    await once(other, 'listening');
    other.close();
    await once(other, 'close');

    expect(await listen()).toBeGreaterThan(0);
  });

  it('that another has is told once, tried again, and taken when it is free', async () => {
    const clock = new VirtualClock();
    const other = createSocket('udp4').bind(0, '127.0.0.1');
    await once(other, 'listening');
    const taken = other.address().port;
    const lines: string[] = [];
    let told = (): void => {};
    const second = new IncomingSocket({
      clock: {
        ...systemClock,
        arm: (delayMs, fire) => {
          const timer = clock.arm(delayMs, fire);
          told();
          return timer;
        },
      },
      address,
      log(severity, _topics, text, facts) {
        lines.push(`${severity}: ${text} ${facts?.hint ?? ''}`);
        if (severity === 'info') told();
      },
      received: () => {},
    });
    const next = (): Promise<void> =>
      new Promise((resolve) => {
        told = resolve;
      });

    const failed = next();
    second.configure({ accept: true, port: taken });
    await failed;
    const failedAgain = next();
    clock.advance(5_000);
    await failedAgain;
    other.close();
    await once(other, 'close');
    const listening = next();
    clock.advance(5_000);
    await listening;
    second.close();

    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^error: .*EADDRINUSE.* Another program/);
    expect(lines[1]).toMatch(new RegExp(`^info: .*:${taken}`));
  });
});
