/** An entry of `/radius` at work: its two roles, the sockets that they use, and the change from one configuration to the next. */

import { toBytes } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/observe.ts';
import type { Random } from '../base/random.ts';
import type { Address } from './address.ts';
import { type ServerMonitor, together } from './counters.ts';
import { Lines } from './lines.ts';
import type { Role } from './query.ts';
import { ReplyGate } from './replies.ts';
import { isAnySource, type RadiusServer } from './settings.ts';
import { Target } from './target.ts';
import type { OpenWire, WireEnds } from './wire.ts';

export interface ServerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly openWire: OpenWire;
  readonly log: Log;
  revived(target: Target): void;
}

/** RFC 6614 section 2.3: the secret of everybody, since TLS is what protects. */
const radsecSecret = toBytes('radsec');

/** A change of one of these is another server. */
const identifying = [
  'address',
  'protocol',
  'authenticationPort',
  'accountingPort',
  'radsecPort',
  'srcAddress',
  'certificate',
  'caCertificate',
  'serverName',
] as const;

export class Server {
  readonly targets: readonly Target[];
  readonly #lines: ReadonlySet<Lines>;
  #settings: RadiusServer;
  #isRetired = false;

  constructor(settings: RadiusServer, ports: ServerPorts) {
    this.#settings = settings;
    const secret = settings.protocol === 'radsec' ? radsecSecret : settings.secret.octets;
    const gate = new ReplyGate();
    const shared =
      settings.protocol === 'radsec' ? new Lines(endsOf(settings, settings.radsecPort), ports) : undefined;
    const lines = new Set<Lines>();
    this.targets = rolesOf(settings).map(({ role, port }) => {
      const own = shared ?? new Lines(endsOf(settings, port), ports);
      lines.add(own);
      return new Target(role, {
        ...ports,
        lines: own,
        gate,
        secret,
        settings: () => this.#settings,
        drained: () => this.#closeIfDrained(),
      });
    });
    this.#lines = lines;
  }

  /** Where its first socket is bound, or was last. */
  get localAddress(): Address | undefined {
    for (const { bound } of this.#lines) if (bound !== undefined) return bound.address;
    return undefined;
  }

  /** Takes `settings` over if they are those of the same server. What is under way is not touched. */
  reconfigure(settings: RadiusServer): boolean {
    const isSame =
      identifying.every((key) => this.#settings[key] === settings[key]) &&
      this.#settings.secret.reveal() === settings.secret.reveal();
    if (isSame) {
      this.#settings = settings;
      for (const target of this.targets) target.configured();
    }
    return isSame;
  }

  /** It is configured no more: its sockets close when the last request under way is over. */
  retire(): void {
    this.#isRetired = true;
    for (const target of this.targets) target.retire();
    this.#closeIfDrained();
  }

  monitor(): ServerMonitor {
    const { address, comment } = this.#settings;
    return together(
      address,
      comment,
      this.targets.map((target) => target.monitor()),
    );
  }

  close(): void {
    for (const lines of this.#lines) lines.close();
  }

  #closeIfDrained(): void {
    if (this.#isRetired && this.targets.every(({ isDrained }) => isDrained)) this.close();
  }
}

/** The roles that it has a port for. */
function rolesOf({ authenticationPort, accountingPort }: RadiusServer): { role: Role; port: number }[] {
  const roles: { role: Role; port: number }[] = [
    { role: 'authentication', port: authenticationPort },
    { role: 'accounting', port: accountingPort },
  ];
  return roles.filter(({ port }) => port !== 0);
}

function endsOf(settings: RadiusServer, port: number): WireEnds {
  const { protocol, address, srcAddress, certificate, caCertificate, serverName } = settings;
  const sourceAddress = isAnySource(srcAddress) ? undefined : srcAddress;
  return {
    protocol,
    address,
    port,
    sourceAddress,
    sourcePort: undefined,
    certificate,
    caCertificate,
    serverName,
  };
}
