/**
 * One operator at the menus. A line of RouterOS's language enters; text leaves, piece by piece, or a `Fault` in RouterOS's
 * words. A line alone in a menu stays there for the lines after it; numbers mean the items of the last print. The same shell
 * serves the console's socket and whoever else lets operators in. Pure.
 */

import type { MenuPath } from '../base/setting.ts';
import { menuTree, type Place } from '../config/menu-tree.ts';
import { walk } from '../config/script.ts';
import { parseStatements, placeOf, type Statement } from '../config/syntax.ts';
import { exporting, find, get, monitor } from './ask.ts';
import { add, comment, disable, enable, remove, set } from './change.ts';
import type { Command, Desk, Form } from './desk.ts';
import type { Face } from './face.ts';
import { print } from './print.ts';
import type { Run } from './run.ts';

const commands = {
  add,
  comment,
  disable,
  enable,
  export: exporting,
  find,
  get,
  monitor,
  print,
  remove,
  set,
} as const satisfies Readonly<Record<string, Command>>;

type Verb = keyof typeof commands;
const verbs = Object.keys(commands) as readonly Verb[];

/** What every shell is given. */
export interface ShellServices extends Pick<Desk, 'store' | 'commit'> {
  readonly faces: readonly Face[];
}

export class Shell {
  readonly #services: ShellServices;
  readonly #faces: ReadonlyMap<MenuPath, Face>;
  readonly #printed = new Map<MenuPath, readonly string[]>();
  #here: Place;

  constructor(services: ShellServices) {
    this.#services = services;
    this.#faces = new Map(services.faces.map((face) => [face.menu.path, face]));
    this.#here = menuTree(services.faces.map(({ menu }) => menu));
  }

  /** Where the operator stands: `/ppp secret`. */
  get path(): string {
    return `/${this.#here.words.join(' ')}`;
  }

  /** Does what `text` asks for, one command after the other up to the first that fails; that one has done nothing. */
  *run(text: string, form: Form): Run {
    for (const statement of parseStatements(text, 'console')) yield* this.#do(statement, form);
  }

  *#do({ nodes, end }: Statement, form: Form): Run {
    const [first] = nodes;
    if (first === undefined) throw new Error('a statement without a word');
    const { place, verb, rest } = walk(nodes, this.#here, (at) => this.#verbsAt(at));
    if (verb === undefined) {
      this.#here = place;
      return;
    }
    const { store } = this.#services;
    const desk: Desk = {
      faces: this.#faces,
      printed: this.#printed,
      store,
      commit: (candidate, answer) => this.#services.commit(candidate, answer),
      form,
    };
    yield* commands[verb].run({ place, nodes: rest, at: placeOf(first), end }, desk);
  }

  #verbsAt({ menu }: Place): readonly Verb[] {
    const face = menu && this.#faces.get(menu.path);
    return verbs.filter((verb) => commands[verb].appliesTo(face));
  }
}
