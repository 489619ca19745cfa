/**
 * What pptpctl and the daemon say to each other over the console's socket: a JSON object a line, UTF-8. The client asks
 *
 *     {"run":"/ppp active print","width":80,"json":false}
 *
 * and gets any number of `{"text":"…"}`, then one `{"end":{"path":"/ppp active"}}`, with a `fault` if it was refused. One
 * question is answered at a time, in order. Pure.
 */

import { Fault } from '../base/fault.ts';
import { ScriptFault } from '../config/fault.ts';

/** Octets of a question: longer ones are scripts, which are read from files. */
export const questionBytesMax = 64 * 1024;

export interface Question {
  readonly run: string;
  /** Columns of the terminal; undefined: there is none. */
  readonly width: number | undefined;
  readonly json: boolean;
}

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

export type Answer =
  | { readonly text: string }
  | { readonly end: { readonly path: string; readonly fault?: Refused } };

export function encode(message: Question | Answer): string {
  return `${JSON.stringify(message)}\n`;
}

/** The question in `line`. Throws a `Fault` if it is none. */
export function readQuestion(line: string): Question {
  const { run, width, json } = objectIn(line);
  const isWidth = width === undefined || (Number.isInteger(width) && Number(width) > 0);
  if (typeof run === 'string' && isWidth && (json === undefined || typeof json === 'boolean')) {
    return { run, width: width as number | undefined, json: json === true };
  }
  throw notSpoken();
}

/** The answer in `line`. Throws a `Fault` if it is none. */
export function readAnswer(line: string): Answer {
  const { text, end } = objectIn(line);
  if (typeof text === 'string') return { text };
  if (typeof end === 'object' && end !== null && 'path' in end) {
    return { end: end as Extract<Answer, { end: unknown }>['end'] };
  }
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
