/** RouterOS's quotation marks and escapes, both ways: what `quote` writes, `readQuoted` reads back unchanged. Pure. */

import { toBytes, toText } from '../base/bytes.ts';
import { type Position, placed } from './fault.ts';

/** What stands behind `\` in quotation, and what it means. Two upper-case hexadecimal digits mean an octet of UTF-8. */
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  $: '$',
  '?': '?',
  _: ' ',
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** Octets in a row, because one character may take several. */
const octets = /(?:\\[0-9A-F]{2})+/y;
/** `\` at the end of a line: the text goes on with the first character of the next line that is not blank. */
const continuation = /\\[ \t\r]*\n[ \t]*/y;
const plain = /[^"\\$\n]+/y;

/** The text in the quotation marks that open at `from`, and the offset behind those that close. */
export function readQuoted(
  script: string,
  from: number,
  positionOf: (offset: number) => Position,
): { text: string; next: number } {
  let text = '';
  let at = from + 1;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(script)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  for (;;) {
    text += take(plain) ?? '';
    if (script[at] === '"') return { text, next: at + 1 };
    if (take(continuation) !== undefined) continue;
    const coded = take(octets);
    if (coded !== undefined) {
      text += toText(Uint8Array.from(coded.slice(1).split('\\'), (digits) => Number.parseInt(digits, 16)));
      continue;
    }
    const meant = script[at] === '\\' ? escapes[script[at + 1] ?? ''] : undefined;
    if (meant === undefined) throw unquotable(script, at, positionOf);
    text += meant;
    at += 2;
  }
}

/** What stands at `at` cannot stand in quotation. */
function unquotable(script: string, at: number, positionOf: (offset: number) => Position): Error {
  const next = script[at];
  if (next === '\\')
    return placed('CONFIG_SYNTAX', positionOf(at), 'syntax error', 'A backslash in text is written \\\\.');
  if (next === '$') {
    const hint = 'Variables are not supported; a dollar sign in text is written \\$.';
    return placed('CONFIG_SYNTAX', positionOf(at), 'syntax error', hint);
  }
  const hint = 'A text ends in the line that it begins in; a line break in it is written \\n.';
  return placed('CONFIG_SYNTAX', positionOf(at), 'expected closing quotation mark', hint);
}

/** What needs no quotation marks: RouterOS leaves out those around anything that could be a name, a number or an address. */
const bare = /^[\w.:,/*@<>+-]+$/;

const escapeOf = new Map(
  Object.entries(escapes).flatMap(([letter, meant]) => (meant === ' ' ? [] : [[meant, `\\${letter}`]])),
);

/** `text` as it stands in a script behind `name=`. */
export function quote(text: string): string {
  if (bare.test(text)) return text;
  const escaped = text.replace(
    /["\\$?]|\p{Cc}/gu,
    (character) => escapeOf.get(character) ?? octetsOf(character),
  );
  return `"${escaped}"`;
}

function octetsOf(character: string): string {
  const digits = Array.from(toBytes(character), (octet) => octet.toString(16).toUpperCase().padStart(2, '0'));
  return digits.map((pair) => `\\${pair}`).join('');
}
