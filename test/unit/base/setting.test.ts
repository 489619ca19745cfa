import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/base/duration.ts';
import {
  addressOrPool,
  addressRange,
  choice,
  duration,
  host,
  integer,
  ipv4,
  ipv4Prefix,
  listOf,
  name,
  optional,
  orWord,
  reference,
  seconds,
  setOf,
  text,
  yesNo,
} from '../../../src/base/kind.ts';
import { defaultsOf, type Kind, menu, Refusal } from '../../../src/base/setting.ts';

const methods = setOf(['pap', 'chap', 'mschap1', 'mschap2']);
const level = choice(['default', 'no', 'yes', 'required'], { require: 'required' });
const keepalive = orWord('disabled', seconds(1, 3600));
const wait = duration(0, 604_800_000);
const address = optional(addressOrPool('/ip pool'));

/** Kind, text, and what it is printed as again. */
const accepted: [string, Kind<unknown>, string, string][] = [
  ['yes or no', yesNo, 'yes', 'yes'],
  ['yes or no, cut short', yesNo, 'n', 'no'],
  ['yes or no, as a script says it', yesNo, 'true', 'yes'],
  ['a choice', level, 'required', 'required'],
  ['a choice, cut short', level, 'd', 'default'],
  ["a choice's other word", level, 'require', 'required'],
  ['a set, in the order of its words', methods, 'mschap2,pap', 'pap,mschap2'],
  ['a set, each word once', methods, 'pap,pap', 'pap'],
  ['a set of nothing', methods, '', ''],
  ['a set, cut short', methods, 'p,c', 'pap,chap'],
  ['an integer', integer(0, 255), '255', '255'],
  ['an integer in hexadecimal', integer(0, 255), '0xFf', '255'],
  ['a negative integer', integer(-5, 5), '-5', '-5'],
  ['seconds', keepalive, '30', '30'],
  ['seconds with a unit', keepalive, '1m30s', '90'],
  ['seconds on a clock', keepalive, '00:01:00', '60'],
  ['the word instead', keepalive, 'disabled', 'disabled'],
  ['a time', wait, '90', '1m30s'],
  ['a time of milliseconds', wait, '1100ms', '1s100ms'],
  ['an address', ipv4, '10.0.0.1', '10.0.0.1'],
  ['a prefix', ipv4Prefix, '10.0.0.0/8', '10.0.0.0/8'],
  ['a prefix of one address', ipv4Prefix, '10.0.0.1', '10.0.0.1/32'],
  ['a range', addressRange, '10.0.0.2-10.0.0.9', '10.0.0.2-10.0.0.9'],
  ['a range as a prefix', addressRange, '10.0.0.0/30', '10.0.0.0-10.0.0.3'],
  ['a range of one', addressRange, '10.0.0.2', '10.0.0.2'],
  ['the whole range there is', addressRange, '0.0.0.0/0', '0.0.0.0-255.255.255.255'],
  ['a host by address', host, '10.0.0.1', '10.0.0.1'],
  ['a host by name', host, 'vpn-1.example.net', 'vpn-1.example.net'],
  ['a list', listOf(ipv4), '10.0.0.1, 10.0.0.2', '10.0.0.1,10.0.0.2'],
  ['an empty list', listOf(ipv4), '', ''],
  ['an address where a pool may stand', address, '10.0.0.1', '10.0.0.1'],
  ['a pool where an address may stand', address, 'pool1', 'pool1'],
  ['any text', text, ' "=\n', ' "=\n'],
  ['a name', name, 'x', 'x'],
  ['a reference', reference('/ppp profile'), 'gold', 'gold'],
];

const refused: [string, Kind<unknown>, string, string][] = [
  ['a word of no choice', level, 'maybe', 'syntax error'],
  ['no word of a choice', level, '', 'syntax error'],
  ['a word of no set', methods, 'pap,eap', 'syntax error'],
  ['a hole in a set', methods, 'pap,,chap', 'syntax error'],
  [
    'a beginning of two',
    methods,
    'mschap',
    'ambiguous value of p, more than one possible value matches input',
  ],
  ['an inherited name as a word', level, 'constructor', 'syntax error'],
  ['an integer too high', integer(0, 255), '256', 'value of p out of range (0..255)'],
  ['an integer too low', integer(1, 255), '-1', 'value of p out of range (1..255)'],
  ['no integer', integer(0, 255), '1.5', 'invalid value for argument p'],
  ['an empty integer', integer(0, 255), '', 'invalid value for argument p'],
  ['seconds out of range', keepalive, '2h', 'value of p out of range (1..3600)'],
  ['half a second', keepalive, '500ms', 'invalid value for argument p'],
  ['a time out of range', wait, '8d', 'value of p out of range (0s..1w)'],
  ['no time', wait, '1x', 'invalid value for argument p'],
  ['an empty time', wait, '', 'invalid value for argument p'],
  ['five octets', ipv4, '10.0.0.1.2', 'invalid value for argument p'],
  ['a prefix with bits behind', ipv4Prefix, '10.0.0.1/8', 'invalid value for argument p'],
  ['a range backwards', addressRange, '10.0.0.9-10.0.0.2', 'invalid value for argument p'],
  ['a range of three', addressRange, '10.0.0.2-10.0.0.3-10.0.0.4', 'invalid value for argument p'],
  ['a mistyped address as a host', host, '10.0.0.256', 'invalid value for argument p'],
  ['a mistyped address as a pool', address, '10.0.0.', 'invalid value for argument p'],
  ['an empty address or pool', address, '', 'invalid value for argument p'],
  ['an empty name', name, '', 'invalid value for argument p'],
  ['an empty reference', reference('/ppp profile'), '', 'input does not match any value of p'],
];

describe('a kind of value', () => {
  it.each(accepted)('reads and prints %s', (_what, kind, typed, printed) => {
    const value = kind.parse(typed);

    expect(value).not.toBeInstanceOf(Refusal);
    expect(kind.format(value)).toBe(printed);
    expect(kind.parse(printed)).toEqual(value);
  });

  it.each(refused)("refuses %s in RouterOS's words", (_what, kind, typed, words) => {
    const refusal = kind.parse(typed);

    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).wording('p')).toBe(words);
  });

  it('says which items of other menus a value names, however deep', () => {
    const kind = optional(orWord('none', listOf(addressOrPool('/ip pool'))));
    const value = kind.parse('10.0.0.1,pool1,pool2') as Exclude<ReturnType<typeof kind.parse>, Refusal>;

    expect(kind.references?.(value)).toEqual([
      { menu: '/ip pool', name: 'pool1' },
      { menu: '/ip pool', name: 'pool2' },
    ]);
    expect(kind.references?.('none')).toEqual([]);
    expect(kind.references?.(undefined)).toEqual([]);
  });
});

describe('a time', () => {
  it.each([
    ['30', 30_000, '30s'],
    ['4h35s', 14_435_000, '4h35s'],
    ['1w2d3h4m5s6ms', 788_645_006, '1w2d3h4m5s6ms'],
    ['44m8s', 2_648_000, '44m8s'],
    ['1d00:00:01', 86_401_000, '1d1s'],
    ['300ms', 300, '300ms'],
    ['0', 0, '0s'],
  ])('%s is %d ms and printed %s', (typed, valueMs, printed) => {
    expect(parseDuration(typed)).toBe(valueMs);
    expect(formatDuration(valueMs)).toBe(printed);
  });

  it.each(['', 's', '1s1m', '1 s', '00:60:00', '00:01', '-1', '1.5s'])('%j is none', (typed) => {
    expect(parseDuration(typed)).toBeUndefined();
  });
});

describe('a menu', () => {
  const example = menu({
    path: '/example',
    kind: 'settings',
    help: 'An example.',
    rows: {
      maxMtu: { kind: integer(68, 1500), default: 1450, applies: 'live', help: 'Size.', aliases: ['mtu'] },
      useIpv6: { kind: yesNo, default: false, applies: 'live', help: 'Whether.' },
    },
  });

  it('names its rows as RouterOS does, in the order written', () => {
    expect(example.settings.map(({ key, name: printed }) => [key, printed])).toEqual([
      ['maxMtu', 'max-mtu'],
      ['useIpv6', 'use-ipv6'],
    ]);
  });

  it('gives its defaults as one typed value', () => {
    const values: { maxMtu: number; useIpv6: boolean } = defaultsOf(example);

    expect(values).toEqual({ maxMtu: 1450, useIpv6: false });
  });
});
