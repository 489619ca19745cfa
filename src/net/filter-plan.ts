/**
 * What a session wants of nftables, as one value: the chains that its packets pass, the address lists that its user is in. A
 * plan, or two, goes in; requests come out, which are one transaction: a change takes effect at once and whole. Pure; it
 * performs nothing, knows no user, and counts no holders of an element: it asks who does.
 */

import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import { filterMaps, setOfList } from './filter-table.ts';
import type { NftablesRequest } from './nftables.ts';

export interface FilterPlan {
  readonly linkName: string;
  /** The user's, which is in the lists. */
  readonly address: Ipv4;
  /** Chains of the operator: of packets from the user, of packets to him; undefined: none. */
  readonly filters: { readonly incoming: string | undefined; readonly outgoing: string | undefined };
  readonly addressLists: readonly string[];
}

/** One element of a set or a map of ours. */
export type FilterElement =
  | { readonly of: 'filter'; readonly set: string; readonly linkName: string; readonly chain: string }
  | { readonly of: 'list'; readonly set: string; readonly address: Ipv4 };

/** Equal names are the same element. */
export type ElementName = string;

/** All that `plan` wants to have; absent, nothing. */
export function elementsOf(plan: FilterPlan | undefined): ReadonlyMap<ElementName, FilterElement> {
  if (plan === undefined) return new Map();
  const { linkName, address, filters, addressLists } = plan;
  const elements: FilterElement[] = addressLists.map((list) => ({
    of: 'list',
    set: setOfList(list),
    address,
  }));
  for (const direction of ['incoming', 'outgoing'] as const) {
    const chain = filters[direction];
    if (chain !== undefined) elements.push({ of: 'filter', set: filterMaps[direction], linkName, chain });
  }
  return new Map(elements.map((element) => [nameOf(element), element]));
}

/** What leads from one plan to another, where elements that `isShared` are wanted by other sessions too. */
export function filterDifference(
  from: FilterPlan | undefined,
  to: FilterPlan | undefined,
  isShared: (name: ElementName) => boolean,
): readonly NftablesRequest[] {
  const before = elementsOf(from);
  const after = elementsOf(to);
  const gone = [...before].filter(([name]) => !after.has(name) && !isShared(name));
  const fresh = [...after].filter(([name]) => !before.has(name) && !isShared(name));
  // First what goes: a map has one chain for an interface at a time.
  return [
    ...gone.map(([, element]) => removal(element)),
    ...fresh.flatMap(([, element]) => addition(element)),
  ];
}

/**
 * Whether nft can say `name`: its identifiers are letters, digits and a few signs. The kernel takes any 255 octets, but the
 * operator could neither write a rule with them nor load again what `nft list` prints.
 */
export function isSayable(name: string): boolean {
  return /^[A-Za-z_.][\w/.-]{0,254}$/.test(name);
}

function nameOf(element: FilterElement): ElementName {
  const { set } = element;
  if (element.of === 'list') return `${set} ${formatIpv4(element.address)}`;
  return `${set} ${element.linkName} ${element.chain}`;
}

function addition(element: FilterElement): readonly NftablesRequest[] {
  const { set } = element;
  if (element.of === 'list')
    return [
      { request: 'make-set', set },
      { request: 'add-address', set, address: element.address },
    ];
  return [{ request: 'add-jump', set, linkName: element.linkName, chain: element.chain }];
}

function removal(element: FilterElement): NftablesRequest {
  const { set } = element;
  if (element.of === 'list') return { request: 'delete-address', set, address: element.address };
  return { request: 'delete-jump', set, linkName: element.linkName };
}
