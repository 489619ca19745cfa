/**
 * The configuration in force. A change is a draft of it, checked whole, then committed or not at all; each commit is a
 * revision, and whoever applies it is given the one before, so that only the difference touches what runs. Pure.
 */

import { Fault } from '../base/fault.ts';
import type { AnyMenu } from '../base/setting.ts';
import type { Command } from './command.ts';
import { Draft } from './draft.ts';
import { menuTree, type Place } from './menu-tree.ts';
import { parseScript } from './script.ts';
import { initialTree, type Tree } from './tree.ts';

export interface Revision {
  /** 0 is all defaults; each commit counts one up. */
  readonly number: number;
  readonly tree: Tree;
}

/** What a commit did. */
export interface Commit {
  readonly previous: Revision;
  readonly next: Revision;
}

/** A script's text, and the name that its faults give it. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

export class Store {
  /** Where the paths of scripts begin. */
  readonly root: Place;
  readonly #menus: readonly AnyMenu[];
  #current: Revision;

  constructor(menus: readonly AnyMenu[]) {
    this.root = menuTree(menus);
    this.#menus = menus;
    this.#current = { number: 0, tree: initialTree(menus) };
  }

  get current(): Revision {
    return this.#current;
  }

  /** What the configuration would be after `commands`. Throws a `ScriptFault`. */
  propose(commands: readonly Command[]): Candidate {
    return this.#candidate(this.#current.tree, commands);
  }

  /** What the configuration would be if it came from `sources` alone, one after the other. Throws a `ScriptFault`. */
  proposeWhole(sources: readonly Source[]): Candidate {
    const commands = sources.flatMap(({ text, file }) => parseScript(text, file, this.root));
    return this.#candidate(initialTree(this.#menus), commands);
  }

  /** The configuration of an earlier revision again; numbers that items got since are not given to others. */
  proposeTree({ menus, settings, lists }: Tree): Candidate {
    const now = this.#current.tree.lists;
    const kept = Array.from(lists, ([path, list]) => {
      const lastId = Math.max(list.lastId, now.get(path)?.lastId ?? 0);
      return [path, { ...list, lastId }] as const;
    });
    return { base: this.#current.number, tree: { menus, settings, lists: new Map(kept) } };
  }

  /** Puts a candidate in force, unless another came first: then it was checked against what is no more. */
  commit({ base, tree }: Candidate): Commit {
    const previous = this.#current;
    if (base !== previous.number) {
      const text = `configuration has changed since: revision ${previous.number}, not ${base}`;
      throw new Fault('CONFIG_STALE', 'operator', text, 'Look at what changed, and repeat the command.');
    }
    this.#current = { number: previous.number + 1, tree };
    return { previous, next: this.#current };
  }

  #candidate(from: Tree, commands: readonly Command[]): Candidate {
    const draft = new Draft(from);
    for (const command of commands) draft.run(command);
    return { base: this.#current.number, tree: draft.checked() };
  }
}

/** A configuration that has been checked whole and is not in force yet. */
export interface Candidate {
  /** The revision that it was made on. */
  readonly base: number;
  readonly tree: Tree;
}
