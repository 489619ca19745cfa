/**
 * Our client without its program: a real engine in a namespace, and its control here in the test, of the same parts as in
 * main.ts. For tests that need what no setting chooses, and for swarms of clients.
 *
 *     const host = await ClientHost.start(site.client, { interfaces: 'none', sources: ['10.200.0.2'] });
 *     const dialer = host.dial({ user: 'anna', password: new Password('x'), connectTo: … });
 *     await host.stop();
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Profile, profileMenu } from '../../src/aaa/settings.ts';
import { systemClock } from '../../src/base/clock.io.ts';
import { type Ipv4, parseIpv4 } from '../../src/base/ip.ts';
import type { Log } from '../../src/base/observe.ts';
import { systemRandom } from '../../src/base/random.io.ts';
import { defaultsOf } from '../../src/base/setting.ts';
import { DemandGateways } from '../../src/client/demand.ts';
import { Dialer } from '../../src/client/dialer.ts';
import { type ClientSettings, clientMenu } from '../../src/client/settings.ts';
import { wayOf } from '../../src/composition/host.ts';
import { type Command, contractVersion, type Event } from '../../src/datapath/contract.ts';
import type { Datapath } from '../../src/datapath/datapath.ts';
import { type Engine, startEngine } from '../../src/datapath/engine.io.ts';
import { type MppePolicy, mppeBits } from '../../src/ppp/ccp/options.ts';
import { attributeCodec } from '../../src/radius/codec.io.ts';
import { CallIds, LinkHandles } from '../../src/session/call-ids.ts';
import { Firewall } from '../../src/session/firewall.ts';
import { InterfaceNames } from '../../src/session/interface-names.ts';
import { StaticRoutes } from '../../src/session/static-routes.ts';
import { Switchboard } from '../../src/session/switchboard.ts';
import { Traces } from '../../src/session/trace/traces.ts';
import type { Namespace } from '../netns/namespaces.io.ts';

const program = fileURLToPath(new URL('../../build/native/pptp-engine', import.meta.url));

export interface ClientHostOptions {
  /**
   * `none`: tunnels are negotiated and kept, and lead to no interface: a machine has the processor time for thousands of
   * clients, not for thousands of client's interfaces beside the server's.
   */
  readonly interfaces?: 'none';
  /** Addresses of the namespace to dial from, in turn. */
  readonly sources?: readonly string[];
}

/** What a client is to be; the rest as the menu has it. */
export type ClientChoice = Partial<ClientSettings> & Pick<ClientSettings, 'user' | 'password' | 'connectTo'>;

export class ClientHost {
  readonly switchboard: Switchboard;
  readonly #engine: Engine;
  readonly #directory: string;
  readonly #services;

  static async start(namespace: Namespace, options: ClientHostOptions = {}): Promise<ClientHost> {
    const directory = mkdtempSync(join(tmpdir(), 'pptp-client-'));
    const engine = await startEngine({
      socketPath: join(directory, 'engine.sock'),
      logPath: join(directory, 'engine.log'),
      command: namespace.inside([program]),
      onLost(fault) {
        throw fault;
      },
    });
    return new ClientHost(engine, directory, options);
  }

  private constructor(engine: Engine, directory: string, { interfaces, sources = [] }: ClientHostOptions) {
    this.#engine = engine;
    this.#directory = directory;
    let datapath: Datapath = engine;
    if (sources.length > 0) datapath = new DiallingFrom(datapath, sources);
    if (interfaces === 'none') datapath = new WithoutInterfaces(datapath);
    this.switchboard = new Switchboard(datapath, () => {});
    this.switchboard.send({ kind: 'hello', version: contractVersion });
    const names = new InterfaceNames();
    this.#services = {
      switchboard: this.switchboard,
      identity: 'client-host',
      clock: systemClock,
      random: systemRandom,
      links: new LinkHandles(),
      callIds: new CallIds(systemClock, systemRandom),
      names,
      firewall: new Firewall(this.switchboard, () => {}),
      staticRoutes: new StaticRoutes(),
      traces: new Traces({ clock: systemClock, codec: attributeCodec }),
      gateways: new DemandGateways(),
      wayTo: wayOf(names),
      resolve: (_hostName: string, found: (address: Ipv4 | undefined) => void) => found(undefined),
    };
  }

  /** Begins to dial. What the client says goes to `log`. */
  dial(
    choice: ClientChoice,
    log: Log,
    profile: Partial<Profile> = {},
    mppe: MppePolicy = { strengths: new Set(mppeBits), stateful: 'allowed' },
  ): Dialer {
    const settings = { ...defaultsOf(clientMenu), name: `c-${choice.user}`.slice(0, 15), ...choice };
    const ofClient: Profile = {
      ...defaultsOf(profileMenu),
      name: 'client',
      useEncryption: 'required',
      ...profile,
    };
    const dialer = new Dialer(settings, ofClient, { ...this.#services, log, mppe });
    dialer.begin();
    return dialer;
  }

  /** Ends the engine and all that it carries. */
  async stop(): Promise<void> {
    await this.#engine.stop();
    rmSync(this.#directory, { recursive: true });
  }
}

/** Connects from each of some addresses in turn. */
class DiallingFrom implements Datapath {
  readonly #inner: Datapath;
  readonly #sources: readonly Ipv4[];
  #next = 0;

  constructor(inner: Datapath, sources: readonly string[]) {
    this.#inner = inner;
    this.#sources = sources.map((source) => parseIpv4(source) ?? 0);
  }

  send(command: Command): void {
    if (command.kind !== 'connect') return this.#inner.send(command);
    const localAddress = this.#sources[this.#next++ % this.#sources.length] ?? 0;
    this.#inner.send({ ...command, localAddress });
  }

  listen(onEvent: (event: Event) => void): void {
    this.#inner.listen(onEvent);
  }
}

/** Says that each interface was made, and that the kernel did what it was asked, and does neither. */
class WithoutInterfaces implements Datapath {
  readonly #inner: Datapath;
  #onEvent: (event: Event) => void = () => {};

  constructor(inner: Datapath) {
    this.#inner = inner;
  }

  send(command: Command): void {
    const answer = pretended(command);
    if (answer !== undefined) queueMicrotask(() => this.#onEvent(answer));
    else if (command.kind !== 'call-attach') this.#inner.send(command);
  }

  listen(onEvent: (event: Event) => void): void {
    this.#onEvent = onEvent;
    this.#inner.listen(onEvent);
  }
}

function pretended(command: Command): Event | undefined {
  switch (command.kind) {
    case 'link-open':
      return { kind: 'link-opened', link: command.link, errno: 0, interfaceIndex: 1 };
    case 'link-close':
      return { kind: 'link-closed', link: command.link };
    case 'netlink':
      return { kind: 'netlink-done', token: command.token, errno: 0, performed: 1, text: new Uint8Array() };
    default:
      return undefined;
  }
}
