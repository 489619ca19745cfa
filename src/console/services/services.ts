/** All services of `/ip service`, opened and closed as the configuration changes, and who may use them. Pure. */

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/observe.ts';
import { menuTree } from '../../config/menu-tree.ts';
import type { Desk } from '../desk.ts';
import type { Face } from '../face.ts';
import type { ServiceDesk } from './desk.ts';
import { type ServiceName, type ServiceSettings, serviceNames, type UserSettings } from './settings.ts';
import { Turns } from './turns.ts';
import { Gate } from './users.ts';

/** A port that is open or closed. */
export interface Door {
  configure(settings: ServiceSettings): void;
  close(): void;
}

export interface ServicesPorts extends Pick<Desk, 'commit'> {
  readonly clock: Clock;
  readonly log: Log;
  readonly faces: readonly Face[];
  readonly store: ServiceDesk['store'];
  /** The closed port of the service `name`, behind which `gate` and `desk` are. */
  door(name: ServiceName, gate: Gate, desk: ServiceDesk): Door;
}

export class Services {
  readonly #gate: Gate;
  readonly #doors: ReadonlyMap<ServiceName, Door>;

  constructor({ clock, log, faces, store, commit, door }: ServicesPorts) {
    this.#gate = new Gate(log, clock);
    const desk: ServiceDesk = {
      clock,
      store,
      commit,
      faces: new Map(faces.map((face) => [face.menu.path, face])),
      root: menuTree(faces.map(({ menu }) => menu)),
      turns: new Turns(),
    };
    this.#doors = new Map(serviceNames.map((name) => [name, door(name, this.#gate, desk)]));
  }

  configure(services: readonly ServiceSettings[], users: readonly UserSettings[]): void {
    this.#gate.configure(users);
    for (const settings of services) this.#doors.get(settings.name)?.configure(settings);
  }

  close(): void {
    for (const door of this.#doors.values()) door.close();
  }
}
