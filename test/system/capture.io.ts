/**
 * What goes over a cable, as tcpdump takes it and tshark understands it. The capture is read while it grows, so that its end
 * is known: it is there when the mark has been seen that was sent last.
 */

import { execFile } from 'node:child_process';
import { on } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { Namespace } from '../netns/namespaces.io.ts';

const execute = promisify(execFile);

/** In a datagram of its own, after all that is to be captured. */
const mark = 'this is the end of the capture';

export interface Capture {
  /** Ends it when the mark has come through, which the caller sends; returns the file's octets. */
  end(): Promise<Uint8Array>;
}

/** Captures what `filter` takes on `link`; resolves when it has begun. The mark goes to UDP port 9 of `address`. */
export async function capture(
  namespace: Namespace,
  link: string,
  filter: string,
  sender: Namespace,
  address: string,
): Promise<Capture> {
  const words = ['-i', link, '-U', '-s', '0', '--immediate-mode', '-w', '-', `(${filter}) or udp port 9`];
  const tcpdump = namespace.start(['tcpdump', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  const { stdout, stderr } = tcpdump;
  if (stdout === null || stderr === null) throw new Error('a capture needs pipes');
  const chunks: Buffer[] = [];
  const marked = new Promise<void>((resolve) => {
    stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (Buffer.concat(chunks.slice(-2)).includes(mark)) resolve();
    });
  });
  await hearing(stderr, /listening on/);
  return {
    async end() {
      sender.run('bash', '-c', `echo ${mark} >/dev/udp/${address}/9`);
      await marked;
      tcpdump.kill('SIGKILL');
      return Buffer.concat(chunks);
    },
  };
}

/** Waits until `stream` has said something that fits, in whatever pieces; throws with what it said instead if it ends. */
async function hearing(stream: Readable, pattern: RegExp): Promise<void> {
  let said = '';
  for await (const chunk of on(stream, 'data', { close: ['end'] })) {
    said += String(chunk);
    if (!pattern.test(said)) continue;
    stream.resume();
    return;
  }
  throw new Error(`tcpdump: ${said}`);
}

/** One packet of a capture: its protocol and what tshark says of it. */
export interface Row {
  readonly protocol: string;
  readonly info: string;
}

/** What tshark reads of a capture; `filter` is one of its display filters. */
export async function dissect(octets: Uint8Array, filter: string): Promise<Row[]> {
  const directory = await mkdtemp(join(tmpdir(), 'pptp-capture-'));
  try {
    const file = join(directory, 'session.pcap');
    await writeFile(file, octets);
    const fields = ['-T', 'fields', '-e', '_ws.col.Protocol', '-e', '_ws.col.Info'];
    const { stdout } = await execute('tshark', ['-n', '-r', file, '-Y', filter, ...fields], {
      maxBuffer: 1 << 26,
    });
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [protocol = '', info = ''] = line.split('\t');
        return { protocol, info };
      });
  } finally {
    await rm(directory, { recursive: true });
  }
}
