/** `/ip pool`: addresses to choose from, and the pool to go on with when they are used up. */

import { addressRange, listOf, name, optional, reference } from '../base/kind.ts';
import { comment } from '../base/rows.ts';
import { type Kind, menu, type ValuesOf } from '../base/setting.ts';

const anotherPool = optional(reference('/ip pool'));

/** RouterOS says `none` where no pool follows. */
const nextPoolKind: Kind<string | undefined> = {
  ...anotherPool,
  words: ['none'],
  parse: (typed) => (typed === 'none' ? undefined : anotherPool.parse(typed)),
  format: (value) => value ?? 'none',
};

export const poolMenu = menu({
  path: '/ip pool',
  kind: 'list',
  help: 'Addresses that users get.',
  naming: { space: 'ip pool', taken: 'pool with such name exists', prefix: 'pool' },
  rows: {
    name: { kind: name, default: '', applies: 'live', help: 'Name of the pool.' },
    ranges: {
      kind: listOf(addressRange),
      default: [],
      required: true,
      applies: 'live',
      help: 'Addresses, as first-last or prefix; all of them are used, whatever their last octet.',
    },
    nextPool: {
      kind: nextPoolKind,
      default: undefined,
      applies: 'live',
      help: 'Pool to go on with when this one is used up.',
    },
    comment,
  },
});

/** A pool as configured. */
export type Pool = ValuesOf<typeof poolMenu>;
