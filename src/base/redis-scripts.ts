/** What runs in Redis, and how it fares there: each script is known from the moment that it is declared. Pure. */

import { type Distribution, distribution } from './observe.ts';

/** What runs in the server, whole and alone: `KEYS` and `ARGV` are its arguments. */
export interface Script {
  /** In camel case, of its own among all scripts of the program. */
  readonly name: string;
  readonly lua: string;
  readonly fate: ScriptFate;
}

/** How long answers to a script took, in s, and how often there was none, or a refusal. */
export interface ScriptFate {
  readonly seconds: Distribution;
  failures: number;
}

const fates = new Map<string, ScriptFate>();

/** Of all scripts, by their names. */
export const scriptFates: ReadonlyMap<string, ScriptFate> = fates;

export function script(name: string, lua: string): Script {
  if (fates.has(name)) throw new Error(`there are two scripts ${name}`);
  // A hundredth is what a server that is well stays below; of a tenth somebody should know: a command is given up after a second.
  const fate = { seconds: distribution([0.01, 0.1]), failures: 0 };
  fates.set(name, fate);
  return { name, lua, fate };
}

/** The script's answer has come, `tookMs` after it was sent; or it never will, or is a refusal. */
export function fared({ fate }: Script, tookMs: number, isAnswered: boolean): void {
  if (isAnswered) fate.seconds.add(tookMs / 1000);
  else fate.failures += 1;
}
