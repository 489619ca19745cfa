/**
 * The nftables requests that control makes (nfnetlink, linux/netfilter/nf_tables.h): values in, nlmsghdr messages out. Numbers
 * of nftables are big-endian. Requests that stand one after the other are one transaction: all of them take effect at the
 * same moment, or none does; the engine frames them as a batch. All are about one table, `ip pptp`, which the engine insists
 * on. Pure; what stands in that table is filter-table.ts's.
 */

import { concat, fromHex, toBytes, toText } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import type { Ipv4 } from '../base/ip.ts';
import { layout, text, u8, u16, u32 } from '../base/layout.ts';
import { attribute, attributesIn, message, messagesIn } from './netlink.ts';

/** Of the family `ip`. */
export const tableName = 'pptp';

/** A rule's statement: ask one of our maps what to do by a packet's interface, or go through another chain. */
export type Statement =
  | { readonly by: 'iifname' | 'oifname'; readonly map: string }
  | { readonly jump: string };

export type NftablesRequest =
  /** What exists already stays as it is: making it again is no error. */
  | { readonly request: 'make-table' }
  /** With `hooked`, the kernel's entrance for forwarded packets, at the priority `filter`; without, one that rules jump to. */
  | { readonly request: 'make-chain'; readonly chain: string; readonly hooked: boolean }
  | { readonly request: 'empty-chain'; readonly chain: string }
  | { readonly request: 'append-rule'; readonly chain: string; readonly statement: Statement }
  /** From the name of an interface to a chain. */
  | { readonly request: 'make-map'; readonly set: string }
  /** Changes nothing; fails if there is no such map. (Of a chain the kernel makes it, flag or not.) */
  | { readonly request: 'expect-map'; readonly set: string }
  /** Of IPv4 addresses. */
  | { readonly request: 'make-set'; readonly set: string }
  /** Of a set or a map. */
  | { readonly request: 'empty-set'; readonly set: string }
  | { readonly request: 'add-jump'; readonly set: string; readonly linkName: string; readonly chain: string }
  | { readonly request: 'delete-jump'; readonly set: string; readonly linkName: string }
  | {
      readonly request: 'add-address' | 'delete-address';
      readonly set: string;
      readonly address: Ipv4;
    }
  /** Asks for all sets and maps of the table; stands alone. `setsIn` reads the answer. */
  | { readonly request: 'list-sets' };

type Name = NftablesRequest['request'];
type RequestOf<N extends Name> = Extract<NftablesRequest, { request: N }>;

/** nfgenmsg */
const head = layout('big', { family: u8, version: u8, resource: u16 });
const number = layout('big', { value: u32 });
const linkName = layout('big', { name: text(16) }); // IFNAMSIZ

const subsystem = 10; // NFNL_SUBSYS_NFTABLES
const internet = 2; // NFPROTO_IPV4
const flag = { create: 0x400, append: 0x800, dump: 0x300 }; // NLM_F_…
const nested = 0x8000; // NLA_F_NESTED

/** NFT_MSG_… and NLM_F_… */
const kinds: Readonly<Record<Name, readonly [type: number, flags: number]>> = {
  'make-table': [0, flag.create],
  'make-chain': [3, flag.create],
  'append-rule': [6, flag.create | flag.append],
  'empty-chain': [8, 0],
  'make-map': [9, flag.create],
  'expect-map': [9, 0],
  'make-set': [9, flag.create],
  'list-sets': [10, flag.dump],
  'add-jump': [12, flag.create],
  'add-address': [12, flag.create],
  'delete-jump': [14, 0],
  'delete-address': [14, 0],
  'empty-set': [14, 0],
};

/** The octets of whole messages, one after the other, as the contract's `netlink` carries them. */
export function encodeNftables(requests: readonly NftablesRequest[]): Uint8Array {
  return concat(...requests.map(encodeRequest));
}

function encodeRequest(request: NftablesRequest): Uint8Array {
  const [type, flags] = kinds[request.request];
  const table = attribute(everyTable, name(tableName));
  const body = concat(head.encode({ family: internet, version: 0, resource: 0 }), table, rest(request));
  return message((subsystem << 8) | type, flags, body);
}

/** What follows the name of the table. */
function rest(request: NftablesRequest): Uint8Array {
  switch (request.request) {
    case 'make-table':
    case 'list-sets':
      return concat();
    case 'make-chain':
      return chain(request);
    case 'empty-chain':
      return attribute(ruleChain, name(request.chain));
    case 'append-rule':
      return rule(request);
    case 'make-map':
    case 'expect-map':
    case 'make-set':
      return set(request);
    case 'empty-set':
      return attribute(elementSet, name(request.set));
    case 'add-jump':
      return element(request, linkName.encode({ name: request.linkName }), jump(request.chain));
    case 'delete-jump':
      return element(request, linkName.encode({ name: request.linkName }));
    case 'add-address':
    case 'delete-address':
      return element(request, number.encode({ value: request.address }));
  }
}

const everyTable = 1; // NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE, NFTA_SET_ELEM_LIST_TABLE

// --- Chains and their rules ---

const chainName = 3; // NFTA_CHAIN_…
const chainHook = 4;
const chainPolicy = 5;
const chainType = 7;
const hookNumber = 1; // NFTA_HOOK_…
const hookPriority = 2;
const forward = 2; // NF_INET_FORWARD
const filterPriority = 0; // NF_IP_PRI_FILTER
const accept = 1; // NF_ACCEPT

function chain({ chain, hooked }: RequestOf<'make-chain'>): Uint8Array {
  const named = attribute(chainName, name(chain));
  if (!hooked) return named;
  const where = [attribute(hookNumber, u32Of(forward)), attribute(hookPriority, u32Of(filterPriority))];
  return concat(
    named,
    attribute(chainType, name('filter')),
    attribute(chainPolicy, u32Of(accept)),
    list(chainHook, ...where),
  );
}

const ruleChain = 2; // NFTA_RULE_…
const ruleExpressions = 4;
const listElement = 1; // NFTA_LIST_ELEM
const expressionName = 1; // NFTA_EXPR_…
const expressionData = 2;
const metaInto = 1; // NFTA_META_…
const metaKey = 2;
const metaKeys = { iifname: 6, oifname: 7 }; // NFT_META_…
const lookupSet = 1; // NFTA_LOOKUP_…
const lookupFrom = 2;
const lookupInto = 3;
const immediateInto = 1; // NFTA_IMMEDIATE_…
const immediateData = 2;
const register = { verdict: 0, first: 1 }; // NFT_REG_…

function rule({ chain, statement }: RequestOf<'append-rule'>): Uint8Array {
  const expressions =
    'jump' in statement
      ? [
          expression(
            'immediate',
            attribute(immediateInto, u32Of(register.verdict)),
            list(immediateData, jump(statement.jump)),
          ),
        ]
      : [
          expression(
            'meta',
            attribute(metaKey, u32Of(metaKeys[statement.by])),
            attribute(metaInto, u32Of(register.first)),
          ),
          expression(
            'lookup',
            attribute(lookupFrom, u32Of(register.first)),
            attribute(lookupInto, u32Of(register.verdict)),
            attribute(lookupSet, name(statement.map)),
          ),
        ];
  return concat(attribute(ruleChain, name(chain)), list(ruleExpressions, ...expressions));
}

function expression(kind: string, ...data: readonly Uint8Array[]): Uint8Array {
  return list(listElement, attribute(expressionName, name(kind)), list(expressionData, ...data));
}

// --- Sets, maps and their elements ---

const setName = 2; // NFTA_SET_…
const setFlags = 3;
const setKeyType = 4;
const setKeyLength = 5;
const setDataType = 6;
const setId = 10;
const setUserData = 13;
const isMap = 8; // NFT_SET_MAP
const verdicts = 0xffffff00; // NFT_DATA_VERDICT
/** The kernel wants one. Nothing refers to it: sets are named. */
const anyId = 1;

// For `nft list` alone, which would not know how to print the keys: nft's numbers of their types, and that a name is in the
// machine's own order.
const keyTypes = { ipv4_addr: 7, ifname: 41 };
const keyInOwnOrder = fromHex('00 04 01000000');

function set({ request, set }: RequestOf<'make-map' | 'expect-map' | 'make-set'>): Uint8Array {
  const named = attribute(setName, name(set));
  const id = attribute(setId, u32Of(anyId));
  const keys = (type: number, octets: number): Uint8Array =>
    concat(attribute(setKeyType, u32Of(type)), attribute(setKeyLength, u32Of(octets)));
  if (request === 'make-set')
    return concat(named, attribute(setFlags, u32Of(0)), keys(keyTypes.ipv4_addr, number.size), id);
  return concat(
    named,
    attribute(setFlags, u32Of(isMap)),
    keys(keyTypes.ifname, linkName.size),
    attribute(setDataType, u32Of(verdicts)),
    id,
    attribute(setUserData, keyInOwnOrder),
  );
}

const elementSet = 2; // NFTA_SET_ELEM_LIST_…
const elements = 3;
const elementKey = 1; // NFTA_SET_ELEM_…
const elementData = 2;
const dataValue = 1; // NFTA_DATA_…
const dataVerdict = 2;
const verdictCode = 1; // NFTA_VERDICT_…
const verdictChain = 2;
const jumpCode = 0xfffffffd; // NFT_JUMP

function element({ set }: { readonly set: string }, key: Uint8Array, data?: Uint8Array): Uint8Array {
  const keyed = list(elementKey, attribute(dataValue, key));
  const one = data === undefined ? [keyed] : [keyed, list(elementData, data)];
  return concat(attribute(elementSet, name(set)), list(elements, list(listElement, ...one)));
}

function jump(chain: string): Uint8Array {
  return list(dataVerdict, attribute(verdictCode, u32Of(jumpCode)), attribute(verdictChain, name(chain)));
}

// --- What the kernel answers ---

/** Names of the sets and maps in the answer to `list-sets`. */
export function setsIn(answer: Uint8Array): readonly string[] | Malformed {
  const messages = messagesIn(answer);
  if (messages instanceof Malformed) return messages;
  const names: string[] = [];
  for (const { body } of messages) {
    const attributes = attributesIn(body.subarray(head.size));
    if (attributes instanceof Malformed) return attributes;
    const octets = attributes.get(setName);
    if (octets === undefined) return new Malformed('NETLINK_BAD_ATTRIBUTE', 'name', 0);
    names.push(toText(octets.subarray(0, octets.indexOf(0))));
  }
  return names;
}

// --- Words ---

function list(type: number, ...attributes: readonly Uint8Array[]): Uint8Array {
  return attribute(nested | type, concat(...attributes));
}

function name(text: string): Uint8Array {
  return concat(toBytes(text), new Uint8Array(1));
}

function u32Of(value: number): Uint8Array {
  return number.encode({ value });
}
