/** What the commands of one connection work on: the menus, the configuration in force, and what was printed before. */

import type { Fault } from '../base/fault.ts';
import type { MenuPath } from '../base/setting.ts';
import type { Position } from '../config/fault.ts';
import type { Place } from '../config/menu-tree.ts';
import type { Candidate, Store } from '../config/store.ts';
import type { Node } from '../config/syntax.ts';
import type { Face } from './face.ts';
import type { Run } from './run.ts';

/** How the answer is to look. */
export interface Form {
  /** Columns of the terminal; undefined if there is none: then no value is cut. */
  readonly width: number | undefined;
  readonly json: boolean;
}

export interface Desk {
  readonly faces: ReadonlyMap<MenuPath, Face>;
  readonly store: Pick<Store, 'current' | 'propose'>;
  /** Puts a candidate in force and keeps it, whole or not at all; the fault says why not. */
  commit(candidate: Candidate, answer: (fault: Fault | undefined) => void): void;
  /** For each list the items of its last print: item numbers are places in it. */
  readonly printed: Map<MenuPath, readonly string[]>;
  readonly form: Form;
}

/** A command as typed, behind its verb. */
export interface Request {
  readonly place: Place;
  readonly nodes: readonly Node[];
  /** Where the command begins, and where something is missed. */
  readonly at: Position;
  readonly end: Position;
}

/** Something that can be done in menus. */
export interface Command {
  /** One sentence. */
  readonly help: string;
  /** Whether there is such a command where `face` is; undefined is a place that only holds menus. */
  appliesTo(face: Face | undefined): boolean;
  run(request: Request, desk: Desk): Run;
}

/** The face of the menu that `request` is made in, for commands that apply to menus only. */
export function faceAt({ place }: Request, { faces }: Desk): Face {
  const face = place.menu && faces.get(place.menu.path);
  if (face === undefined) throw new Error(`no menu at /${place.words.join(' ')}`);
  return face;
}
