/**
 * What the program tells about itself: log lines with RouterOS's topics, and tallies of things that happened. Both are
 * one-way: behaviour is the same when nobody listens.
 */

export type Severity = 'debug' | 'info' | 'warning' | 'error';

/** Facts beside a line, for machines: names in camel case, no secrets ever. */
export type Facts = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

/** Takes one line. `topics` are RouterOS's, such as `pptp,ppp`; the severity is appended as the last topic. */
export type Log = (severity: Severity, topics: string, text: string, facts?: Facts) => void;

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

export const silent: Log = () => {};
