/** Names that our nftables table is asked for: chains that a user's packets pass, address lists that he is in. Pure. */

import { type Kind, refuse } from '../base/setting.ts';
import { isSayable } from '../net/filter-plan.ts';
import { setOfList } from '../net/filter-table.ts';

/** A list is in nftables under a longer name, which need not begin with a letter of the operator's. */
export function isListName(name: string): boolean {
  return name !== '' && isSayable(setOfList(name));
}

export const listName: Kind<string> = {
  label: 'name',
  quoted: true,
  parse(typed) {
    if (isListName(typed)) return typed;
    return refuse.failure('the name of an address list has letters, digits, and the characters _ . / - only');
  },
  format: (value) => value,
};

/** The name of a chain; the empty text is none: the next level is asked. */
export const optionalChainName: Kind<string | undefined> = {
  label: 'name',
  quoted: true,
  optional: true,
  parse(typed) {
    if (typed === '') return undefined;
    if (isSayable(typed)) return typed;
    return refuse.failure(
      'the name of a chain begins with a letter and has letters, digits, and the characters _ . / - only',
    );
  },
  format: (value) => value ?? '',
};
