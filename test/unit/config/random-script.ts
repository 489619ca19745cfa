/** Random texts, and random scripts that every menu of the configuration accepts. */

import { below, type Random } from '../../../src/base/random.ts';
import { Refusal, type Setting } from '../../../src/base/setting.ts';
import { menus } from '../../../src/config/configuration.ts';
import { ScriptFault } from '../../../src/config/fault.ts';
import { quote } from '../../../src/config/quotation.ts';
import { Store } from '../../../src/config/store.ts';

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}

export function randomText(random: Random): string {
  const letters = [
    'a',
    'Z',
    '0',
    ' ',
    '"',
    '\\',
    '$',
    '?',
    '\n',
    '\r',
    '\t',
    '\x00',
    '\x7f',
    '\x85',
    '=',
    ';',
    '#',
    '[',
    ']',
    '{',
    'ж',
    '😀',
    '_',
    '\\_',
    '!',
    ',',
  ];
  return Array.from({ length: below(random, 20) }, () => pick(random, letters)).join('');
}

/** A script that gives random values to random rows of every menu. */
export function randomScript(random: Random): string {
  const lines: string[] = [];
  for (const { path, kind, settings, naming, isGiven } of menus) {
    const values = () =>
      settings
        .filter(({ key, required }) => key !== 'name' && (required || below(random, 3) === 0))
        .map((setting) => `${setting.name}=${quote(randomValue(random, setting))}`)
        .join(' ');
    if (kind === 'settings') lines.push(acceptable(() => `${path} set ${values()}`));
    for (let count = kind === 'list' ? below(random, 4) : 0; count > 0; count -= 1) {
      // What the host or the program has by itself is only set.
      const given = isGiven ? nameFor(path, count) : namesOf(settings)[0];
      if (given !== undefined) {
        lines.push(acceptable(() => `${path} set ${given} ${values()}`));
        continue;
      }
      const isNamed = naming !== undefined && (naming.prefix === undefined || below(random, 2) === 0);
      const named = isNamed ? `name=${nameFor(path, count)}` : '';
      lines.push(acceptable(() => `${path} add ${named} ${values()}`));
    }
  }
  lines.push(`/ppp profile set default local-address=${below(random, 256)}.0.0.1`);
  return lines.join('\n');
}

/** The names that items of a menu may have, if the set is fixed. */
function namesOf(settings: readonly Setting<unknown>[]): readonly string[] {
  return settings.find(({ key }) => key === 'name')?.kind.words ?? [];
}

/** More draws than any menu needs: one that takes none of so many lines has a row that no sample fits. */
const drawsMax = 1000;

/** The first line drawn that its menu takes: some values do not go together. */
function acceptable(draw: () => string): string {
  let last: ScriptFault | undefined;
  for (let count = 0; count < drawsMax; count += 1) {
    const line = draw();
    try {
      new Store(menus).proposeWhole([{ file: 'random', text: line }]);
      return line;
    } catch (fault) {
      if (!(fault instanceof ScriptFault)) throw fault;
      last = fault;
    }
  }
  throw new Error(`no line is taken: ${last?.message} of ${draw()}`);
}

function nameFor(path: string, count: number): string {
  return `${path.replace(/[^a-z]/g, '').slice(-8)}${count}`;
}

/** Text that the row accepts and that names nothing which might not be there. */
function randomValue(random: Random, { kind, name }: Setting<unknown>): string {
  const samples = [
    ...(kind.words ?? []),
    ...['10.0.0.1', '10.0.0.0/8', '10.0.0.2-10.0.0.9', '10.0.0.1,10.0.0.2', '10.0.0.0/8 10.0.0.1 1'],
    ...[
      '1',
      '30',
      '1200',
      '1m30s',
      'default',
      'default-encryption',
      '64k/128k',
      'redis://localhost',
      randomText(random),
    ],
  ];
  const builtIn = ['default', 'default-encryption'];
  const fit = samples.filter((text) => {
    const value = kind.parse(text);
    if (value instanceof Refusal) return false;
    return (kind.references?.(value) ?? []).every(
      (to) => to.menu === '/ppp profile' && builtIn.includes(to.name),
    );
  });
  if (fit.length === 0) throw new Error(`no sample fits ${name}: ${kind.label}`);
  return pick(random, fit);
}
