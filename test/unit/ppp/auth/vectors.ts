/** Vector files as tests read them: a name, white space, a value, one to the line; `#` begins a remark. */

import { readFileSync } from 'node:fs';

export function vectorLines(file: string): string[] {
  const text = readFileSync(new URL(`../../../vectors/${file}`, import.meta.url), 'utf8');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

export function vectors(file: string): (name: string) => string {
  const values = new Map(vectorLines(file).map((line) => [line.split(' ', 1)[0], line.replace(/^\S+ /, '')]));
  return (name) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`${file} has no ${name}`);
    return value;
  };
}
