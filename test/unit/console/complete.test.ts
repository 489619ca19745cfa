import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { below, seededRandom } from '../../../src/base/random.ts';
import type { Completion } from '../../../src/console/complete.ts';
import { unfinished } from '../../../src/console/cursor.ts';
import type { Run } from '../../../src/console/run.ts';
import { plain, sessionRow, transcriptOf, World } from './world.ts';

/** What `run` comes to; nothing in it waits here. */
function resultOf<T>(run: Run<T>): T {
  let step = run.next();
  while (!step.done) {
    let given: unknown;
    if (typeof step.value === 'object')
      step.value.begin((value) => {
        given = value;
      });
    step = run.next(given);
  }
  return step.value;
}

function shown({ from, candidates }: Completion): string {
  if (candidates.length === 0) return 'nothing';
  const texts = candidates.map(({ text, end }) => (text === '' ? '?' : text + end.replace(' ', '_')));
  return `(from ${from}) ${texts.join(' ')}`;
}

const blocks = readFileSync(new URL('../../vectors/completion.txt', import.meta.url), 'utf8')
  .split(/^== /m)
  .slice(1)
  .map((block) => {
    const [head = '', expected = ''] = block.split(/^--\n/m);
    const [law = '', ...configuration] = head.split('\n');
    return { law, configuration: configuration.join('\n'), expected: expected.trimEnd() };
  });

describe('completion offers', () => {
  it.each(blocks)('$law', ({ configuration, expected }) => {
    const world = new World();
    world.configure(configuration);

    const seen = Array.from(expected.matchAll(/^> (.*)\|$/gm), ([line, typed = '']) => {
      const text = typed.replaceAll('«LF»', '\n');
      return `${line}\n${shown(resultOf(world.shell().complete(text)))}`;
    });

    expect(seen.join('\n')).toBe(expected);
  });

  it('what stands in the menu where the operator is', async () => {
    const shell = new World().shell();
    await transcriptOf(shell.run('/ppp secret', plain));

    expect(shown(resultOf(shell.complete('a')))).toBe('(from 0) add_');
    expect(shown(resultOf(shell.complete('.. ac')))).toBe('(from 3) active_');
  });

  it('no more than a hundred of ten thousand users, and no more to insert than all have in common', () => {
    const world = new World();
    world.sessions = Array.from({ length: 10_000 }, (_, at) => sessionRow(at, `user${at + 10_000}`, 'north'));

    const { candidates, omitted, prefix } = resultOf(world.shell().complete('/ppp active remove u'));

    expect(candidates).toHaveLength(100);
    expect(omitted).toBe(9900);
    expect(prefix).toBe('user1');
  });

  it('what the command then accepts, whatever is typed before', async () => {
    const pieces = [
      '/ppp ',
      'secret ',
      '/radius ',
      'add ',
      'print ',
      'set ',
      '0 ',
      '[find ',
      'name=',
      '"',
      '\\',
      ',',
      '] ',
      'where ',
      'a',
      ';',
      '!',
      '\n',
    ];
    let offered = 0;
    for (let seed = 1; seed <= 600; seed += 1) {
      const random = seededRandom(seed);
      const text = Array.from({ length: below(random, 8) }, () => pieces[below(random, pieces.length)]).join(
        '',
      );
      const world = new World();

      const { from, candidates } = resultOf(world.shell().complete(text));

      expect(from, `seed ${seed}: ${text}`).toBeLessThanOrEqual(text.length);
      for (const { text: candidate, end } of candidates.filter(({ end }) => end === ' ').slice(0, 2)) {
        const whole = text.slice(0, from) + candidate + end;
        const fault = await transcriptOf(world.shell().run(whole, plain));
        expect(fault, `seed ${seed}: ${whole}`).not.toMatch(/bad command name/);
        offered += 1;
      }
    }
    expect(offered).toBeGreaterThan(100);
  });
});

describe('a line goes on in the next', () => {
  it.each([
    ['/ppp secret print', undefined],
    ['add name=a \\', 'continuation'],
    ['add comment="a', 'quotation'],
    ['add comment="a\\"', 'quotation'],
    ['add comment="a\\', 'quotation'],
    ['add comment="a" \\', 'continuation'],
    ['# "', undefined],
  ])('%s', (text, expected) => {
    expect(unfinished(text)).toBe(expected);
  });
});
