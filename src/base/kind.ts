/**
 * The kinds of value that properties have: each parses RouterOS's text and prints it in RouterOS's form. Most are made of
 * others: `orWord('disabled', seconds(1, 3600))`, `listOf(ipv4)`, `optional(addressOrPool('/ip pool'))`. Pure.
 */

import { formatDuration, parseDuration } from './duration.ts';
import {
  formatIpv4,
  formatPrefix,
  type Ipv4,
  type Ipv4Prefix,
  maskOf,
  parseIpv4,
  parsePrefix,
} from './ip.ts';
import { type Kind, type MenuPath, Refusal, refuse } from './setting.ts';

/** One of `words`; the beginning of a word will do if no other begins so. `synonyms` are accepted and mean a word. */
export function choice<const W extends string>(
  words: readonly W[],
  synonyms: Readonly<Record<string, W>> = {},
): Kind<W> {
  return {
    label: words.join(' | '),
    words,
    parse(text) {
      const exact =
        words.find((word) => word === text) ?? (Object.hasOwn(synonyms, text) ? synonyms[text] : undefined);
      if (exact !== undefined) return exact;
      const [only, ...others] = text === '' ? [] : words.filter((word) => word.startsWith(text));
      if (only === undefined) return refuse.syntax();
      return others.length === 0 ? only : refuse.ambiguous();
    },
    format: (value) => value,
  };
}

const yesOrNo = choice(['yes', 'no'], { true: 'yes', false: 'no' });

/** `true` and `false` are read as well, because scripts write them. */
export const yesNo: Kind<boolean> = {
  label: yesOrNo.label,
  words: ['yes', 'no'],
  parse(text) {
    const word = yesOrNo.parse(text);
    return word instanceof Refusal ? word : word === 'yes';
  },
  format: (value) => (value ? 'yes' : 'no'),
};

/** Some of `words`, with commas between; kept and printed in the order of `words`, whatever the order typed. */
export function setOf<const W extends string>(words: readonly W[]): Kind<readonly W[]> {
  const each = listOf(choice(words));
  return {
    label: `multiple choice: ${words.join(' | ')}`,
    words,
    parse(text) {
      const chosen = each.parse(text);
      return chosen instanceof Refusal ? chosen : words.filter((word) => chosen.includes(word));
    },
    format: (value) => value.join(','),
  };
}

/** A whole number, decimal or `0x` hexadecimal. */
export function integer(low: number, high: number): Kind<number> {
  return {
    label: `integer [${low}..${high}]`,
    parse(text) {
      if (!/^-?\d+$|^0x[0-9a-f]+$/i.test(text)) return refuse.invalid();
      const value = Number(text);
      return value < low || value > high ? refuse.range(low, high) : value;
    },
    format: String,
  };
}

/** A time in milliseconds, of `lowMs` to `highMs`, printed as `1m30s`. */
export function duration(lowMs: number, highMs: number): Kind<number> {
  return {
    label: `time [${formatDuration(lowMs)}..${formatDuration(highMs)}]`,
    parse(text) {
      const valueMs = parseDuration(text);
      if (valueMs === undefined) return refuse.invalid();
      if (valueMs >= lowMs && valueMs <= highMs) return valueMs;
      const range = `(${formatDuration(lowMs)}..${formatDuration(highMs)})`;
      return new Refusal((argument) => `value of ${argument} out of range ${range}`);
    },
    format: formatDuration,
  };
}

/** A time in milliseconds too, but of whole seconds and printed as their number: the manuals show `keepalive-timeout: 30`. */
export function seconds(low: number, high: number): Kind<number> {
  return {
    label: `time in seconds [${low}..${high}]`,
    parse(text) {
      const valueMs = parseDuration(text);
      if (valueMs === undefined || valueMs % 1000 !== 0) return refuse.invalid();
      return valueMs < low * 1000 || valueMs > high * 1000 ? refuse.range(low, high) : valueMs;
    },
    format: (valueMs) => String(valueMs / 1000),
  };
}

/** Any text, the empty one too. */
export const text: Kind<string> = {
  label: 'text',
  quoted: true,
  parse: (typed) => typed,
  format: (value) => value,
};

/** What an item is called: not empty. */
export const name: Kind<string> = {
  label: 'name',
  quoted: true,
  parse: (typed) => (typed === '' ? refuse.invalid() : typed),
  format: (value) => value,
};

export const ipv4: Kind<Ipv4> = {
  label: 'IP address',
  parse: (typed) => parseIpv4(typed) ?? refuse.invalid(),
  format: formatIpv4,
};

export const ipv4Prefix: Kind<Ipv4Prefix> = {
  label: 'IP prefix',
  parse: (typed) => parsePrefix(typed) ?? refuse.invalid(),
  format: formatPrefix,
};

/** Addresses from `first` to `last`, both included. */
export interface AddressRange {
  readonly first: Ipv4;
  readonly last: Ipv4;
}

/** `10.0.0.2-10.0.0.254`, `10.0.0.0/24` (all of its addresses) or one address. */
export const addressRange: Kind<AddressRange> = {
  label: 'IP address[-IP address]',
  parse(typed) {
    const prefix = parsePrefix(typed);
    if (prefix !== undefined) {
      return { first: prefix.address, last: (prefix.address | ~maskOf(prefix.length)) >>> 0 };
    }
    const [first, last, ...more] = typed.split('-').map(parseIpv4);
    if (first === undefined || last === undefined || more.length > 0) return refuse.invalid();
    return last < first ? refuse.invalid() : { first, last };
  },
  format: ({ first, last }) =>
    first === last ? formatIpv4(first) : `${formatIpv4(first)}-${formatIpv4(last)}`,
};

/** A machine, by address or by name. */
export type Host = { readonly address: Ipv4 } | { readonly hostName: string };

/** Letters, digits and hyphens between dots (RFC 1123 section 2.1), and not all digits, which would be a mistyped address. */
const hostNamePattern =
  /^(?=.{1,253}$)(?![\d.]+$)([a-z\d_]([a-z\d_-]{0,61}[a-z\d_])?)(\.([a-z\d_]([a-z\d_-]{0,61}[a-z\d_])?))*$/i;

export const host: Kind<Host> = {
  label: 'IP address | host name',
  parse(typed) {
    const address = parseIpv4(typed);
    if (address !== undefined) return { address };
    return hostNamePattern.test(typed) ? { hostName: typed } : refuse.invalid();
  },
  format: (value) => ('address' in value ? formatIpv4(value.address) : value.hostName),
};

/** The name of an item of `menu`, which must exist when the configuration is checked. */
export function reference(menu: MenuPath): Kind<string> {
  return {
    label: 'name',
    parse: (typed) => (typed === '' ? refuse.noMatch() : typed),
    format: (value) => value,
    references: (value) => [{ menu, name: value }],
  };
}

/** One address, or a pool that it is taken from. */
export type AddressOrPool = { readonly address: Ipv4 } | { readonly pool: string };

/** An address, or the name of an item of `menu`. Digits and dots alone are meant as an address. */
export function addressOrPool(menu: MenuPath): Kind<AddressOrPool> {
  return {
    label: 'IP address | pool',
    parse(typed) {
      const address = parseIpv4(typed);
      if (address !== undefined) return { address };
      return typed === '' || /^[\d.]+$/.test(typed) ? refuse.invalid() : { pool: typed };
    },
    format: (value) => ('address' in value ? formatIpv4(value.address) : value.pool),
    references: (value) => ('pool' in value ? [{ menu, name: value.pool }] : []),
  };
}

/** Several, with commas between; the empty text is none. */
export function listOf<T>(kind: Kind<T>): Kind<readonly T[]> {
  return {
    label: `list of ${kind.label}`,
    ...(kind.words === undefined ? {} : { words: kind.words }),
    ...(kind.quoted === undefined ? {} : { quoted: kind.quoted }),
    parse(typed) {
      const values: T[] = [];
      for (const part of typed === '' ? [] : typed.split(',')) {
        const value = kind.parse(part.trim());
        if (value instanceof Refusal) return value;
        values.push(value);
      }
      return values;
    },
    format: (values) => values.map((value) => kind.format(value)).join(','),
    references: (values) => values.flatMap((value) => kind.references?.(value) ?? []),
  };
}

/** A value of `kind`, or `word`: `orWord('disabled', …)`, `orWord('none', …)`. */
export function orWord<const W extends string, T>(word: W, kind: Kind<T>): Kind<T | W> {
  return {
    label: `${word} | ${kind.label}`,
    words: [word, ...(kind.words ?? [])],
    parse: (typed) => (typed === word ? word : kind.parse(typed)),
    format: (value) => (value === word ? word : kind.format(value as T)),
    references: (value) => (value === word ? [] : (kind.references?.(value as T) ?? [])),
  };
}

/** A value of `kind`, or none: the row's default is then `undefined`. */
export function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  return {
    ...kind,
    optional: true,
    format: (value) => (value === undefined ? '' : kind.format(value)),
    references: (value) => (value === undefined ? [] : (kind.references?.(value) ?? [])),
  };
}
