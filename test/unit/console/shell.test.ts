import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/base/fault.ts';
import { plain, sessionRow, transcriptOf, World } from './world.ts';

interface Transcript {
  readonly law: string;
  readonly configuration: string;
  readonly typed: readonly { readonly prompt: string; readonly line: string }[];
  readonly expected: string;
}

/** `== law`, a configuration, `--`, then lines typed behind a prompt (`> `, `80> `, `json> `) with what they bring. */
function transcripts(): Transcript[] {
  const text = readFileSync(new URL('../../vectors/console.txt', import.meta.url), 'utf8');
  return text
    .split(/^== /m)
    .slice(1)
    .map((block) => {
      const [head = '', expected = ''] = block.split(/^--\n/m);
      const [law = '', ...configuration] = head.split('\n');
      const typed = [...expected.matchAll(/^(\d*|json)> (.*)$/gm)].map(([, prompt = '', line = '']) => ({
        prompt,
        line,
      }));
      return { law, configuration: configuration.join('\n'), typed, expected: expected.trimEnd() };
    });
}

describe('at the console', () => {
  it.each(transcripts())('$law', async ({ configuration, typed, expected }) => {
    const world = new World();
    world.configure(configuration);
    const shell = world.shell();

    const seen: string[] = [];
    for (const { prompt, line } of typed) {
      const form = { width: /^\d+$/.test(prompt) ? Number(prompt) : undefined, json: prompt === 'json' };
      seen.push(`${prompt}> ${line}\n`, await transcriptOf(shell.run(line, form)));
    }

    expect(seen.join('').trimEnd()).toBe(expected);
  });
});

describe('a change', () => {
  it('that cannot be kept says why, and is none', async () => {
    const world = new World();
    world.refusal = new Fault(
      'CONFIG_READ_ONLY',
      'operator',
      'failure: the configuration is read-only',
      'See --config.',
    );

    const seen = await transcriptOf(world.shell().run('/ppp secret add name=a', plain));

    expect(seen).toBe('! failure: the configuration is read-only\n');
    expect(world.store.current.number).toBe(0);
  });

  it('of several in one question: those before the one that fails stay done', async () => {
    const world = new World();

    const seen = await transcriptOf(
      world.shell().run('/ppp secret add name=a; /ppp secret add name=a', plain),
    );

    expect(seen).toBe('! failure: secret with the same name already exists\n');
    expect(world.store.current.number).toBe(1);
  });

  it('is not begun if the text behind it cannot be read', async () => {
    const world = new World();

    const seen = await transcriptOf(
      world.shell().run('/ppp secret add name=a; /ppp secret add name="', plain),
    );

    expect(seen).toMatch(/^! expected closing quotation mark/);
    expect(world.store.current.number).toBe(0);
  });
});

describe('safe mode', () => {
  it('is undone although another change came in between', async () => {
    const world = new World();
    const shell = world.shell();
    await transcriptOf(shell.run('/safe-mode take; /ppp secret add name=a', plain));
    world.refusals = [new Fault('CONFIG_STALE', 'operator', 'configuration has changed since', '')];

    const fault = await new Promise((answer) => shell.lose(answer));

    expect(fault).toBeUndefined();
    expect(world.store.current.tree.lists.get('/ppp secret')?.items.size).toBe(0);
  });

  it('that cannot be undone stays, so that it can be tried again', async () => {
    const world = new World();
    const shell = world.shell();
    await transcriptOf(shell.run('/safe-mode take; /ppp secret add name=a', plain));
    world.refusals = [new Fault('CONFIG_UNWRITABLE', 'system', 'the disk is full', '')];

    expect(await transcriptOf(shell.run('/safe-mode unroll', plain))).toBe('! the disk is full\n');
    expect(await transcriptOf(shell.run('/safe-mode unroll', plain))).toBe('[Safe Mode unrolled]\n');
    expect(world.store.current.tree.lists.get('/ppp secret')?.items.size).toBe(0);
  });
});

describe('a session', () => {
  it('is ended by the node that has it, all of one node by one command', async () => {
    const world = new World();

    const seen = await transcriptOf(world.shell().run('/ppp active remove [find node=south]', plain));

    expect(seen).toBe('');
    expect(world.kicked).toEqual(['south: 5f0e2c6742ffd100000002 5f0e2c6742ffd100000003']);
  });

  it('is one of many that are ended: a node is told in several commands, and all end', async () => {
    const world = new World();
    world.sessions = Array.from({ length: 1_000 }, (_, at) =>
      sessionRow(at, `user${at}`, at % 2 ? 'north' : 'south'),
    );

    const seen = await transcriptOf(world.shell().run('/ppp active remove [find]', plain));

    expect(seen).toBe('');
    expect(world.sessions).toHaveLength(0);
    expect(world.kicked.map((order) => order.split(' ').length - 1)).toEqual([250, 250, 250, 250]);
  });

  it('of a node that does not answer is told by the name of the node', async () => {
    const world = new World();
    world.nodes = world.nodes.filter(({ node }) => node === 'north');

    const seen = await transcriptOf(world.shell().run('/ppp active remove alice', plain));

    expect(seen).toBe('! failure: not disconnected: south does not answer\n');
    expect(world.kicked).toEqual(['north: 5f0e2c6742ffd100000001']);
  });

  it('goes with its interface, a static entry stays', async () => {
    const world = new World();
    world.configure('/interface pptp-server add name=laptop user=ex');

    const seen = await transcriptOf(world.shell().run('/interface pptp-server remove 0', plain));

    expect(seen).toBe('');
    expect(world.kicked).toEqual(['north: 5f0e2c6742ffd100000001']);
    expect(world.store.current.tree.lists.get('/interface pptp-server')?.items.size).toBe(1);
  });
});
