/**
 * What the node shows to others than subscribers and RADIUS: the console on its socket, health on its port, its address in DNS.
 * Takes the concentrator and the store of the configuration; a change from the console is in force and in the file, or neither.
 */

import { join } from 'node:path';
import { systemClock } from '../base/clock.io.ts';
import { Fault } from '../base/fault.ts';
import type { Log } from '../base/observe.ts';
import { systemRandom } from '../base/random.io.ts';
import { type Configuration, configurationOf, menus } from '../config/configuration.ts';
import { exportScript } from '../config/export.ts';
import { writeScript } from '../config/file.io.ts';
import type { Candidate, Store } from '../config/store.ts';
import { facesOf } from '../console/faces.ts';
import { type Console, openConsole } from '../console/socket.io.ts';
import { Presence } from '../dns/presence.ts';
import { ResponderSocket } from '../dns/responder.io.ts';
import { lineTo } from '../dns/wire.io.ts';
import { HttpFace } from '../metrics/http.io.ts';
import type { Concentrator } from './concentrator.ts';

export interface OutsideParts {
  readonly log: Log;
  readonly run: string;
  readonly store: Store;
  /** The scripts that the configuration was read from. Changes can be kept if there is one, and it is the node's own or may be written. */
  readonly files: readonly string[];
  readonly concentrator: Concentrator;
}

export class Outside {
  readonly #parts: OutsideParts;
  readonly #health: HttpFace;
  readonly #presence: Presence;
  #console: Console | undefined;
  #commits: Promise<void> = Promise.resolve();

  constructor(parts: OutsideParts) {
    const { log, concentrator } = parts;
    this.#parts = parts;
    this.#health = new HttpFace({
      clock: systemClock,
      log,
      readiness: () => concentrator.unreadiness,
      pages: new Map(),
    });
    this.#presence = new Presence({
      clock: systemClock,
      random: systemRandom,
      log,
      isWanted: () => concentrator.unreadiness.length === 0,
      ...concentrator.neighbours,
      lineTo,
      listen: (place, reply) => {
        const socket = new ResponderSocket(place, { clock: systemClock, log, reply });
        socket.open();
        return socket;
      },
    });
  }

  /** Opens the console; rejects with a `Fault` if its socket cannot be had. */
  async open(configuration: Configuration): Promise<void> {
    const { log, run, store, concentrator } = this.#parts;
    this.configure(configuration);
    this.#console = await openConsole({
      faces: facesOf(menus, concentrator.live),
      store,
      commit: (candidate, answer) => {
        // One after the other: the next is checked against what the one before has left.
        this.#commits = this.#commits.then(() => this.#commit(candidate)).then(answer);
      },
      path: join(run, 'console.sock'),
      log,
    });
  }

  configure({ metrics, publish }: Configuration): void {
    this.#health.configure(metrics);
    this.#presence.configure(publish);
  }

  /** Takes the node out of DNS, and says goodbye to operators. */
  async close(): Promise<void> {
    await new Promise<void>((withdrawn) => this.#presence.close(withdrawn));
    this.#console?.close();
    this.#health.close();
  }

  /** In force, and in the file, or neither: nothing follows it before the file is written. */
  async #commit(candidate: Candidate): Promise<Fault | undefined> {
    const { store, files, concentrator } = this.#parts;
    const [file, ...more] = files;
    if (file === undefined || more.length > 0) return severalFiles(files);
    try {
      const { previous, next } = store.commit(candidate);
      try {
        await writeScript(file, exportScript(next.tree, { showSensitive: true }));
      } catch (error) {
        store.commit({ base: next.number, tree: previous.tree });
        throw error;
      }
      const configuration = configurationOf(next.tree);
      concentrator.configure(configuration);
      this.configure(configuration);
      return undefined;
    } catch (error) {
      if (error instanceof Fault) return error;
      throw error;
    }
  }
}

function severalFiles(files: readonly string[]): Fault {
  const text = `failure: the configuration is read from ${files.length} files, and none of them is this node's alone`;
  return new Fault(
    'CONFIG_SEVERAL_FILES',
    'operator',
    text,
    'Change the files and send SIGHUP, or give one --config.',
  );
}
