/**
 * Keeps configuration in force and configuration on disk one: a change of an operator is in force and in the file, or neither; a
 * change of the file is in force whole, or the old one stays and the log says where the mistake is. One after the other, so that
 * each is checked against what the one before has left. Our own writing is known by its text and is no change.
 */

import { systemClock } from '../base/clock.io.ts';
import { Fault } from '../base/fault.ts';
import type { Log } from '../base/observe.ts';
import { type Configuration, configurationOf } from '../config/configuration.ts';
import { exportScript } from '../config/export.ts';
import { readScript, writeScript } from '../config/file.io.ts';
import type { Candidate, Source, Store } from '../config/store.ts';
import { type Watch, watchFiles } from '../config/watch.io.ts';
import type { Reload } from '../metrics/subject.ts';

export interface KeeperParts {
  readonly log: Log;
  readonly store: Store;
  /** What the configuration in force was read from. Changes can be kept if there is one. */
  readonly sources: readonly Source[];
  /** Leads what runs to another configuration. */
  apply(configuration: Configuration): void;
}

export class Keeper {
  readonly #parts: KeeperParts;
  /** What the files hold as far as we know: read or written last, good or bad. */
  #known: readonly Source[];
  /** Those of them that are in force. */
  #inForce: readonly Source[];
  #lastReload: Reload;
  #turn: Promise<void> = Promise.resolve();
  #watch: Watch | undefined;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#known = parts.sources;
    this.#inForce = parts.sources;
    this.#lastReload = succeeded();
  }

  /** Whether what the files say is in force. */
  get lastReload(): Reload {
    return this.#lastReload;
  }

  /** From now on changes of the files are noticed. */
  open(): void {
    const { log } = this.#parts;
    this.#watch = watchFiles(this.#files, log, () => this.reload('changed'));
  }

  close(): void {
    this.#watch?.close();
  }

  /** Puts an operator's change in force and keeps it; the fault says why not. */
  commit(candidate: Candidate, answer: (fault: Fault | undefined) => void): void {
    this.#turn = this.#turn.then(() => this.#commit(candidate)).then(answer);
  }

  /** Puts the files in force again, or leaves everything as it is. If they are said to have `changed`, they may not have. */
  reload(why: 'told' | 'changed'): void {
    this.#turn = this.#turn.then(() => this.#reload(why));
  }

  get #files(): readonly string[] {
    return this.#parts.sources.map(({ file }) => file);
  }

  async #commit(candidate: Candidate): Promise<Fault | undefined> {
    const [file, ...more] = this.#files;
    if (file === undefined || more.length > 0) return severalFiles(this.#files);
    try {
      await this.#checkUnchanged(file);
      await this.#keep(candidate, file);
      return undefined;
    } catch (error) {
      if (error instanceof Fault) return error;
      throw error;
    }
  }

  /** In force before it is written, so that what it was checked against is what is there; nothing follows before it is written. */
  async #keep(candidate: Candidate, file: string): Promise<void> {
    const { store, apply } = this.#parts;
    const { previous, next } = store.commit(candidate);
    const text = exportScript(next.tree, { showSensitive: true });
    const before = this.#known;
    this.#known = [{ file, text }];
    try {
      await writeScript(file, text);
    } catch (error) {
      this.#known = before;
      store.commit({ base: next.number, tree: previous.tree });
      throw error;
    }
    apply(configurationOf(next.tree));
    this.#isInForce();
  }

  #isInForce(): void {
    this.#inForce = this.#known;
    this.#lastReload = succeeded();
  }

  /** What somebody else has written is not overwritten. A file that is gone is written anew. */
  async #checkUnchanged(file: string): Promise<void> {
    const found = await readScript(file).catch(() => undefined);
    if (found === undefined || found.text === this.#known[0]?.text) return;
    const text = `failure: ${file} has been changed by somebody else`;
    const hint = 'It is read by itself within a second; if it has a mistake, the log says where.';
    throw new Fault('CONFIG_CHANGED', 'operator', text, hint);
  }

  async #reload(why: 'told' | 'changed'): Promise<void> {
    const { log, store, apply } = this.#parts;
    try {
      const sources = await Promise.all(this.#files.map(readScript));
      if (why === 'changed' && isSame(sources, this.#known)) {
        // A file may have been away, and be what it was.
        if (this.#known === this.#inForce) this.#isInForce();
        return;
      }
      this.#known = sources;
      const { next } = store.commit(store.proposeWhole(sources));
      apply(configurationOf(next.tree));
      this.#isInForce();
      log('info', 'system', `configuration read again, revision ${next.number}`);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#lastReload = { ...this.#lastReload, isSuccessful: false };
      const { code, hint } = error;
      log('error', 'system', `configuration not changed: ${error.message}`, { code, hint });
    }
  }
}

function succeeded(): Reload {
  return { isSuccessful: true, successAtMs: systemClock.wallMs() };
}

function isSame(some: readonly Source[], others: readonly Source[]): boolean {
  return some.every(({ text }, at) => text === others[at]?.text);
}

function severalFiles(files: readonly string[]): Fault {
  const text = `failure: the configuration is read from ${files.length} files, and none of them is this node's alone`;
  const hint = 'Change the files: they are read again by themselves; or give one --config.';
  return new Fault('CONFIG_SEVERAL_FILES', 'operator', text, hint);
}
