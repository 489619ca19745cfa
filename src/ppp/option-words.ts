/**
 * The options of LCP, IPCP, CCP, BCP and IPV6CP in words, as pppd and RouterOS print them: `<mru 1450>`, `<addr 10.0.0.1>`. Reads what
 * any peer may send, also what stands in no row of ours and is rejected. An option without a row is a number and its octets. Pure.
 */

import { Reader, toHex } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import { formatIpv4 } from '../base/ip.ts';
import { inHex } from '../base/readable.ts';
import { methodOfOption } from './auth/method.ts';
import { decodeOptions, type Option } from './packet.ts';

/** A value in words; undefined if the octets cannot be one. */
type Show = (data: Uint8Array) => string | undefined;

/** The option's word, and how its value is shown; one without is said by naming it. */
type Row = readonly [word: string, show?: Show];

function number(size: 1 | 2 | 4, shown: (value: number) => string = String): Show {
  return (data) => {
    if (data.length !== size) return undefined;
    const from = new Reader(data);
    return shown(size === 1 ? from.u8() : size === 2 ? from.u16() : from.u32());
  };
}

const hexadecimal = number(4, (value) => `0x${value.toString(16)}`);
const address = number(4, formatIpv4);
const onOrOff = number(1, (value) => (value === 1 ? 'on' : value === 2 ? 'off' : String(value)));

/** RouterOS's names of the methods; another algorithm as its octets. */
const method: Show = (data) => methodOfOption(data) ?? inHex(data);

/** [RFC 1990 §5.1.3] */
const endpointClasses = ['null', 'local', 'IP', 'MAC', 'magic', 'phone'] as const;

const endpoint: Show = ([kind, ...address]) =>
  kind === undefined ? undefined : `[${endpointClasses[kind] ?? kind}:${toHex(Uint8Array.from(address))}]`;

/** [RFC 3078 §2] pppd's letters: stateless, 56, 128 and 40 bits, an obsolete one, MPPC. */
const mppeLetters = [
  ['H', 0x01_00_00_00],
  ['M', 0x80],
  ['S', 0x40],
  ['L', 0x20],
  ['D', 0x10],
  ['C', 0x01],
] as const;

const mppe = number(4, (word) =>
  mppeLetters.map(([letter, bit]) => `${(word & bit) === 0 ? '-' : '+'}${letter}`).join(' '),
);

const lcp: Readonly<Record<number, Row>> = {
  1: ['mru', number(2)],
  2: ['asyncmap', hexadecimal],
  3: ['auth', method],
  4: ['quality', inHex],
  5: ['magic', hexadecimal],
  7: ['pcomp'],
  8: ['accomp'],
  9: ['fcs', inHex],
  13: ['callback', inHex],
  17: ['mrru', number(2)],
  18: ['ssnhf'],
  19: ['endpoint', endpoint],
};

const ipcp: Readonly<Record<number, Row>> = {
  1: ['addrs', inHex],
  2: ['compress', inHex],
  3: ['addr', address],
  129: ['ms-dns1', address],
  130: ['ms-wins1', address],
  131: ['ms-dns2', address],
  132: ['ms-wins2', address],
};

const ccp: Readonly<Record<number, Row>> = {
  1: ['predictor1'],
  2: ['predictor2'],
  17: ['lzs', inHex],
  18: ['mppe', mppe],
  21: ['bsd', inHex],
  24: ['deflate-draft', inHex],
  26: ['deflate', inHex],
};

const bcp: Readonly<Record<number, Row>> = {
  1: ['bridge-id', inHex],
  2: ['line-id', inHex],
  3: ['mac-support', number(1)],
  4: ['tinygram', onOrOff],
  5: ['lan-id', onOrOff],
  6: ['mac-address', inHex],
  7: ['spanning-tree', inHex],
  8: ['tagged-frame', onOrOff],
  9: ['management-inline'],
  10: ['bpdu-indicator'],
};

const ipv6cp: Readonly<Record<number, Row>> = { 1: ['interface-id', inHex], 2: ['compress', inHex] };

/** By protocol number. */
const rows: Readonly<Record<number, Readonly<Record<number, Row>>>> = {
  49185: lcp,
  32801: ipcp,
  33021: ccp,
  32817: bcp,
  32855: ipv6cp,
};

/** Whether its Configure packets hold options that are known here. */
export function hasOptionWords(protocol: number): boolean {
  return rows[protocol] !== undefined;
}

/** `<mru 1450> <magic 0x1f2e3d4c>`, or what is wrong with the list. */
export function optionWords(protocol: number, data: Uint8Array): string {
  const options = decodeOptions(data);
  if (options instanceof Malformed) return `malformed: ${options}`;
  return options.map((option) => optionWord(protocol, option)).join(' ');
}

function optionWord(protocol: number, { type, data }: Option): string {
  const [word, show = plain] = rows[protocol]?.[type] ?? [`option ${type}`, inHex];
  const shown = show(data) ?? inHex(data);
  return shown === '' ? `<${word}>` : `<${word} ${shown}>`;
}

function plain(data: Uint8Array): string {
  return data.length === 0 ? '' : inHex(data);
}
