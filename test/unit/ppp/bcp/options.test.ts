import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../../src/base/bytes.ts';
import { bcpOptions } from '../../../../src/ppp/bcp/options.ts';
import { itFollowsItsVectors } from '../vectors.ts';

describe('the options of BCP', () => {
  itFollowsItsVectors('bcp-options.txt', bcpOptions);

  it.each([0, 3, 255])('are not switched by %i', (octet) => {
    const switches = bcpOptions.filter(({ type }) => type === 4 || type === 8);

    expect(switches.map((row) => row.decode(fromHex(octet.toString(16).padStart(2, '0'))))).toEqual([
      undefined,
      undefined,
    ]);
  });
});
