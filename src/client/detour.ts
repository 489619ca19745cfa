/**
 * The way to a server for as long as a tunnel to it has the default route: a route to this one host, by the gateway through which
 * it was reached before, so that the tunnel is never routed over itself. Enter: the server's address and the way that the host has to
 * it. Leave: netlink requests; the engine performs them only for a server that is connected. What a killed process left
 * stays with a tunnel that goes on, and is taken away if none does.
 */

import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import { encodeRequests } from '../net/netlink.ts';
import type { Way } from '../net/ways.ts';
import { errorName } from '../session/errno.ts';
import type { Switchboard } from '../session/switchboard.ts';

export interface DetourServices {
  readonly switchboard: Switchboard;
  readonly log: Log;
  /** How the host reaches `address` now, other than through a tunnel of ours; undefined if it does not. Calls `found` once. */
  wayTo(address: Ipv4, found: (way: Way | undefined) => void): void;
}

export class Detour {
  readonly #services: DetourServices;
  readonly #server: Ipv4;
  #way: Way | undefined;
  #stands = false;

  constructor(server: Ipv4, services: DetourServices) {
    this.#server = server;
    this.#services = services;
  }

  /** Finds the way; `ready` is called when it is known, and nothing of a detour before is left. */
  prepare(ready: () => void): void {
    this.#remove(() =>
      this.#services.wayTo(this.#server, (way) => {
        this.#way = way;
        ready();
      }),
    );
  }

  /** The server is connected. Performed before whatever is asked of the kernel after. */
  begin(): void {
    const { switchboard, log } = this.#services;
    // A neighbour, or a host with a route of its own already, is reached by what wins over any default route.
    if (this.#way?.gateway === undefined || this.#way.prefixLength === 32) return;
    const { interfaceIndex, gateway } = this.#way;
    this.#stands = true;
    const request = { request: 'add-detour', host: this.#server, interfaceIndex, gateway } as const;
    switchboard.netlink(encodeRequests([request]), ({ errno }) => {
      if (errno === 0) return;
      const text = `no route of its own to the server ${formatIpv4(this.#server)}: ${errorName(errno)}`;
      log('warning', 'pptp,ppp', text);
    });
  }

  /** The tunnel stands since a process before this one, and with it what that has made. Instead of `prepare` and `begin`. */
  resume(): void {
    this.#stands = true;
  }

  /** The tunnel is no more. */
  end(): void {
    if (this.#stands) this.#remove(() => {});
    this.#stands = false;
  }

  #remove(removed: () => void): void {
    removeDetour(this.#server, this.#services, removed);
  }
}

/** Takes a detour to `host` away. There may be none: then the kernel says so, and that is as well. */
export function removeDetour(
  host: Ipv4,
  { switchboard }: Pick<DetourServices, 'switchboard'>,
  removed = () => {},
): void {
  switchboard.netlink(encodeRequests([{ request: 'delete-detour', host }]), removed);
}
