/**
 * A node whose control process is killed again and again under live sessions with traffic, handed over, and replaced by another
 * release; what became of the sessions, of their packets and of their accounting. FreeRADIUS judges and keeps the books.
 */

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatIpv4, parseIpv4 } from '../../src/base/ip.ts';
import type { Dialer } from '../../src/client/dialer.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import { withoutCopies } from './accounting-copies.ts';
import { ClientHost } from './client-host.io.ts';
import { addresses, type Concentrator, Site } from './concentrator.io.ts';
import { type Echoed, EchoSwarm } from './echo-swarm.io.ts';
import { FreeRadius, type Recorded } from './freeradius.io.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
/** Addresses that clients dial from: one address may hold 64 half-open connections. */
const sources = Array.from({ length: 16 }, (_, at) => `10.200.0.${100 + at}`);
/** Calls that are being set up at a time. */
const atOnce = 48;

export interface RideOptions {
  readonly sessions: number;
  readonly kills: number;
  /** Each session is asked once in this time, in ms. */
  readonly everyMs: number;
  /** Between two Interim-Updates, in s. */
  readonly interimSeconds: number;
}

export interface Ridden {
  readonly sessions: number;
  /** Before the first kill, and from then to the end. */
  readonly calm: Echoed;
  readonly stormy: Echoed;
  /** Lines of clients that say that a tunnel ended. */
  readonly ended: readonly string[];
  /** How many sessions each process went on with. */
  readonly resumed: readonly number[];
  /** By Acct-Session-Id, in the order in which they came. */
  readonly told: ReadonlyMap<string, readonly Recorded[]>;
}

/** Kills control `kills` times, then hands over to a newer release, and back to this one. */
export async function ride({ sessions, kills, everyMs, interimSeconds }: RideOptions): Promise<Ridden> {
  const site = new Site('takeover');
  for (const source of sources) site.client.run('ip', 'address', 'add', `${source}/24`, 'dev', site.cable);
  const radius = await FreeRadius.start({
    namespace: site.server,
    isQuiet: true,
    users: [{ name: 'DEFAULT', password: 'x' }],
  });
  const newer = newerRelease();
  const host = await ClientHost.start(site.client, { sources });
  try {
    const script = `
/ip pool add name=far ranges=10.77.0.0/16
/ip pool add name=near ranges=10.78.0.0/16
/ppp profile set default-encryption local-address=near remote-address=far use-encryption=required
/radius add service=ppp address=127.0.0.1 secret=${radius.secret}
/ppp aaa set use-radius=yes interim-update=${interimSeconds}s
/interface pptp-server server set enabled=yes`;
    let server = await site.startServer(script);
    const { directory } = server;
    const ended: string[] = [];
    const dialers = await bringUp(host, sessions, ended);
    const swarm = new EchoSwarm(site.server, site.client);
    await swarm.ask(dialers.map(addressOf), everyMs);
    await swarm.tally();
    await radius.recorded(2 * sessions); // Starts and interims.
    const calm = await swarm.tally();

    const resumed: number[] = [];
    const next = async (program?: string) => {
      server = site.start(site.server, script, { directory, ...(program && { program }) });
      const line = await server.line(/^sessions of the control process before this one go on/);
      resumed.push(Number(line.sessions));
      await server.line(/^listening on TCP 1723/);
    };
    for (let kill = 0; kill < kills; kill += 1) {
      await server.kill();
      await next();
    }
    await handOver(server);
    await next(newer.program);
    await handOver(server);
    await next();
    await radius.recorded(radius.records().length + sessions);
    const stormy = await swarm.tally();
    await swarm.end();
    const endedBefore = [...ended];
    await server.end();
    await host.stop();
    const { told } = withoutCopies(radius.records());
    return { sessions, calm, stormy, ended: endedBefore, resumed, told };
  } finally {
    newer.remove();
    await site.remove();
    await radius.remove();
  }
}

async function handOver(server: Concentrator): Promise<void> {
  const { status } = await server.handOver();
  if (status !== 0) throw new Error(`control did not hand over: ${status}\n${server.output}`);
}

async function bringUp(host: ClientHost, sessions: number, ended: string[]): Promise<readonly Dialer[]> {
  const up = new Set<Dialer>();
  const dialers: Dialer[] = [];
  let told: () => void = () => {};
  const dial = () => {
    const at = dialers.length;
    const connectTo = { address: parseIpv4(addresses.server) ?? 0 };
    const choice = { name: `c${at}`, user: `user${at}`, password: new Password('x'), connectTo };
    const dialer = host.dial(choice, (_severity, _topics, text) => {
      if (/: connected, /.test(text)) up.add(dialer);
      if (/terminating|logged out/.test(text)) ended.push(text);
      told();
    });
    dialers.push(dialer);
  };
  while (up.size < sessions) {
    while (dialers.length < sessions && dialers.length - up.size < atOnce) dial();
    if (up.size < sessions) await new Promise<void>((something) => (told = something));
  }
  return dialers;
}

function addressOf({ session }: Dialer): string {
  return formatIpv4(session?.agreed?.local ?? 0);
}

/** The program as a later release: it writes more into its memos, and knows more of them. */
function newerRelease() {
  const directory = mkdtempSync(join(tmpdir(), 'pptp-newer-'));
  cpSync(join(project, 'build'), join(directory, 'build'), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(directory, 'node_modules'));
  change(join(project, 'package.json'), join(directory, 'package.json'), [
    /"version": "[^"]*"/,
    '"version": "99.0.0"',
  ]);
  const memo = join(directory, 'build/session/memo.js');
  change(
    memo,
    memo,
    [/memoForm\.write\(memo\)/, "{ release: '99', ...memoForm.write(memo) }"],
    [/const memoForm = objectOf\(\{/, "const memoForm = objectOf({ release: optional(word('99')),"],
  );
  return {
    program: join(directory, 'build/main.js'),
    remove: () => rmSync(directory, { recursive: true }),
  };
}

function change(from: string, to: string, ...changes: readonly (readonly [RegExp, string])[]): void {
  let text = readFileSync(from, 'utf8');
  for (const [what, by] of changes) {
    if (!what.test(text)) throw new Error(`${from} has no ${what}`);
    text = text.replace(what, by);
  }
  writeFileSync(to, text);
}
