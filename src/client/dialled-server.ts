/**
 * The client's side of a session: we prove who we are, and take the address that the server gives. The interface bears the
 * name of the client's entry.
 */

import type { Grant } from '../aaa/grant.ts';
import { parseIpv4 } from '../base/ip.ts';
import type { Plan } from '../net/plan.ts';
import type { MppePolicy } from '../ppp/ccp/options.ts';
import type { EndingCause } from '../session/ending.ts';
import type { InterfaceNames } from '../session/interface-names.ts';
import type { StandingTunnel } from '../session/memo.ts';
import type { Authenticated, NetworkUp, Party, Terms } from '../session/party.ts';
import type { SessionInterface } from '../session/session-interface.ts';
import type { StaticRoutes } from '../session/static-routes.ts';
import type { ClientSettings } from './settings.ts';

/** Stands for a server that does not say its address (Windows does not always): of the block that RouterOS takes for it. */
const namelessServer = parseIpv4('10.112.112.112') ?? 0;

export interface DialledServerServices {
  readonly mppe: MppePolicy;
  readonly names: InterfaceNames;
  readonly staticRoutes: StaticRoutes;
}

export class DialledServer implements Party {
  readonly name: string;
  readonly link: Party['link'];
  readonly maxMtu: number;
  readonly keepaliveMs: number;
  readonly #settings: ClientSettings;
  readonly #grant: Grant;
  readonly #services: DialledServerServices;
  readonly #lent: SessionInterface | undefined;
  #holdsName = false;
  #portName: string | undefined;

  /** `grant` is what the client's profile says; `lent` the interface of the entry, if it is there without a tunnel too. */
  constructor(
    settings: ClientSettings,
    grant: Grant,
    services: DialledServerServices,
    lent: SessionInterface | undefined,
  ) {
    const { maxMtu, maxMru, mrru, user, password, allow, keepaliveTimeout } = settings;
    this.name = settings.name;
    this.link = {
      identity: user,
      mru: maxMru,
      mrru: mrru === 'disabled' ? undefined : mrru,
      fieldCompression: true,
      demand: new Set(),
      account: { name: user, password, allow: new Set(allow) },
    };
    this.maxMtu = maxMtu;
    this.keepaliveMs = keepaliveTimeout === 'disabled' ? 0 : keepaliveTimeout;
    this.#settings = settings;
    this.#grant = grant;
    this.#services = services;
    this.#lent = lent;
  }

  judge(): void {
    throw new Error('a client demands no proof of a name');
  }

  terms({ keys }: Authenticated): Terms | EndingCause {
    const { name } = this.#settings;
    if (!this.#takeName()) return 'interface-failed';
    if (this.#grant.bridge !== undefined) this.#portName ??= this.#services.names.takePort(name);
    return this.#termsNow(keys !== undefined);
  }

  /** What a process after this one is told. */
  get standing(): Pick<StandingTunnel, 'grant' | 'portName'> {
    return { grant: this.#grant, portName: this.#portName };
  }

  /** The tunnel is up since a process before this one: takes the names that it had then, which nobody else has. */
  resume({ portName, session }: StandingTunnel): Terms {
    this.#takeName();
    if (portName !== undefined) this.#services.names.takeExactly(portName);
    this.#portName = portName;
    return this.#termsNow(session.network.keys !== undefined);
  }

  /** False if somebody else has it. A lent interface has it already. */
  #takeName(): boolean {
    if (this.#lent !== undefined) return true;
    this.#holdsName ||= this.#services.names.takeExactly(this.#settings.name);
    return this.#holdsName;
  }

  #termsNow(keysAvailable: boolean): Terms {
    const { name, user } = this.#settings;
    const { localAddress, remoteAddress, bridge, useEncryption, changeTcpMss, mtu, limits } = this.#grant;
    return {
      user,
      interfaceName: name,
      ...(this.#lent && { lent: this.#lent }),
      bundle: {
        encryption: useEncryption,
        ...this.#services.mppe,
        keysAvailable,
        bridging: bridge !== undefined,
        addresses: {
          local: single(localAddress),
          remote: single(remoteAddress),
          dns: [],
          wins: [],
          askDns: false,
        },
      },
      ...(bridge !== undefined && this.#portName && { bridge: { bridge, portName: this.#portName } }),
      clampMss: changeTcpMss,
      mtu,
      limits,
      plan: (mtu, agreed) => agreed && this.#plan(mtu, agreed),
    };
  }

  release(): void {
    if (this.#portName !== undefined) this.#services.names.release(this.#portName);
    this.#portName = undefined;
    if (this.#holdsName) this.#services.names.release(this.#settings.name);
    this.#holdsName = false;
  }

  #plan(mtu: number, { local, remote = namelessServer }: NetworkUp): Plan {
    const { name, addDefaultRoute, defaultRouteDistance } = this.#settings;
    const routes = this.#services.staticRoutes.through({ name, remote });
    const plan = { linkName: name, mtu, local, remote, routes };
    return addDefaultRoute ? { ...plan, defaultRoute: { distance: defaultRouteDistance } } : plan;
  }
}

/** An address that was named; a pool is for subscribers. */
export function single(wish: Grant['localAddress']): number | undefined {
  return wish !== undefined && 'address' in wish ? wish.address : undefined;
}
