/**
 * The architecture as a test: who may import whom, what a pure file may not touch, how long files may be, which names are fixed. Reads
 * the sources as text; runs nothing of them.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

interface Source {
  /** From the project's root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const importOf =
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/gm;

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.normalize(join(entry.parentPath, entry.name).slice(root.length + 1)));
}

const all = filesIn('src');
const sources: Source[] = all
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const imports = [...text.matchAll(importOf)].map(([, from, alone]) => {
      const target = from ?? alone ?? '';
      return target.startsWith('.') ? posix.join(posix.dirname(path), target) : target;
    });
    return { path, text, imports };
  });

/** A part of the program and its layer. A part may import itself and the parts of lower layers; `show` is narrower, see below. */
const layers = ['base', 'speak', 'decide', 'touch', 'show', 'main'] as const;
type Layer = (typeof layers)[number];

/** The first row that fits a path says what it is. */
const parts: readonly (readonly [pattern: RegExp, layer: Layer, part: string])[] = [
  [/^src\/base\//, 'base', 'base'],
  // Both programs begin in one file, which joins the others.
  [/^src\/(main\.ts$|console\/pptpctl\.io\.ts$|composition\/)/, 'main', 'main'],
  [/\.io\.ts$/, 'touch', 'its own'],
  [/^src\/pptp\//, 'speak', 'pptp'],
  [/^src\/ppp\//, 'speak', 'ppp'],
  [/^src\/radius\//, 'speak', 'radius'],
  [/^src\/dns\/(name|message|message-stream|record|tsig)\.ts$/, 'speak', 'dns'],
  [/^src\/dns\//, 'decide', 'decide'],
  [/^src\/datapath\//, 'speak', 'datapath'],
  [/^src\/net\/(netlink|nftables)\.ts$/, 'speak', 'netlink'],
  [/^src\/(aaa|accounting|session|licence|net|client|kubernetes)\//, 'decide', 'decide'],
  [/^src\/(config|console|metrics)\//, 'show', 'show'],
];

function placeOf(path: string): { layer: Layer; part: string } {
  const [, layer, part] = parts.find(([pattern]) => pattern.test(path)) ?? [];
  if (layer === undefined || part === undefined) throw new Error(`${path} belongs to no layer`);
  return { layer, part: part === 'its own' ? path : part };
}

/** Settings are rows, which menus show; they stand beside the feature that they configure. */
const isSettings = (path: string): boolean => /(^|\/|-)settings\.ts$/.test(path);

function mayImport(from: string, to: string): boolean {
  const [importer, imported] = [placeOf(from), placeOf(to)];
  if (importer.part === imported.part) return true;
  if (importer.layer === 'main' || imported.layer === 'base') return imported.layer !== 'main';
  if (importer.layer === 'show' && isSettings(to)) return true;
  // A file that touches the world implements a face, which its own folder declares.
  if (importer.layer === 'touch' && posix.dirname(from) === posix.dirname(to))
    return imported.layer !== 'touch';
  return layers.indexOf(imported.layer) < layers.indexOf(importer.layer);
}

describe('layers', () => {
  test('every file imports only what stands below it', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter((target) => target.startsWith('src/') && !mayImport(path, target))
        .map((target) => `${path} imports ${target}`),
    );

    expect(wrong).toEqual([]);
  });

  test('nobody imports main', () => {
    expect(sources.filter(({ imports }) => imports.includes('src/main.ts'))).toEqual([]);
  });

  test.each(['pino', 'ioredis', 'bullmq', 'prom-client', 'radius'])('at most one file imports %s', (name) => {
    const importers = sources.filter(({ imports }) => imports.includes(name)).map(({ path }) => path);

    expect(importers.length, importers.join(' ')).toBeLessThan(2);
  });
});

describe('purity', () => {
  const pure = sources.filter(({ path }) => !path.endsWith('.io.ts') && placeOf(path).layer !== 'main');

  /** What the outside world is called in JavaScript. */
  const worldly = [
    /\bDate\.now\b/,
    /\bnew Date\(\)/,
    /\bMath\.random\b/,
    /\bperformance\b/,
    /\bprocess\./,
    /\bset(Timeout|Interval|Immediate)\b/,
    /\bqueueMicrotask\b/,
    /\bconsole\./,
    /\bfetch\(/,
    /\bawait\b/,
    /\basync\s*(\(|function\b|[\w#]+\s*(\(|=>))/,
  ];

  test('a file without .io in its name touches nothing and awaits nothing', () => {
    const wrong = pure.flatMap(({ path, text }) =>
      worldly.filter((word) => word.test(code(text))).map((word) => `${path}: ${word.source}`),
    );

    expect(wrong).toEqual([]);
  });

  test('of Node it imports digests and ciphers only, and of npm nothing', () => {
    const wrong = pure.flatMap(({ path, text, imports }) => {
      const foreign = imports.filter((target) => !target.startsWith('src/') && target !== 'node:crypto');
      const [, names = ''] = /import\s*\{([^}]*)\}\s*from 'node:crypto'/.exec(text) ?? [];
      const others = names
        .match(/\w+/g)
        ?.filter((name) => !/^create(Hash|Hmac|Cipheriv|Decipheriv)$/.test(name));
      return [...foreign, ...(others ?? [])].map((what) => `${path}: ${what}`);
    });

    expect(wrong).toEqual([]);
  });
});

describe('files', () => {
  /** Tables may be as long as their RFC; each such file is named here. */
  const tables: readonly string[] = [];
  const linesMax = 500;

  test('are one thought', () => {
    const long = all
      .filter((path) => /\.(ts|cc|h|lua)$/.test(path) && !tables.includes(path))
      .map((path) => [path, readFileSync(join(root, path), 'utf8').split('\n').length - 1] as const)
      .filter(([, lines]) => lines > linesMax);

    expect(long).toEqual([]);
  });

  test('are named for what is inside', () => {
    const empty = /(^|[/_-])(utils?|helpers?|manager|misc|common)([._-]|$)/;

    expect(all.filter((path) => empty.test(path))).toEqual([]);
    expect(sources.filter(({ path }) => !/^[a-z0-9./-]+$/.test(path)).map(({ path }) => path)).toEqual([]);
  });

  test('open with what they are', () => {
    const mute = all.filter((path) => {
      // The header speaks for both.
      if (path.endsWith('.cc') && all.includes(path.replace(/cc$/, 'h'))) return false;
      if (!/\.(ts|cc|h)$/.test(path)) return false;
      return !/^(#!.*\n)?(\/\*\*|\/\/ )/.test(readFileSync(join(root, path), 'utf8'));
    });

    expect(mute).toEqual([]);
  });

  test('use no any, and silence no rule', () => {
    const lax = /:\s*any\b(?!\()|\bas any\b|<any>/;
    const silencing = /@ts-(ignore|nocheck|expect-error)|biome-ignore lint|NOLINT/;
    const wrong = all
      .filter((path) => /\.(ts|cc|h)$/.test(path))
      .filter((path) => {
        const text = readFileSync(join(root, path), 'utf8');
        return silencing.test(text) || (path.endsWith('.ts') && lax.test(code(text)));
      });

    expect(wrong).toEqual([]);
  });
});

describe('folders', () => {
  test('of src open with a README', () => {
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    const without = folders.map(({ name }) => `src/${name}/README.md`).filter((path) => !all.includes(path));

    expect(without).toEqual([]);
  });

  test('READMEs name files that exist', () => {
    const wrong = all
      .filter((path) => path.endsWith('README.md'))
      .flatMap((path) => {
        const text = readFileSync(join(root, path), 'utf8');
        const named = [...text.matchAll(/^\|\s*((?:`[^`]+`(?:,\s*)?)+)\s*\|/gm)].flatMap(([, cell = '']) =>
          [...cell.matchAll(/`([\w./-]+\.(?:ts|cc|h|lua))`/g)].map(([, file = '']) => file),
        );
        return named
          .filter((file) => !all.includes(posix.join(posix.dirname(path), file)))
          .map((file) => `${path}: ${file}`);
      });

    expect(wrong).toEqual([]);
  });

  test('at the top are the agreed ones', () => {
    const agreed = ['README.md', 'deploy', 'grafana', 'package.json', 'src', 'test', 'tsconfig.json'];
    const made = ['build', 'coverage', 'node_modules', 'package-lock.json', 'CHANGELOG.md', 'LICENSE'];
    const others = readdirSync(root).filter(
      (name) => !name.startsWith('.') && !agreed.includes(name) && !made.includes(name),
    );

    expect(others).toEqual([]);
  });
});

/** The text without comments. Strings stay: a rule that meets its word in one is a reason to look. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}
