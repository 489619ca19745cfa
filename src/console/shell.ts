/**
 * One operator at the menus. A line of RouterOS's language enters; text leaves, piece by piece, or a `Fault` in RouterOS's
 * words. A line alone in a menu stays there for the lines after it; numbers mean the items of the last print. The same shell
 * serves the console's socket and whoever else lets operators in. Pure.
 */

import type { Fault } from '../base/fault.ts';
import type { MenuPath } from '../base/setting.ts';
import { menuTree, type Place } from '../config/menu-tree.ts';
import { walk } from '../config/script.ts';
import { parseStatements, placeOf, type Statement } from '../config/syntax.ts';
import { find, get, monitor } from './ask.ts';
import { add, comment, disable, enable, expectEnd, move, remove, set } from './change.ts';
import { type Completion, complete } from './complete.ts';
import { atRoot, type Command, type Desk, type Form, type Operator } from './desk.ts';
import { cancel, hard, soft } from './drain.ts';
import { ping } from './echo.ts';
import type { Face } from './face.ts';
import { print } from './print.ts';
import type { Run } from './run.ts';
import { release, safeModeFace, take, unroll } from './safe-mode.ts';
import { exporting, importing } from './scripts.ts';
import { trace } from './trace.ts';

const quit: Command = {
  help: 'Leaves the console; changes stay, those of safe mode too.',
  takes: () => ({}),
  appliesTo: atRoot,
  *run({ nodes }, { operator }) {
    expectEnd(nodes, 'quit takes nothing.');
    operator.leave();
    // A command is a coroutine, also one that has nothing to say.
    yield '';
  },
};

const commands: Readonly<Record<string, Command>> = {
  add,
  cancel,
  comment,
  disable,
  enable,
  export: exporting,
  find,
  get,
  hard,
  import: importing,
  monitor,
  move,
  ping,
  print,
  quit,
  release,
  remove,
  set,
  soft,
  take,
  trace,
  unroll,
};

/** What every shell is given. */
export interface ShellServices extends Pick<Desk, 'store' | 'commit' | 'surroundings'> {
  readonly faces: readonly Face[];
}

export class Shell implements Operator {
  readonly #services: ShellServices;
  readonly #faces: ReadonlyMap<MenuPath, Face>;
  readonly #printed = new Map<MenuPath, readonly string[]>();
  #here: Place;
  /** Whether he held safe mode when he was last seen: another may have taken it. */
  #wasSafe = false;
  #hasLeft = false;

  constructor(services: ShellServices) {
    const faces = [...services.faces, safeModeFace(services.surroundings.safeMode)];
    this.#services = services;
    this.#faces = new Map(faces.map((face) => [face.menu.path, face]));
    this.#here = menuTree(faces.map(({ menu }) => menu));
  }

  /** Where the operator stands: `/ppp secret`. */
  get path(): string {
    return `/${this.#here.words.join(' ')}`;
  }

  /** `[admin@north] /ppp/secret> `, and `[admin@north] /ppp/secret<SAFE> ` in safe mode. */
  get prompt(): string {
    const path = this.#here.words.length === 0 ? '' : `/${this.#here.words.join('/')}`;
    return `[admin@${this.#services.surroundings.identity}] ${path}${this.isSafe ? '<SAFE>' : '>'} `;
  }

  /** True once the operator said that he goes. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  leave(): void {
    this.#hasLeft = true;
    if (this.isSafe) this.#services.surroundings.safeMode.release();
  }

  /** The operator is gone and has not said so: what was changed in his safe mode is undone. */
  lose(answer: (fault: Fault | undefined) => void): void {
    const { safeMode } = this.#services.surroundings;
    if (!safeMode.isHeldBy(this)) return answer(undefined);
    safeMode.unroll((fault) => {
      // Also if it failed: nobody is there to try again.
      if (safeMode.isHeldBy(this)) safeMode.release();
      answer(fault);
    });
  }

  /** Does what `text` asks for, one command after the other up to the first that fails; that one has done nothing. */
  *run(text: string, form: Form): Run {
    if (this.#wasSafe && !this.isSafe) yield '[Safe Mode released by another user]\n';
    this.#wasSafe = this.isSafe;
    try {
      for (const statement of parseStatements(text, 'console')) yield* this.#do(statement, form);
    } finally {
      this.#wasSafe = this.isSafe;
    }
  }

  /** What may stand at the end of `text`. */
  complete(text: string): Run<Completion> {
    const desk = this.#desk({ width: undefined, json: false });
    return complete(text, this.#here, (place) => this.#commandsAt(place), desk);
  }

  /** Whether he holds safe mode. */
  get isSafe(): boolean {
    return this.#services.surroundings.safeMode.isHeldBy(this);
  }

  *#do({ nodes, end }: Statement, form: Form): Run {
    const [first] = nodes;
    if (first === undefined) throw new Error('a statement without a word');
    const { place, verb, rest } = walk(nodes, this.#here, (at) => Object.keys(this.#commandsAt(at)));
    if (verb === undefined) {
      this.#here = place;
      return;
    }
    yield* this.#command(verb).run({ place, nodes: rest, at: placeOf(first), end }, this.#desk(form));
  }

  #desk(form: Form): Desk {
    const { store, surroundings } = this.#services;
    return {
      faces: this.#faces,
      printed: this.#printed,
      store,
      commit: (candidate, answer) => this.#services.commit(candidate, answer),
      form,
      surroundings,
      operator: this,
    };
  }

  #command(verb: string): Command {
    const command = commands[verb];
    if (command === undefined) throw new Error(`no command ${verb}`);
    return command;
  }

  #commandsAt(place: Place): Readonly<Record<string, Command>> {
    const face = place.menu && this.#faces.get(place.menu.path);
    return Object.fromEntries(
      Object.entries(commands).filter(([, command]) => command.appliesTo(face, place)),
    );
  }
}
