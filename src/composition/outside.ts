/**
 * What the node shows to others than subscribers and RADIUS: the console on its socket, health on its port, its address in DNS.
 * Takes the concentrator and the store of the configuration; a change from the console is in force and in the file, or neither.
 */

import { join } from 'node:path';
import { systemClock } from '../base/clock.io.ts';
import type { Log } from '../base/observe.ts';
import { systemRandom } from '../base/random.io.ts';
import { type Configuration, menus } from '../config/configuration.ts';
import type { Store } from '../config/store.ts';
import { facesOf } from '../console/faces.ts';
import { type LogRing, logFace } from '../console/log.ts';
import { Services } from '../console/services/services.ts';
import { type Console, type ConsolePorts, openConsole } from '../console/socket.io.ts';
import { Presence } from '../dns/presence.ts';
import { ResponderSocket } from '../dns/responder.io.ts';
import { lineTo } from '../dns/wire.io.ts';
import { HttpFace } from '../metrics/http.io.ts';
import type { Concentrator } from './concentrator.ts';
import { doorOf } from './doors.ts';
import type { Keeper } from './keeper.ts';
import { Metrics } from './metrics.ts';
import { surroundingsOf } from './surroundings.ts';

export interface OutsideParts {
  readonly log: Log;
  /** The last lines of `log`. */
  readonly logRing: LogRing;
  readonly run: string;
  /** Where what is to be kept is. */
  readonly state: string;
  readonly store: Store;
  /** Puts changes in force and keeps them. */
  readonly keeper: Pick<Keeper, 'commit' | 'lastReload'>;
  readonly concentrator: Concentrator;
}

export class Outside {
  readonly #parts: OutsideParts;
  readonly #health: HttpFace;
  readonly #metrics: Metrics;
  #isNaming = false;
  readonly #presence: Presence;
  #console: Console | undefined;
  #services: Services | undefined;

  constructor(parts: OutsideParts) {
    const { log, concentrator, keeper } = parts;
    this.#parts = parts;
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
    this.#metrics = new Metrics(
      concentrator.subject(() => keeper.lastReload),
      { dns_publisher: this.#presence.publisherTally, dns_responder: this.#presence.responderTally },
      () => this.#isNaming,
    );
    this.#health = new HttpFace({
      clock: systemClock,
      log,
      readiness: () => concentrator.unreadiness,
      pages: this.#metrics.pages,
      streams: this.#metrics.streams,
    });
  }

  /** Opens the console; rejects with a `Fault` if its socket cannot be had. */
  async open(configuration: Configuration): Promise<void> {
    const { log, logRing, run, state, store, keeper, concentrator } = this.#parts;
    this.#metrics.begin();
    const commit: ConsolePorts['commit'] = (candidate, answer) => keeper.commit(candidate, answer);
    const faces = [...facesOf(menus, concentrator.live), logFace(logRing)];
    this.#services = new Services({ clock: systemClock, log, faces, store, commit, door: doorOf(log) });
    this.configure(configuration);
    this.#console = await openConsole({
      faces,
      store,
      commit,
      surroundings: surroundingsOf(concentrator.live.node, state, { store, commit }, concentrator.tracing),
      path: join(run, 'console.sock'),
      log,
    });
  }

  configure({ metrics, publish, services, users }: Configuration): void {
    this.#isNaming = metrics.sessions;
    this.#health.configure(metrics);
    this.#presence.configure(publish);
    this.#services?.configure(services, users);
  }

  /** Takes the node out of DNS, and says goodbye to operators. */
  async close(): Promise<void> {
    await new Promise<void>((withdrawn) => this.#presence.close(withdrawn));
    await this.#console?.close();
    this.#services?.close();
    this.#metrics.close();
    this.#health.close();
  }
}
