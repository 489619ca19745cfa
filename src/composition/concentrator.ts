/**
 * Everything that runs, built of the services below it in the order a call needs it: RADIUS, who judges users, accounting, the
 * server with its sessions, our own clients. main.ts brings it to life, and says when to end.
 */

import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns';
import { UserAuthority } from '../aaa/authority.ts';
import type { DynamicTarget } from '../aaa/dynamic.ts';
import { watched } from '../aaa/judgements.ts';
import type { ReadUsage } from '../accounting/accountant.ts';
import type { Journal } from '../accounting/journal.io.ts';
import { sessionIdsIn } from '../accounting/ledger.ts';
import { acctTerminateCause, type Usage } from '../accounting/record.ts';
import { systemClock } from '../base/clock.io.ts';
import { type Ipv4, parseIpv4 } from '../base/ip.ts';
import type { AddressRange } from '../base/kind.ts';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/observe.ts';
import { systemRandom } from '../base/random.io.ts';
import { DemandGateways } from '../client/demand.ts';
import type { Resolve } from '../client/dialer.ts';
import { Dialers } from '../client/dialers.ts';
import type { Configuration } from '../config/configuration.ts';
import type { ClientInterface, LivePorts, ServerInterface } from '../console/live.ts';
import type { Tracing } from '../console/trace.ts';
import { freeTunnels, type Member } from '../dns/selection.ts';
import { Licence } from '../licence/licence.ts';
import type { Reload, Subject } from '../metrics/subject.ts';
import { interfaceIndex } from '../net/host.io.ts';
import { type MppePolicy, mppeBits } from '../ppp/ccp/options.ts';
import { Addresses } from '../session/addresses.ts';
import { CallIds, LinkHandles } from '../session/call-ids.ts';
import { Claims } from '../session/claims.ts';
import { Drain } from '../session/drain.ts';
import type { Inherited } from '../session/estate.ts';
import { Firewall } from '../session/firewall.ts';
import { InterfaceNames } from '../session/interface-names.ts';
import { encodingOf } from '../session/network.ts';
import { ProxyArp } from '../session/proxy-arp.ts';
import type { NodeRow, Owner } from '../session/registry/registry.ts';
import { Server, type ServerServices } from '../session/server.ts';
import type { FinalCounters } from '../session/session.ts';
import { StaticRoutes } from '../session/static-routes.ts';
import type { Switchboard } from '../session/switchboard.ts';
import { Traces } from '../session/trace/traces.ts';
import { Accounting } from './accounting.ts';
import { hostOf, tunnelsOf, wayOf } from './host.ts';
import { Membership } from './membership.ts';
import { Radius } from './radius.ts';
import { type Service, serviceOf } from './service.ts';
import { subjectOf } from './subject.ts';
import { tracingOf } from './tracing.ts';

/** What the peer chooses from; stateless is preferred. */
const everyMppe: MppePolicy = { strengths: new Set(mppeBits), stateful: 'allowed' };

export interface Ground {
  readonly log: Log;
  readonly identity: string;
  readonly switchboard: Switchboard;
  readonly journal: Journal;
  readonly journalName: string;
  readonly configuration: Configuration;
  /** Another process is this node now: this one must go. */
  fenced(): void;
}

export class Concentrator {
  readonly #log: Log;
  readonly #switchboard: Switchboard;
  readonly #journal: Journal;
  readonly #owner: Owner;
  readonly #service: Service;
  readonly #membership: Membership;
  readonly #licence: Licence;
  readonly #addresses: Addresses;
  readonly #firewall: Firewall;
  readonly #radius: Radius;
  readonly #accounting: Accounting;
  readonly #drain: Drain;
  readonly #authority: UserAuthority;
  readonly #identity: string;
  readonly #names = new InterfaceNames();
  readonly #callIds = new CallIds(systemClock, systemRandom);
  readonly #links = new LinkHandles();
  readonly #traces: Traces;
  readonly #staticRoutes = new StaticRoutes();
  readonly #proxyArp: ProxyArp;
  #configuration: Configuration;
  readonly #server: Server;
  readonly #dialers: Dialers;
  #hasBegun = false;

  /** Nobody is served before `begin`. */
  constructor(ground: Ground) {
    const { log, identity, switchboard, journal, configuration } = ground;
    this.#log = log;
    this.#identity = identity;
    this.#switchboard = switchboard;
    this.#journal = journal;
    this.#configuration = configuration;
    this.#firewall = new Firewall(switchboard, log);
    this.#proxyArp = new ProxyArp({ switchboard, log, interfaceIndex });
    this.#radius = new Radius(
      log,
      identity,
      () => this.#targets(),
      (request, answer) => this.#membership.act(request, answer),
    );
    this.#radius.configure(configuration);
    this.#traces = new Traces({ clock: systemClock, codec: this.#radius.codec });
    const { aaa, cluster, licence } = configuration;
    this.#licence = new Licence(licence.level);
    this.#owner = { node: identity, bootId: randomBytes(8).toString('hex') };
    this.#service = serviceOf(cluster, this.#owner, this.#drawings(), log);
    const { leases } = this.#service;
    const readUsage = this.#readUsage;
    this.#addresses = new Addresses({ random: systemRandom, ...(leases && { leases }) });
    const { redis } = this.#service;
    const { watch } = this.#traces;
    this.#accounting = new Accounting(
      { ...ground, cluster, redis, radius: this.#radius, readUsage, watch },
      aaa,
    );
    const { ask, codec } = this.#radius;
    const asking = { ask, codec, clock: systemClock, log, watch };
    this.#authority = new UserAuthority(asking, usersOf(configuration));
    this.#drain = new Drain({
      clock: systemClock,
      log,
      sessions: () => this.#server.sessions,
      refuse: (isRefusing) => this.#server.drain(isRefusing),
      rate: () => this.#configuration.drain.rate,
    });
    this.#addresses.configure(configuration.pools);
    this.#staticRoutes.configure(configuration.routes);
    this.#server = new Server(this.#serverServices(), configuration);
    const gateways = new DemandGateways();
    this.#dialers = new Dialers({ ...this.#sessionServices(), resolve, wayTo: wayOf(this.#names), gateways });
    this.#membership = new Membership({
      log,
      node: identity,
      registry: this.#service.registry,
      licence: this.#licence,
      accounting: this.#accounting,
      dynamic: { ...this.#radius.local, watch: this.#traces.watchRequest },
      readUsage,
      server: () => this.#server,
      status: () => ({ addresses: this.#ownAddresses, isReady: this.unreadiness.length === 0 }),
      drain: (order) => this.#drain.order(order),
      fenced: () => ground.fenced(),
    });
  }

  /** Why no client should be sent here now; empty if it is well. */
  get unreadiness(): readonly string[] {
    if (!this.#hasBegun) return ['the node has not begun'];
    const reasons = [
      this.#server.objection,
      this.#licence.isUsedUp ? this.#licence.refusal : undefined,
      this.#service.leases?.delay,
    ];
    return reasons.filter((reason) => reason !== undefined);
  }

  /** What the console shows. */
  get live(): LivePorts {
    return {
      node: this.#identity,
      wallMs: () => systemClock.wallMs(),
      registry: this.#service.registry,
      serverInterfaces: () => serverInterfaces(this.#server),
      clientInterfaces: () => clientInterfaces(this.#dialers),
      ...hostOf(this.#names, () => tunnelsOf(this.#server, this.#dialers)),
      licence: () => this.#licence,
      drain: () => this.#drain.progress,
      radius: () => this.#radius.exchange.monitor(),
    };
  }

  /** How the console traces. */
  get tracing(): Tracing {
    return tracingOf(this.#identity, this.#traces, this.#service.registry);
  }

  /** What metrics read. */
  subject(lastReload: () => Reload): Subject {
    return subjectOf({
      node: this.#identity,
      switchboard: this.#switchboard,
      licence: this.#licence,
      radius: this.#radius,
      accounting: this.#accounting,
      ledger: this.#journal.ledger,
      service: this.#service,
      membership: this.#membership,
      addresses: this.#addresses,
      pools: () => this.#configuration.pools,
      lastReload,
      unreadiness: () => this.unreadiness,
      server: () => this.#server,
    });
  }

  /** What DNS is told of the service. */
  get neighbours() {
    const nodes = () => this.#membership.nodes;
    return {
      ownAddress: () => this.#ownAddresses[0],
      deadAddresses: () => nodes().flatMap(({ isSuspect, addresses }) => (isSuspect ? addresses : [])),
      members: () => nodes().flatMap(membersOf),
    };
  }

  /**
   * Takes the books over from the process before; `held` are the sessions that the engine still has. The others may have been
   * buried by another node meanwhile: the service is asked, if it can be. `taken` when the books are taken over.
   */
  recover(held: ReadonlySet<string>, taken: () => void): void {
    const { recovered } = this.#journal;
    this.#membership.begin(() =>
      this.#service.registry.wasReaped(sessionIdsIn(recovered, this.#identity), (buried) => {
        this.#accounting.recover(recovered, held, buried);
        taken();
      }),
    );
  }

  /** A session of the process before, which could not go on, is over. */
  inheritedEnded(sessionId: string, usage: FinalCounters): void {
    this.#accounting.accountant.ended(sessionId, { usage, terminateCause: acctTerminateCause.nasReboot });
  }

  /** Sessions of the process before go on; gives the calls that do. Before all else. */
  resume({ tunnels, dials }: Inherited): ReadonlySet<number> {
    const { clients, profiles } = this.#configuration;
    return new Set([...this.#server.resume(tunnels), ...this.#dialers.resume(dials, clients, profiles)]);
  }

  /** Serves, and dials. Rejects with a `Fault` if something that was configured may not be used. */
  async begin(): Promise<void> {
    await this.#accounting.begin();
    if (this.#radius.hasAccounting) this.#accounting.accountant.nodeUp(this.#radius.nas);
    await new Promise<void>((done) => this.#firewall.start(done));
    const { pools, ethernet, clients, profiles } = this.#configuration;
    const { leases } = this.#service;
    this.#proxyArp.configure(ethernet);
    leases?.configure(pools);
    leases?.begin();
    this.#hasBegun = true;
    this.#server.open();
    this.#dialers.configure(clients, profiles);
  }

  /** What sessions have, of the server and of the clients. */
  #sessionServices() {
    return {
      switchboard: this.#switchboard,
      log: this.#log,
      identity: this.#identity,
      clock: systemClock,
      random: systemRandom,
      links: this.#links,
      mppe: everyMppe,
      callIds: this.#callIds,
      names: this.#names,
      staticRoutes: this.#staticRoutes,
      firewall: this.#firewall,
      traces: this.#traces,
    };
  }

  #serverServices(): ServerServices {
    const { registry } = this.#service;
    const claims = new Claims({
      authority: this.#authority,
      addresses: this.#addresses,
      registry,
      log: this.#log,
      policy: () => this.#configuration.aaa.sessionPolicy,
      isAlive: (sessionId) => this.#server.sessionById(sessionId) !== undefined,
      replace: (victims, ended) => this.#membership.replace(victims, ended),
    });
    return {
      ...this.#sessionServices(),
      addresses: this.#addresses,
      proxyArp: this.#proxyArp,
      authority: { judge: watched((question, answer) => claims.judge(question, answer), systemClock) },
      books: this.#accounting,
      registry,
      owner: this.#owner,
      licence: this.#licence,
      gone: (sessionId) => {
        this.#membership.sessionEnded(sessionId);
        this.#drain.sessionEnded();
      },
      nas: () => this.#radius.nas,
      newSessionId: () => this.#accounting.newSessionId(),
    };
  }

  configure(configuration: Configuration): void {
    this.#configuration = configuration;
    const { pools, clients, profiles, aaa, licence, routes, ethernet } = configuration;
    this.#addresses.configure(pools);
    this.#proxyArp.configure(ethernet);
    this.#service.leases?.configure(pools);
    this.#licence.configure(licence.level);
    this.#authority.configure(usersOf(configuration));
    this.#radius.configure(configuration);
    this.#accounting.configure(aaa);
    this.#server.configure(configuration);
    if (this.#hasBegun) this.#dialers.configure(clients, profiles);
    if (!this.#staticRoutes.configure(routes)) return;
    this.#server.replan();
    this.#dialers.replan();
  }

  /** Whoever runs the machine wants it empty, or no more. */
  cordon(isCordoned: boolean): void {
    this.#drain.cordon(isCordoned);
  }

  /** Says goodbye to every peer, so many a second as a drain, then to the RADIUS servers; resolves when all have gone, or the time is up. */
  async end(): Promise<void> {
    await new Promise<void>((told) => this.#drain.finish(told));
    const server = new Promise<void>((done) => this.#server.end('shut-down', done));
    const dialers = new Promise<void>((done) => this.#dialers.end('shut-down', done));
    const overdue = new Promise<void>((done) => {
      systemClock.arm(limits.shutdownMs, () => {
        this.#log('warning', 'system', 'some sessions did not end in time');
        done();
      });
    });
    await Promise.race([Promise.all([server, dialers]), overdue]);
    await this.#accounting.end();
    this.#radius.close();
    await new Promise<void>((left) =>
      this.#service.leases === undefined ? left() : this.#service.leases.close(left),
    );
    await new Promise<void>((left) => this.#service.registry.close(left));
    await this.#closeBooks();
  }

  /** Leaves everything as it is to a process after this one, on this node: no peer, no server and no other node is told anything. */
  async handOver(): Promise<void> {
    await this.#accounting.handOver();
    this.#radius.close();
    await this.#closeBooks();
  }

  async #closeBooks(): Promise<void> {
    this.#service.close();
    await new Promise<void>((closed) => this.#journal.ledger.close(closed));
  }

  #drawings() {
    return {
      usedIn: (range: AddressRange) => this.#addresses.usedIn(range),
      lost: (range: AddressRange) => {
        for (const holder of this.#addresses.drawersIn(range)) {
          this.#server.sessionById(holder)?.session.end('conflict');
        }
      },
    };
  }

  get #ownAddresses(): readonly Ipv4[] {
    const { address } = this.#radius.nas;
    return address === undefined ? [] : [address];
  }

  *#targets(): Iterable<DynamicTarget> {
    for (const { target } of this.#server.sessions.values()) if (target !== undefined) yield target;
  }

  readonly #readUsage: ReadUsage = (read) => {
    this.#switchboard.counters(({ rows }) => {
      const byCall = new Map(rows.map((row) => [row.call, row]));
      const bySession = new Map<string, Usage>();
      for (const { identity, session } of this.#server.sessions.values()) {
        const row = byCall.get(session.place.call);
        if (row !== undefined) bySession.set(identity.sessionId, row);
      }
      read((sessionId) => bySession.get(sessionId));
    });
  };
}

function* serverInterfaces(server: Server): Iterable<ServerInterface> {
  for (const { identity, session, user } of server.sessions.values()) {
    if (session.terms === undefined) continue;
    yield {
      sessionId: identity.sessionId,
      name: session.name,
      user,
      mtu: session.mtu,
      clientAddress: identity.peerAddress,
      uptimeMs: session.uptimeMs,
      encoding: encodingOf(session.agreed?.mppe),
    };
  }
}

function* clientInterfaces({ dialers }: Dialers): Iterable<ClientInterface> {
  for (const { settings, status, session } of dialers) {
    yield {
      name: settings.name,
      status,
      isRunning: session?.state === 'up',
      uptimeMs: session?.uptimeMs ?? 0,
      encoding: encodingOf(session?.agreed?.mppe),
    };
  }
}

function membersOf(node: NodeRow): readonly Member[] {
  const { addresses, licenceLimit, licenceUsed, isReady, isSuspect } = node;
  const weight = freeTunnels(licenceLimit, licenceUsed);
  return isSuspect ? [] : addresses.map((address) => ({ address, weight, isReady }));
}

function usersOf({ secrets, profiles, aaa }: Configuration) {
  return { secrets: byName(secrets), profiles: byName(profiles), aaa };
}

function byName<T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.name, item]));
}

const resolve: Resolve = (hostName, found) => {
  lookup(hostName, { family: 4 }, (error, address) => found(error === null ? parseIpv4(address) : undefined));
};
