import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/base/fault.ts';
import type { Form } from '../../../src/console/desk.ts';
import { argumentsFor, PingReader } from '../../../src/console/iputils.ts';
import type { Run } from '../../../src/console/run.ts';
import { plain, World } from './world.ts';

/** What the command says; it waits for the system's ping, which really sends. */
async function ping(line: string, form: Form = plain): Promise<string> {
  const run: Run = new World().shell().run(line, form);
  let said = '';
  try {
    let step = run.next();
    while (!step.done) {
      const { value } = step;
      if (typeof value === 'string') said += value;
      const given =
        typeof value === 'string' ? undefined : await new Promise((resume) => void value.begin(resume));
      step = run.next(given);
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    said += `! ${error.message}\n`;
  }
  return said.replace(/\b(\d+ms)?\d+us|\b\d+ms/g, 'TIME').replace(/(TIME) +$/gm, '$1');
}

describe('/ping', () => {
  it('shows replies as RouterOS does, and sums them up', async () => {
    expect(await ping('/ping 127.0.0.1 count=2 interval=10ms size=100')).toBe(
      [
        '  SEQ HOST                                     SIZE TTL TIME       STATUS',
        '    0 127.0.0.1                                 100  64 TIME',
        '    1 127.0.0.1                                 100  64 TIME',
        '    sent=2 received=2 packet-loss=0% min-rtt=TIME avg-rtt=TIME max-rtt=TIME',
        '',
      ].join('\n'),
    );
  });

  it('tells JSON, an object a line', async () => {
    const lines = (await ping('/ping 127.0.0.1 count=1', { ...plain, json: true })).trimEnd().split('\n');

    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { seq: '0', host: '127.0.0.1', size: '56', ttl: '64', time: 'TIME' },
      {
        sent: '1',
        received: '1',
        'packet-loss': '0%',
        'min-rtt': 'TIME',
        'avg-rtt': 'TIME',
        'max-rtt': 'TIME',
      },
    ]);
  });

  it('says why nothing can be sent', async () => {
    expect(await ping('/ping 127.0.0.1 count=1 src-address=203.0.113.77')).toMatch(
      /! .*failure: ping: bind: Cannot assign requested address\n$/,
    );
    expect(await ping('/ping')).toMatch(/missing value\(s\) of argument\(s\) address\n$/);
    expect(await ping('/ping 127.0.0.1')).toMatch(/missing value\(s\) of argument\(s\) count\n$/);
    expect(await ping('/ping 127.0.0.1 count=1 size=27')).toMatch(
      /value of size out of range \(28\.\.65535\)\n$/,
    );
    expect(await ping('/ping -f count=1')).toMatch(/invalid value for argument address\n$/);
  });
});

describe('what ping prints', () => {
  it('is told once for each request: a reply that comes too late is none', () => {
    const reader = new PingReader('10.0.0.1');
    const lines = [
      'PING 10.0.0.1 (10.0.0.1) 28(56) bytes of data.',
      'no answer yet for icmp_seq=1',
      '36 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=1100 ms',
      '36 bytes from 10.0.0.1: icmp_seq=2 ttl=63 time=1.25 ms',
      'From 10.0.0.254 icmp_seq=3 Time to live exceeded',
      'no answer yet for icmp_seq=3',
      'From 10.0.0.254 icmp_seq=4 Frag needed and DF set (mtu = 1400)',
      'ping: local error: message too long, mtu=1400',
    ];

    const told = [...lines.flatMap((line) => reader.read(line) ?? []), ...reader.rest(6)];

    expect(told).toEqual([
      { event: 'failure', sequence: 0, host: '10.0.0.1', status: 'timeout' },
      { event: 'reply', sequence: 1, host: '10.0.0.1', size: 56, ttl: 63, timeMs: 1.25 },
      { event: 'failure', sequence: 2, host: '10.0.0.254', status: 'TTL exceeded' },
      { event: 'failure', sequence: 3, host: '10.0.0.254', status: 'fragmentation needed and DF set' },
      {
        event: 'failure',
        sequence: 4,
        host: '10.0.0.1',
        status: 'packet too large and cannot be fragmented',
      },
      { event: 'failure', sequence: 5, host: '10.0.0.1', status: 'timeout' },
    ]);
  });

  it('comes of a size that counts the headers', () => {
    const request = { target: 'a.example', count: 3, intervalMs: 500, size: 1500, source: undefined };

    expect(argumentsFor({ ...request, doNotFragment: true }).join(' ')).toBe(
      '-n -O -4 -W 1 -i 0.5 -s 1472 -c 3 -M do a.example',
    );
  });
});
