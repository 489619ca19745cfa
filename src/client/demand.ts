/**
 * The interface of a client that dials on demand: it is there while no tunnel is, with a gateway of 10.112.112.0/24 as its other end, and
 * takes the routes of the tunnel, so that the first packet for the tunnel comes out of it and waits there. Enter: the entry, the
 * engine's news of that packet. Leave: commands, and `wanted`. A session borrows the interface (session/party.ts) and gives it
 * another plan; `rest` takes the plan of waiting up again.
 */

import { type Ipv4, parseIpv4 } from '../base/ip.ts';
import type { PlannedRoute } from '../net/plan.ts';
import type { LinkHandles } from '../session/call-ids.ts';
import { type Outcome, SessionInterface, type StandingInterface } from '../session/session-interface.ts';
import type { StaticRoutes } from '../session/static-routes.ts';
import type { Switchboard } from '../session/switchboard.ts';
import type { ClientSettings } from './settings.ts';

export interface DemandServices {
  readonly switchboard: Switchboard;
  readonly links: LinkHandles;
  readonly staticRoutes: StaticRoutes;
  readonly gateways: DemandGateways;
}

/** RouterOS's block for gateways of tunnels that are not there. */
const block = parseIpv4('10.112.112.0') ?? 0;
/** Our own end, of a client whose profile names none. */
const ownEnd = block + 1;
const firstGateway = block + 2;
/** Up to 10.112.112.254; more clients than that share one, and can be told apart by their interface only. */
const gatewaysMax = 253;

/** The gateways that clients have: each its own. */
export class DemandGateways {
  readonly #taken = new Set<Ipv4>();

  take(): Ipv4 {
    for (let gateway = firstGateway; gateway < firstGateway + gatewaysMax; gateway += 1) {
      if (this.#taken.has(gateway)) continue;
      this.#taken.add(gateway);
      return gateway;
    }
    return firstGateway;
  }

  /** A client of a process before this one has it. */
  hold(gateway: Ipv4): void {
    this.#taken.add(gateway);
  }

  release(gateway: Ipv4): void {
    this.#taken.delete(gateway);
  }
}

/** What a process before this one had made; its tunnel is up. */
export interface StandingDemand {
  readonly gateway: Ipv4;
  readonly interface: StandingInterface;
}

export class Demand {
  /** What a session borrows. */
  readonly interface: SessionInterface;
  readonly #settings: ClientSettings;
  readonly #services: DemandServices;
  readonly #gateway: Ipv4;
  #local: Ipv4 = ownEnd;
  #isResting = false;

  /** Makes the interface, whose name is nobody else's. One that is `standing` there already is taken as it is. */
  constructor(settings: ClientSettings, services: DemandServices, standing?: StandingDemand) {
    const { switchboard, links, gateways } = services;
    this.#settings = settings;
    this.#services = services;
    this.#gateway = standing?.gateway ?? gateways.take();
    gateways.hold(this.#gateway);
    this.interface = new SessionInterface(settings.name, switchboard, links, standing?.interface);
  }

  /** The other end of the interface while no tunnel stands. */
  get gateway(): Ipv4 {
    return this.#gateway;
  }

  /**
   * Leads the kernel to the plan of waiting; `local` is our end of the tunnel, if it is known before there is one. `wanted` when a
   * packet waits, once; `refused` with the kernel's words if there will be no waiting.
   */
  rest(local: Ipv4 | undefined, wanted: () => void, refused: (trouble: string) => void): void {
    this.#local = local ?? ownEnd;
    this.#isResting = true;
    this.#follow(this.#routes(), (trouble) => {
      if (trouble !== undefined) return refused(trouble);
      this.interface.watch(wanted);
    });
  }

  /** What is routed through it has changed. */
  replan(): void {
    if (this.#isResting) this.#follow(this.#routes(), () => {});
  }

  /** A tunnel is dialled, and its routes are away meanwhile: one of them may lead to the server. Packets that came before wait. */
  clear(cleared: Outcome): void {
    this.#isResting = false;
    this.#follow([], cleared);
  }

  /** Removes the interface; `closed` is called when its name is free. */
  close(closed: () => void): void {
    this.#isResting = false;
    this.interface.close(() => {
      this.#services.gateways.release(this.#gateway);
      closed();
    });
  }

  #follow(routes: readonly PlannedRoute[], done: Outcome): void {
    const { name: linkName, maxMtu: mtu } = this.#settings;
    this.interface.follow({ linkName, mtu, local: this.#local, remote: this.#gateway, routes }, done);
  }

  #routes(): readonly PlannedRoute[] {
    const { name, addDefaultRoute, defaultRouteDistance: metric } = this.#settings;
    const routes = this.#services.staticRoutes.through({ name, remote: this.#gateway });
    return addDefaultRoute ? [...routes, { destination: { address: 0, length: 0 }, metric }] : routes;
  }
}
