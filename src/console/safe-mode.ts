/**
 * Safe mode: while an operator holds it, the configuration that was in force when he took it is remembered; should he be lost,
 * it comes back, whoever made the changes since. One holds it at a time. RouterOS's `/safe-mode` with `take`, `release` (the
 * changes stay) and `unroll` (they are undone); on its consoles Ctrl-X and F4. Pure.
 */

import { Fault } from '../base/fault.ts';
import { yesNo } from '../base/kind.ts';
import { menu } from '../base/setting.ts';
import type { Store } from '../config/store.ts';
import type { Tree } from '../config/tree.ts';
import type { Command, Desk } from './desk.ts';
import type { Face } from './face.ts';
import { readOptions } from './options.ts';
import { done } from './run.ts';

/** What a change of the configuration goes through. */
export interface SafeModePorts extends Pick<Desk, 'commit'> {
  readonly store: Pick<Store, 'proposeTree' | 'current'>;
}

/** Changes of others that may come in between, each making it necessary to try again. */
const attemptsMax = 10;

/** Of all operators of one node. Who holds it is known by the object that he is to the program. */
export class SafeMode {
  readonly #ports: SafeModePorts;
  #holder: object | undefined;
  #before: Tree | undefined;

  constructor(ports: SafeModePorts) {
    this.#ports = ports;
  }

  isHeldBy(operator: object): boolean {
    return this.#holder === operator;
  }

  get isHeld(): boolean {
    return this.#holder !== undefined;
  }

  /** From now on changes will be undone if `operator` is lost; those made before, under another, stay. */
  take(operator: object): void {
    this.#holder = operator;
    this.#before = this.#ports.store.current.tree;
  }

  /** All changes stay. */
  release(): void {
    this.#holder = undefined;
    this.#before = undefined;
  }

  /** All changes since it was taken are undone, and it is free; if that fails, it stays as it is. */
  unroll(answer: (fault: Fault | undefined) => void): void {
    const [holder, before] = [this.#holder, this.#before];
    if (before === undefined) return answer(undefined);
    this.#restore(before, attemptsMax, (fault) => {
      if (fault === undefined && this.#holder === holder) this.release();
      answer(fault);
    });
  }

  #restore(tree: Tree, attempts: number, answer: (fault: Fault | undefined) => void): void {
    const { store, commit } = this.#ports;
    if (tree === store.current.tree) return answer(undefined);
    commit(store.proposeTree(tree), (fault) => {
      if (fault?.code === 'CONFIG_STALE' && attempts > 1) this.#restore(tree, attempts - 1, answer);
      else answer(fault);
    });
  }
}

const safeModeMenu = menu({
  path: '/safe-mode',
  kind: 'settings',
  help: 'Undoes changes if the operator who made them is lost.',
  rows: {
    taken: {
      kind: yesNo,
      default: false,
      applies: 'live',
      readOnly: true,
      help: 'Whether an operator holds it.',
    },
  },
});

export function safeModeFace(safeMode: SafeMode): Face {
  return {
    menu: safeModeMenu,
    configured: undefined,
    columns: undefined,
    live: {
      items: (_, answer) =>
        answer({ items: [{ id: '', flags: '', values: { taken: safeMode.isHeld }, isConfigured: false }] }),
    },
  };
}

const isHere = (face: Face | undefined): boolean => face?.menu.path === safeModeMenu.path;

const hijacking = {
  unroll: 'Undoes the changes of the operator who holds it.',
  release: 'Keeps the changes of the operator who holds it.',
} as const;
const nothing = menu({ path: safeModeMenu.path, kind: 'settings', help: '', rows: {} });

export const take: Command = {
  help: 'Changes are undone from now on, if this operator is lost.',
  takes: () => ({ words: hijacking }),
  appliesTo: isHere,
  *run({ nodes }, { operator, surroundings: { safeMode } }) {
    const { said } = readOptions(nodes, { words: hijacking, arguments: nothing });
    if (safeMode.isHeld && !safeMode.isHeldBy(operator)) {
      if (said.size === 0) throw heldByAnother();
      if (said.has('unroll')) yield* done((answer) => safeMode.unroll(answer));
    }
    if (!safeMode.isHeldBy(operator)) safeMode.take(operator);
    yield '[Safe Mode taken]\n';
  },
};

export const release: Command = {
  help: 'Leaves safe mode; the changes stay.',
  takes: () => ({}),
  appliesTo: isHere,
  *run({ nodes }, { operator, surroundings: { safeMode } }) {
    readOptions(nodes, { words: {}, arguments: nothing });
    expectHeld(safeMode, operator);
    safeMode.release();
    yield '[Safe Mode released]\n';
  },
};

export const unroll: Command = {
  help: 'Leaves safe mode; the changes are undone.',
  takes: () => ({}),
  appliesTo: isHere,
  *run({ nodes }, { operator, surroundings: { safeMode } }) {
    readOptions(nodes, { words: {}, arguments: nothing });
    expectHeld(safeMode, operator);
    yield* done((answer) => safeMode.unroll(answer));
    yield '[Safe Mode unrolled]\n';
  },
};

/** The code by which a terminal knows that it may ask what to do about the other. */
export const safeModeHeld = 'CONSOLE_SAFE_MODE_HELD';

function heldByAnother(): Fault {
  const hint = 'take unroll undoes his changes first, take release keeps them.';
  return new Fault(safeModeHeld, 'operator', 'failure: safe mode is taken by someone else', hint);
}

function expectHeld(safeMode: SafeMode, operator: object): void {
  if (safeMode.isHeldBy(operator)) return;
  const hint = 'Take it with /safe-mode take, Ctrl-X or F4.';
  throw new Fault('CONSOLE_SAFE_MODE', 'operator', 'failure: safe mode is not taken', hint);
}
