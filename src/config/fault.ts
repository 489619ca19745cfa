/** What is wrong in a script: where, and RouterOS's words for it. An operator's move, hence a `Fault`. */

import { Fault } from '../base/fault.ts';

/** A place in a script. Lines and columns count from 1; a column is a UTF-16 unit, a tab is one. */
export interface Position {
  /** The file's name, or what else the text came from: `console`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The closed set of things that can be wrong, by the step that finds them. */
export type ScriptFaultCode =
  | 'CONFIG_SYNTAX' // the text is no script
  | 'CONFIG_COMMAND' // no such menu, command or argument
  | 'CONFIG_VALUE' // the argument has no such value
  | 'CONFIG_ITEM' // no such item, or it cannot be changed so
  | 'CONFIG_REFERENCE'; // names an item that does not exist

export class ScriptFault extends Fault {
  readonly at: Position;
  /** RouterOS's words alone; the message has the place before them. */
  readonly wording: string;

  constructor(code: ScriptFaultCode, at: Position, wording: string, hint: string) {
    super(code, 'operator', `${at.file}:${at.line}:${at.column}: ${wording}`, hint);
    this.at = at;
    this.wording = wording;
  }
}

/** A fault whose words name the place too, as RouterOS's do for all that is about the text itself. */
export function placed(code: ScriptFaultCode, at: Position, words: string, hint: string): ScriptFault {
  return new ScriptFault(code, at, `${words} (line ${at.line} column ${at.column})`, hint);
}
