/**
 * What stands in our nftables table whoever is connected, and which part of it is ours. In the words of nft:
 *
 *     table ip pptp {
 *         map incoming { type ifname : verdict; }           # session's interface → chain for packets from the user
 *         map outgoing { type ifname : verdict; }           # … for packets to him
 *         set list-debtors { type ipv4_addr; }              # one for each address list: those connected who are in it
 *         chain ppp { iifname vmap @incoming; oifname vmap @outgoing; }
 *         chain ppp-forward { type filter hook forward priority filter; policy accept; jump ppp; }
 *     }
 *
 * The maps, these two chains and every set whose name begins with `list-` are ours: a new process empties them of what the
 * one before it left. All else in the table is the operator's and is never touched. Pure.
 */

import type { NftablesRequest } from './nftables.ts';

/** The chain that a filter's chain is jumped to from, as RouterOS's chain of that name is. */
const dispatch = 'ppp';
const forward = 'ppp-forward';

/** Maps from an interface to the chain of a filter, by its direction as the node sees it. */
export const filterMaps = { incoming: 'incoming', outgoing: 'outgoing' } as const;

const listPrefix = 'list-';

/** The set of an address list. Lists have names of their own, so that none of them is another thing in the table. */
export function setOfList(list: string): string {
  return `${listPrefix}${list}`;
}

/** Whether what is in the set `name` is ours. */
export function isList(name: string): boolean {
  return name.startsWith(listPrefix);
}

/** Makes what is not there yet, and empties it of elements and rules. */
export function makeFrame(): readonly NftablesRequest[] {
  const maps = Object.values(filterMaps);
  return [
    { request: 'make-table' },
    ...maps.map((set) => ({ request: 'make-map', set }) as const),
    { request: 'make-chain', chain: dispatch, hooked: false },
    { request: 'make-chain', chain: forward, hooked: true },
    { request: 'empty-chain', chain: dispatch },
    { request: 'empty-chain', chain: forward },
    ...maps.map((set) => ({ request: 'empty-set', set }) as const),
    { request: 'append-rule', chain: dispatch, statement: { by: 'iifname', map: filterMaps.incoming } },
    { request: 'append-rule', chain: dispatch, statement: { by: 'oifname', map: filterMaps.outgoing } },
    { request: 'append-rule', chain: forward, statement: { jump: dispatch } },
  ];
}

/** Fails if the frame has gone: whoever says `nft flush ruleset` takes our table too. */
export const expectFrame: NftablesRequest = { request: 'expect-map', set: filterMaps.incoming };
