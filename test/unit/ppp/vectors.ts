/** Reads the plain text vectors of PPP. */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import type { OptionRow } from '../../../src/ppp/option.ts';
import { decodeOptions, encodeOptions } from '../../../src/ppp/packet.ts';

export function vectorLines(name: string): readonly string[] {
  const text = readFileSync(new URL(`../../vectors/${name}`, import.meta.url), 'utf8');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** Every option of a layer both ways, and cut at every length; every row has a vector. */
export function itFollowsItsVectors<Terms>(file: string, rows: readonly OptionRow<Terms>[]): void {
  const vectors = vectorLines(file).map((line) => line.split('|').map((part) => part.trim()));

  it.each(vectors)('reads and writes %s %s as %s', (name = '', hex = '', value = '') => {
    const row = rows.find((each) => each.name === name);
    const bytes = fromHex(hex);
    const options = decodeOptions(bytes);
    if (row === undefined || options instanceof Malformed) throw new Error(`no option in ${hex}`);

    expect(options).toHaveLength(1);
    expect(options[0]?.type).toBe(row.type);
    expect(row.decode(options[0]?.data ?? new Uint8Array())).toEqual(JSON.parse(value));
    expect(toHex(encodeOptions([{ type: row.type, data: row.encode(JSON.parse(value)) }]))).toBe(
      toHex(bytes),
    );
  });

  it.each(vectors)('takes no part of %s %s for the whole', (name = '', hex = '') => {
    const row = rows.find((each) => each.name === name);
    const bytes = fromHex(hex);

    for (let length = 1; length < bytes.length; length += 1) {
      expect(decodeOptions(bytes.subarray(0, length))).toBeInstanceOf(Malformed);
    }
    const data = bytes.subarray(2);
    for (let length = 0; length < data.length; length += 1) {
      const value = row?.decode(data.subarray(0, length));
      expect(value === undefined || value === 'other').toBe(true);
    }
    expect(row?.decode(Uint8Array.of(...data, 0)) ?? 'other').toBe('other');
  });

  it('has a vector for every row', () => {
    expect(new Set(vectors.map(([name]) => name))).toEqual(new Set(rows.map(({ name }) => name)));
  });
}
