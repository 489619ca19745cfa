/** What the commands of one connection work on: the menus, the configuration in force, and what was printed before. */

import type { Clock } from '../base/clock.ts';
import type { Fault } from '../base/fault.ts';
import type { AnyMenu, MenuPath } from '../base/setting.ts';
import type { Position } from '../config/fault.ts';
import type { Place } from '../config/menu-tree.ts';
import type { Candidate, Source, Store } from '../config/store.ts';
import type { Node } from '../config/syntax.ts';
import type { Echo } from './echo.ts';
import type { Face } from './face.ts';
import type { Run } from './run.ts';
import type { SafeMode } from './safe-mode.ts';
import type { Tracing } from './trace.ts';

/** How the answer is to look. */
export interface Form {
  /** Columns of the terminal; undefined if there is none: then no value is cut, and nothing goes on until it is interrupted. */
  readonly width: number | undefined;
  readonly json: boolean;
}

/** The scripts that `import` and `export` name, in a directory of the node. */
export interface Scripts {
  read(name: string, answer: (script: Source | Fault) => void): void;
  write(name: string, text: string, answer: (fault: Fault | undefined) => void): void;
}

/** What commands need beside the configuration, the same for all operators. */
export interface Surroundings {
  readonly clock: Clock;
  /** The node's name, for the prompt. */
  readonly identity: string;
  /** Of the program. */
  readonly version: string;
  readonly scripts: Scripts;
  readonly echo: Echo;
  readonly safeMode: SafeMode;
  readonly tracing: Tracing;
}

/** Who gives the commands. */
export interface Operator {
  /** He goes, of his own will. */
  leave(): void;
}

export interface Desk {
  readonly faces: ReadonlyMap<MenuPath, Face>;
  readonly store: Pick<Store, 'current' | 'propose' | 'root'>;
  /** Puts a candidate in force and keeps it, whole or not at all; the fault says why not. */
  commit(candidate: Candidate, answer: (fault: Fault | undefined) => void): void;
  /** For each list the items of its last print: item numbers are places in it. */
  readonly printed: Map<MenuPath, readonly string[]>;
  readonly form: Form;
  readonly surroundings: Surroundings;
  readonly operator: Operator;
}

/** A command as typed, behind its verb. */
export interface Request {
  readonly place: Place;
  readonly nodes: readonly Node[];
  /** Where the command begins, and where something is missed. */
  readonly at: Position;
  readonly end: Position;
}

/** What may stand behind a verb, for completion and help; what it means is for the command to read. */
export interface Takes {
  /** Which items, first. */
  readonly items?: true;
  /** Properties with a value to be set, or names of any. */
  readonly properties?: 'values' | 'names';
  /** Words that stand alone, each with its sentence. */
  readonly words?: Readonly<Record<string, string>>;
  /** Rows of what is given with a name and a value, and is about the command alone. */
  readonly arguments?: AnyMenu;
  /** A condition, behind `where` or at once. */
  readonly condition?: 'where' | 'alone';
}

/** Something that can be done in menus. */
export interface Command {
  /** One sentence. */
  readonly help: string;
  takes(face: Face | undefined): Takes;
  /** Whether there is such a command at `place`, where `face` is; undefined is a place that only holds menus. */
  appliesTo(face: Face | undefined, place: Place): boolean;
  run(request: Request, desk: Desk): Run;
}

/** For commands of no menu: they stand at the root. */
export function atRoot(_: Face | undefined, place: Place): boolean {
  return place.above === undefined;
}

/** The face of the menu that `request` is made in, for commands that apply to menus only. */
export function faceAt({ place }: Request, { faces }: Desk): Face {
  const face = place.menu && faces.get(place.menu.path);
  if (face === undefined) throw new Error(`no menu at /${place.words.join(' ')}`);
  return face;
}
