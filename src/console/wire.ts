/**
 * What pptpctl and the daemon say to each other over the console's socket: a JSON object a line, UTF-8. The client asks
 *
 *     {"run":"/ppp active print","width":80,"json":false}
 *
 * and gets any number of `{"text":"…"}`, then one `{"end":{"path":"/ppp active","prompt":"[admin@north] /ppp/active> "}}`, with a
 * `fault` if it was refused, with `hasLeft` if it was the last. `{"complete":"/ppp ac"}` is answered by one `completion`, and
 * an end. One question is answered at a time, in order; `{"interrupt":true}` ends the one that is being answered. Pure.
 */

import { Fault } from '../base/fault.ts';
import { ScriptFault } from '../config/fault.ts';
import type { Completion } from './complete.ts';

/** Octets of a question: longer ones are scripts, which are read from files. */
export const questionBytesMax = 64 * 1024;

/** Commands to be done. */
export interface Commands {
  readonly run: string;
  /** Columns of the terminal; undefined: there is none. */
  readonly width: number | undefined;
  readonly json: boolean;
}

/** What may stand at the end of this text? */
export interface HalfTyped {
  readonly complete: string;
}

export interface Interrupt {
  readonly interrupt: true;
}

export type Question = Commands | HalfTyped | Interrupt;

/** Why a question was refused. */
export interface Refused {
  readonly code: string;
  /** RouterOS's words. */
  readonly text: string;
  readonly hint: string;
  /** Where in the question. */
  readonly line?: number;
  readonly column?: number;
}

export interface End {
  /** Where the operator stands now, as he would type it and as it is shown to him. */
  readonly path: string;
  readonly prompt: string;
  readonly fault?: Refused;
  /** He holds safe mode. */
  readonly isSafe?: true;
  /** The operator said that he goes: nothing follows. */
  readonly hasLeft?: true;
}

export type Answer = { readonly text: string } | { readonly completion: Completion } | { readonly end: End };

export function encode(message: Question | Answer): string {
  return `${JSON.stringify(message)}\n`;
}

/** The question in `line`. Throws a `Fault` if it is none. */
export function readQuestion(line: string): Question {
  const { run, width, json, complete, interrupt } = objectIn(line);
  if (typeof complete === 'string') return { complete };
  if (interrupt === true) return { interrupt };
  const isWidth = width === undefined || (Number.isInteger(width) && Number(width) > 0);
  if (typeof run === 'string' && isWidth && (json === undefined || typeof json === 'boolean')) {
    return { run, width: width as number | undefined, json: json === true };
  }
  throw notSpoken();
}

/** The answer in `line`. Throws a `Fault` if it is none. */
export function readAnswer(line: string): Answer {
  const { text, completion, end } = objectIn(line);
  if (typeof text === 'string') return { text };
  if (typeof completion === 'object' && completion !== null) return { completion: completion as Completion };
  if (typeof end === 'object' && end !== null && 'path' in end) return { end: end as End };
  throw notSpoken();
}

function objectIn(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Not JSON: told below like any other thing that is no message.
  }
  throw notSpoken();
}

function notSpoken(): Fault {
  const hint = 'Use the pptpctl that came with the daemon.';
  return new Fault('CONSOLE_PROTOCOL', 'operator', 'the other side speaks something else', hint);
}

/** `fault` for the other side. */
export function refusedBy(fault: Fault): Refused {
  const { code, hint, message } = fault;
  if (!(fault instanceof ScriptFault)) return { code, text: message, hint };
  const { line, column } = fault.at;
  return { code, text: fault.wording, hint, line, column };
}
