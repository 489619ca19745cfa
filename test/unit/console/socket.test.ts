import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { text as word } from '../../../src/base/kind.ts';
import { silent } from '../../../src/base/observe.ts';
import { type AnyMenu, type Kind, menu } from '../../../src/base/setting.ts';
import type { Face } from '../../../src/console/face.ts';
import { type Console, openConsole } from '../../../src/console/socket.io.ts';
import { type Commands, encode } from '../../../src/console/wire.ts';
import { sessionRow, World } from './world.ts';

const program = fileURLToPath(new URL('../../../src/console/pptpctl.io.ts', import.meta.url));
const typescript = fileURLToPath(new URL('../../system/typescript.mjs', import.meta.url));

let directory: string;
let path: string;
let world: World;
let opened: Console | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'console-'));
  path = join(directory, 'console.sock');
  world = new World();
  opened = await openConsole({ ...world.services, path, log: silent });
});

afterEach(async () => {
  await opened?.close();
  rmSync(directory, { recursive: true });
});

interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function start(...words: string[]): ChildProcess {
  return spawn(process.execPath, ['--import', typescript, program, '--run', directory, ...words]);
}

async function pptpctl(words: readonly string[], input = ''): Promise<Outcome> {
  const child = start(...words);
  child.stdin?.end(input);
  const [out, err, [status]] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { status, out, err };
}

function question(run: string, more: Partial<Commands> = {}): string {
  return encode({ run, width: undefined, json: false, ...more });
}

/** All answers up to the `count`th end. */
async function answersOf(socket: Socket, count: number): Promise<string[]> {
  let heard = '';
  for await (const chunk of socket) {
    heard += chunk;
    if (heard.split('{"end":').length > count) break;
  }
  return heard.trimEnd().split('\n');
}

describe('pptpctl', () => {
  it('does one command and ends well', async () => {
    const outcome = await pptpctl(['/ppp active print where node=north']);

    expect(outcome).toMatchObject({ status: 0, err: '' });
    expect(outcome.out).toMatch(/^0 {2}R {2}alice .* north$/m);
  });

  it('takes the command in several words, and answers in JSON', async () => {
    const outcome = await pptpctl(['--json', '/ppp', 'active', 'print', 'where', 'name=bob']);

    expect(JSON.parse(outcome.out)).toMatchObject([{ name: 'bob', node: 'south' }]);
  });

  it('takes commands from its input', async () => {
    const outcome = await pptpctl([], '/ppp secret\nadd name=a\nadd name=b\nprint count-only\n');

    expect(outcome).toEqual({ status: 0, out: '2\n', err: '' });
  });

  it('ends with 1 and the fault, its place and what to do, when it is refused', async () => {
    const outcome = await pptpctl(['/ppp secret add foo=1']);

    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toMatch(/^expected end of command \(line 1 column 17\)\n {2}Properties of/);
    expect(world.store.current.number).toBe(0);
  });

  it('ends with 1 and says so when there is no daemon', async () => {
    await opened?.close();

    const outcome = await pptpctl(['/ppp active print']);

    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toMatch(/^no daemon answers at .*console\.sock: ENOENT\n {2}Is it running/);
  });

  it('ends with 1 when it is asked in a wrong way', async () => {
    const outcome = await pptpctl(['--frobnicate']);

    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toMatch(/frobnicate/);
  });
});

describe('the console’s socket', () => {
  it('is for its owner alone', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is not taken from a daemon that lives', async () => {
    await expect(openConsole({ ...world.services, path, log: silent })).rejects.toMatchObject({
      code: 'CONSOLE_SOCKET',
    });
  });

  it('keeps the place and the last print of each connection to itself', async () => {
    const [one, other] = [createConnection(path), createConnection(path)];
    one.write(question('/ppp secret add name=a') + question('/ppp secret') + question('get 0 name'));
    other.write(question('/interface pptp-server') + question('get 0 name'));

    const [ofOne, ofOther] = await Promise.all([answersOf(one, 3), answersOf(other, 2)]);

    expect(ofOne.slice(-2)).toEqual([
      '{"text":"a\\n"}',
      '{"end":{"path":"/ppp secret","prompt":"[admin@north] /ppp/secret> "}}',
    ]);
    expect(ofOther.slice(-2)).toEqual([
      '{"text":"<pptp-MT-User>\\n"}',
      '{"end":{"path":"/interface pptp-server","prompt":"[admin@north] /interface/pptp-server> "}}',
    ]);
  });

  it('refuses what is no question, and goes on', async () => {
    const socket = createConnection(path);
    socket.write(`hello\n${question('/system license get level')}`);

    const answers = await answersOf(socket, 2);

    expect(answers[0]).toMatch(/CONSOLE_PROTOCOL/);
    expect(answers.slice(1)).toEqual([
      '{"text":"level6\\n"}',
      '{"end":{"path":"/","prompt":"[admin@north] > "}}',
    ]);
  });

  it('hangs up on a question without an end', async () => {
    const socket = createConnection(path);
    socket.write('x'.repeat(100_000));

    const answers = await answersOf(socket, 1);

    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatch(/CONSOLE_TOO_LONG/);
  });

  it('does thousands of commands in one question', async () => {
    const socket = createConnection(path);
    socket.write(question('/ppp active print count-only;'.repeat(2000)));

    const answers = await answersOf(socket, 1);

    const texts = answers.slice(0, -1).map((line) => (JSON.parse(line) as { text: string }).text);
    expect(texts.join('')).toBe('3\n'.repeat(2000));
  });
});

describe('what goes on', () => {
  it('is ended by an interrupt, and the next question is answered', async () => {
    const socket = createConnection(path);
    socket.write(question('/ppp active print count-only interval=1h'));
    await once(socket, 'data');

    socket.write(encode({ interrupt: true }) + question('/ppp active print count-only'));

    const answers = await answersOf(socket, 2);
    expect(answers.map((line) => Object.keys(JSON.parse(line)).join())).toEqual(['end', 'text', 'end']);
    expect(answers.join()).not.toContain('fault');
  });

  it('is not ended by an interrupt that came too late', async () => {
    const socket = createConnection(path);
    socket.write(encode({ interrupt: true }) + question('/ppp active print count-only'));

    expect(await answersOf(socket, 1)).toHaveLength(2);
  });

  it('ends when the operator is gone', async () => {
    const before = world.clock.step();
    const socket = createConnection(path);
    socket.write(question('/ppp active print count-only interval=1h'));
    await once(socket, 'data');

    socket.destroy();
    await opened?.close();

    expect([before, world.clock.step()]).toEqual([false, false]);
  });

  it('does not keep a change in safe mode from being undone when the daemon ends', async () => {
    const socket = createConnection(path);
    socket.write(
      question('/safe-mode take; /ppp secret add name=a; /ppp secret print count-only interval=1h'),
    );
    await once(socket, 'data');
    await stillnessOf(() => world.store.current.number);

    await opened?.close();

    expect(world.store.current.number).toBe(2);
    expect(world.store.current.tree.lists.get('/ppp secret')?.items.size).toBe(0);
  });

  it('lets a completion be asked for between commands', async () => {
    const socket = createConnection(path);
    socket.write(question('/ppp secret') + encode({ complete: 'pr' }));

    const answers = await answersOf(socket, 2);

    expect(JSON.parse(answers[1] ?? '')).toEqual({
      completion: {
        from: 0,
        candidates: [{ text: 'print', end: ' ', help: 'Shows the items, or the values.' }],
        prefix: 'print',
        omitted: 0,
      },
    });
  });
});

describe('ten thousand sessions', () => {
  beforeEach(() => {
    world.sessions = Array.from({ length: 10_000 }, (_, at) =>
      sessionRow(at, `user${at}`, at % 3 === 0 ? 'north' : 'south', { uptimeMs: at * 1000 }),
    );
  });

  it('are printed with a second of work, and others have their turns between', async () => {
    const socket = createConnection(path);
    let tail = '';
    let octets = 0;
    let turns = 0;
    const beganMs = performance.now();
    const began = process.cpuUsage();
    socket.on('data', (chunk: Buffer) => {
      octets += chunk.length;
      tail = (tail + chunk.toString('latin1')).slice(-200);
    });
    socket.write(question('/ppp active print', { width: 120 }));
    while (!tail.includes('{"end":')) {
      await new Promise(setImmediate);
      turns += 1;
    }
    socket.destroy();

    const { user, system } = process.cpuUsage(began);
    const [workMs, tookMs] = [(user + system) / 1000, performance.now() - beganMs];
    console.log(
      `10,000 sessions: ${octets} octets, ${workMs} ms of work in ${tookMs.toFixed(0)} ms, ${turns} turns`,
    );
    expect(tail).toContain('user9999');
    expect(workMs).toBeLessThan(1000);
    // As many as there are pieces, at least.
    expect(turns).toBeGreaterThan(40);
  });
});

describe('a reader that stops', () => {
  const items = 20_000;

  it('holds the answer back, and gets all of it when it goes on', async () => {
    let formatted = 0;
    const counted: Kind<string> = {
      ...word,
      format: (value) => {
        formatted += 1;
        return value;
      },
    };
    await opened?.close();
    opened = await openConsole({ ...world.services, faces: [listOf(counted, items)], path, log: silent });
    const socket = createConnection(path);
    await once(socket, 'connect');
    socket.pause();
    socket.write(question('/list print detail'));
    await stillnessOf(() => formatted);

    expect(formatted).toBeGreaterThan(0);
    expect(formatted).toBeLessThan(items / 2);
    const answers = await answersOf(socket, 1);
    expect(answers.at(-1)).toBe('{"end":{"path":"/","prompt":"[admin@north] > "}}');
    expect(formatted).toBe(items);
  });
});

/** A menu of what runs: `count` items with one value. */
function listOf(kind: Kind<string>, count: number): Face {
  const one = menu({
    path: '/list',
    kind: 'list',
    help: '',
    rows: { name: { kind, default: '', applies: 'live', readOnly: true, help: '' } },
  });
  const all = Array.from({ length: count }, (_, at) => ({
    id: `*${at.toString(16)}`,
    flags: '',
    values: { name: `${at}`.repeat(10) },
    isConfigured: false,
  }));
  return {
    menu: one as unknown as AnyMenu,
    configured: undefined,
    columns: undefined,
    live: { items: (_, answer) => answer({ items: all }) },
  };
}

/** Resolves when `value` has stayed the same for many turns of the event loop. */
async function stillnessOf(value: () => number): Promise<void> {
  let seen = -1;
  for (let turns = 0; turns < 500; turns += 1) {
    await new Promise(setImmediate);
    if (value() !== seen || seen === 0) turns = 0;
    seen = value();
  }
}
