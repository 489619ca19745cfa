/**
 * What the program tells about itself: log lines with RouterOS's topics, tallies of things that happened, distributions of
 * how long they took. All are one-way: behaviour is the same when nobody listens.
 */

export type Severity = 'debug' | 'info' | 'warning' | 'error';

/** Facts beside a line, for machines: names in camel case, no secrets ever. */
export type Facts = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

/** Takes one line. `topics` are RouterOS's, such as `pptp,ppp`; the severity is appended as the last topic. */
export type Log = (severity: Severity, topics: string, text: string, facts?: Facts) => void;

/** A log whose every line has these facts, as they are then, beside its own. */
export function logAbout(log: Log, about: () => Facts): Log {
  return (severity, topics, text, facts) => log(severity, topics, text, { ...about(), ...facts });
}

/** Counts by name. The set of names is closed: each is declared with the sentence that `metrics` will show for it. */
export interface Tally<Name extends string> {
  readonly area: string;
  readonly help: Readonly<Record<Name, string>>;
  add(name: Name, count?: number): void;
  read(name: Name): number;
}

/** A tally of things that happen in `area`, each name with its help. */
export function tally<const Name extends string>(
  area: string,
  help: Readonly<Record<Name, string>>,
): Tally<Name> {
  const counts = new Map<Name, number>();
  return {
    area,
    help,
    add: (name, count = 1) => void counts.set(name, (counts.get(name) ?? 0) + count),
    read: (name) => counts.get(name) ?? 0,
  };
}

/** How many of what was measured fell into each range. */
export interface Distribution {
  /** Upper ends of the ranges, which count to them, from the smallest; the last range has no end. */
  readonly bounds: readonly number[];
  /** One more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
  add(value: number): void;
}

/** A distribution over ranges that end at `bounds`, with nothing in it. */
export function distribution(bounds: readonly number[]): Distribution {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let sum = 0;
  return {
    bounds,
    counts,
    get sum() {
      return sum;
    },
    add(value) {
      const at = bounds.findIndex((bound) => value <= bound);
      const range = at === -1 ? bounds.length : at;
      counts[range] = (counts[range] ?? 0) + 1;
      sum += value;
    },
  };
}

export const silent: Log = () => {};
