/**
 * Proxy-ARP for subscribers inside a LAN: on each interface with `arp=proxy-arp` the kernel answers ARP for the address of every
 * connected user, so that hosts of the LAN send to us what is meant for him. Enter: the interfaces wanted, users who come and go.
 * Leave: netlink requests for proxy entries, and log lines about those that the kernel refuses: nobody loses his session for them.
 *
 * An entry that a killed process has left does no harm: the kernel answers only for addresses that it would route elsewhere.
 */

import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import { encodeRequests, type ProxyRequest } from '../net/netlink.ts';
import { errorName } from './errno.ts';
import type { EthernetInterface } from './ethernet-settings.ts';
import type { Switchboard } from './switchboard.ts';

export interface ProxyArpServices {
  readonly switchboard: Switchboard;
  readonly log: Log;
  /** The kernel's number of an interface of the host, now; undefined if there is none of this name. */
  interfaceIndex(name: string): number | undefined;
}

export class ProxyArp {
  readonly #services: ProxyArpServices;
  #names: readonly string[] = [];
  /** For each connected user's address, the numbers of the interfaces that have an entry for it. */
  readonly #entries = new Map<Ipv4, readonly number[]>();

  constructor(services: ProxyArpServices) {
    this.#services = services;
  }

  /** What the operator wants now, for those who are connected too. */
  configure(interfaces: readonly EthernetInterface[]): void {
    const before = this.#names;
    this.#names = interfaces.filter(({ arp }) => arp === 'proxy-arp').map(({ name }) => name);
    if (before.length === 0 && this.#names.length === 0) return;
    for (const name of this.#names) {
      if (this.#services.interfaceIndex(name) !== undefined) continue;
      this.#services.log(
        'warning',
        'interface',
        `${name}: arp=proxy-arp, and the host has no such interface`,
      );
    }
    for (const address of this.#entries.keys()) this.#lead(address, this.#indices());
  }

  /** A user is connected. */
  up(address: Ipv4): void {
    this.#lead(address, this.#indices());
  }

  /** He is not any more. */
  down(address: Ipv4): void {
    this.#lead(address, []);
    this.#entries.delete(address);
  }

  #indices(): readonly number[] {
    return this.#names.flatMap((name) => this.#services.interfaceIndex(name) ?? []);
  }

  #lead(address: Ipv4, wanted: readonly number[]): void {
    const before = this.#entries.get(address) ?? [];
    this.#entries.set(address, wanted);
    const gone = before.filter((index) => !wanted.includes(index));
    const fresh = wanted.filter((index) => !before.includes(index));
    for (const interfaceIndex of gone) this.#ask({ request: 'delete-proxy', interfaceIndex, address });
    for (const interfaceIndex of fresh) this.#ask({ request: 'add-proxy', interfaceIndex, address });
  }

  #ask(request: ProxyRequest): void {
    const { switchboard, log } = this.#services;
    switchboard.netlink(encodeRequests([request]), ({ errno }) => {
      // An interface that is gone has taken its entries with it.
      if (errno === 0 || request.request === 'delete-proxy') return;
      const text = `proxy-arp for ${formatIpv4(request.address)}: ${errorName(errno)}`;
      log('warning', 'interface', text);
    });
  }
}
