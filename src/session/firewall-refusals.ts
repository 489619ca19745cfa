/** What a refusal of nftables means to an operator: one row per request and error that has a meaning of its own. */

import { type NftablesRequest, tableName } from '../net/nftables.ts';
import { errorName } from './errno.ts';

/** Linux's numbers (errno(3)) that decide something here. */
export const errorNumbers = {
  ENOENT: 2,
  EEXIST: 17,
  EINVAL: 22,
  EMLINK: 31,
  ELOOP: 40,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
} as const;

type ErrorName = keyof typeof errorNumbers;
type Text = (request: NftablesRequest) => string;

const noNftables: Text = () =>
  'this kernel has no nftables, which filters and address lists need: load the module nf_tables';
const leadsBack: Text = (request) => `filter chain "${chainOf(request)}" leads back to itself`;

const texts: readonly (readonly [NftablesRequest['request'], ErrorName, Text])[] = [
  ['make-table', 'EPROTONOSUPPORT', noNftables],
  ['make-table', 'EOPNOTSUPP', noNftables],
  ['make-table', 'EINVAL', noNftables],
  [
    'add-jump',
    'ENOENT',
    (request) => {
      const chain = chainOf(request);
      return `filter chain "${chain}" does not exist: make it with \`nft add chain ip ${tableName} ${chain}\``;
    },
  ],
  [
    'add-jump',
    'EOPNOTSUPP',
    (request) =>
      `filter chain "${chainOf(request)}" has a hook of its own: only chains without one can be jumped to`,
  ],
  ['add-jump', 'ELOOP', leadsBack],
  ['add-jump', 'EMLINK', leadsBack],
  [
    'make-set',
    'EEXIST',
    (request) => `the set ${setOf(request)} of table ip ${tableName} is not a plain set of ipv4_addr`,
  ],
];

/** Why `request` could not be performed, for people; `words` are the kernel's. */
export function refusalText(request: NftablesRequest | undefined, errno: number, words: string): string {
  const [, , text] =
    texts.find(([name, error]) => name === request?.request && errorNumbers[error] === errno) ?? [];
  if (request !== undefined && text !== undefined) return text(request);
  return `nftables ${request?.request ?? 'transaction'}: ${errorName(errno)} ${words}`.trimEnd();
}

function chainOf(request: NftablesRequest): string {
  return 'chain' in request ? request.chain : '';
}

function setOf(request: NftablesRequest): string {
  return 'set' in request ? request.set : '';
}
