/**
 * The server's side of a session: a subscriber who has to prove who he is, and gets what his grant says. Takes an address and
 * an interface name when he has, and gives both back at the end.
 */

import type { Grant } from '../aaa/grant.ts';
import type { SessionIdentity } from '../aaa/identity.ts';
import type { Question } from '../aaa/question.ts';
import type { Accepted, Continued, Verdict } from '../aaa/verdict.ts';
import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import type { Answer, Credentials } from '../ppp/auth/credentials.ts';
import type { Method } from '../ppp/auth/method.ts';
import type { MppePolicy } from '../ppp/ccp/options.ts';
import type { Addresses, AddressRefusal } from './addresses.ts';
import type { EndingCause } from './ending.ts';
import { eventOf } from './events.ts';
import type { InterfaceNames } from './interface-names.ts';
import type { Authenticated, Party, Terms } from './party.ts';
import type { ProxyArp } from './proxy-arp.ts';
import type { ServerSettings, StaticServer } from './server-settings.ts';
import type { StaticRoutes } from './static-routes.ts';
import type { Traced } from './trace/tunnel-trace.ts';

/** Who judges subscribers: the local database, RADIUS. Calls `answer` once, at once or later. */
export interface Authority {
  judge(question: Question, answer: (verdict: Verdict) => void): void;
}

/** What all subscribers of a server share. */
export interface SubscriberServices extends Traced {
  readonly log: Log;
  readonly identity: string;
  readonly authority: Authority;
  readonly mppe: MppePolicy;
  readonly addresses: Addresses;
  readonly names: InterfaceNames;
  readonly staticRoutes: StaticRoutes;
  readonly proxyArp: Pick<ProxyArp, 'up' | 'down'>;
}

/** A subscriber who is let in, as a process after this one is told. */
export interface StandingSubscriber extends Holding {
  readonly grant: Grant;
  readonly source: Accepted['source'];
  readonly method: Method | undefined;
}

export class Subscriber implements Party {
  readonly name: string;
  readonly link: Party['link'];
  readonly maxMtu: number;
  readonly keepaliveMs: number;
  readonly #identity: SessionIdentity;
  readonly #settings: ServerSettings;
  readonly #staticServers: readonly StaticServer[];
  readonly #services: SubscriberServices;
  readonly #holder: string;
  #judgements = 0;
  #accepted: Accepted | undefined;
  #resume: Continued['resume'] | undefined;
  #holding: Holding | undefined;
  #method: Method | undefined;

  /** The settings are those of the moment of the call: changes are for the next session. */
  constructor(
    identity: SessionIdentity,
    settings: ServerSettings,
    staticServers: readonly StaticServer[],
    services: SubscriberServices,
  ) {
    const { maxMtu, maxMru, mrru, authentication, keepaliveTimeout } = settings;
    this.name = `<pptp-${identity.nasPort}>`;
    this.link = {
      identity: services.identity,
      mru: maxMru,
      mrru: mrru === 'disabled' ? undefined : mrru,
      fieldCompression: true,
      demand: new Set(authentication),
    };
    this.maxMtu = maxMtu;
    this.keepaliveMs = keepaliveTimeout === 'disabled' ? 0 : keepaliveTimeout;
    this.#identity = identity;
    this.#settings = settings;
    this.#staticServers = staticServers;
    this.#services = services;
    this.#holder = identity.sessionId;
  }

  /** Who was let in, and by whom; undefined while nobody is. */
  get accepted(): Accepted | undefined {
    return this.#accepted;
  }

  /** How they proved it. */
  get method(): Method | undefined {
    return this.#method;
  }

  judge(credentials: Credentials, answer: (answer: Answer) => void): void {
    const { authority, trace } = this.#services;
    trace?.named(credentials.name);
    const question: Question = {
      credentials,
      callerId: formatIpv4(this.#identity.peerAddress),
      defaultProfile: this.#settings.defaultProfile,
      identity: this.#identity,
      ...(this.#resume && { resume: this.#resume }),
    };
    this.#accepted = undefined;
    this.#resume = undefined;
    this.#judgements += 1;
    const judgement = this.#judgements;
    authority.judge(question, (verdict) => {
      // Proof has been given anew since: what was proved before says nothing about who it is now.
      if (judgement !== this.#judgements) return;
      this.#judged(question, verdict);
      answer(verdict);
    });
  }

  #judged({ credentials, callerId }: Question, verdict: Verdict): void {
    if (verdict.accept) this.#accepted = verdict;
    else if (verdict.accept === undefined) this.#resume = verdict.resume;
    else {
      const text = `login failure for user ${credentials.name} from ${callerId} via pptp: ${verdict.explanation}`;
      this.#services.log('error', 'pptp,ppp,account', text, {
        ...eventOf('login-failed'),
        user: credentials.name,
        reason: verdict.reason,
      });
    }
  }

  terms({ keys, method }: Authenticated): Terms | EndingCause {
    this.#method = method;
    // A server without a single method lets nobody in.
    if (this.#accepted === undefined) return 'peer-refused-authentication';
    const { user } = this.#accepted;
    // What was taken for one user is not another's, who came over the same link.
    if (this.#holding !== undefined && this.#holding.user !== user) return 'authentication-failed';
    const holding = this.#holding ?? this.#take(this.#accepted);
    if (typeof holding === 'string') return holding;
    this.#holding = holding;
    if (this.#accepted.grant.bridge !== undefined) holding.portName ??= this.#services.names.takePort(user);
    return termsOf(this.#accepted, holding, this.#services, keys !== undefined);
  }

  /** What a process after this one is told; undefined while nobody is let in. */
  get standing(): StandingSubscriber | undefined {
    if (this.#accepted === undefined || this.#holding === undefined) return undefined;
    const { grant, source } = this.#accepted;
    return { ...this.#holding, grant, source, method: this.#method };
  }

  /** Let in by a process before this one: takes what it had then. Undefined, and nothing is taken, if somebody else has any of it. */
  resume(
    { grant, source, method, ...holding }: StandingSubscriber,
    keysAvailable: boolean,
  ): Terms | undefined {
    const { localAddress, remoteAddress } = grant;
    const { user, interfaceName, portName, local, remote } = holding;
    const { addresses, names, proxyArp } = this.#services;
    const isNamed = names.has(interfaceName) || (portName !== undefined && names.has(portName));
    if (localAddress === undefined || remoteAddress === undefined || isNamed) return undefined;
    const ends = [
      { wish: localAddress, address: local },
      { wish: remoteAddress, address: remote },
    ] as const;
    if (!addresses.resume(this.#holder, user, ...ends)) return undefined;
    names.takeExactly(interfaceName);
    if (portName !== undefined) names.takeExactly(portName);
    proxyArp.up(remote);
    this.#accepted = { accept: true, user, grant, source, classes: [], interimMs: undefined };
    this.#holding = holding;
    this.#method = method;
    return termsOf(this.#accepted, holding, this.#services, keysAvailable);
  }

  release(): void {
    const { addresses, names, proxyArp } = this.#services;
    addresses.release(this.#holder);
    if (this.#holding === undefined) return;
    names.release(this.#holding.interfaceName);
    if (this.#holding.portName !== undefined) names.release(this.#holding.portName);
    proxyArp.down(this.#holding.remote);
  }

  #take({ user, grant }: Accepted): Holding | EndingCause {
    const { localAddress, remoteAddress } = grant;
    if (localAddress === undefined || remoteAddress === undefined) return 'no-address';
    const { addresses, log, proxyArp } = this.#services;
    const local = addresses.takeLocal(localAddress, this.#holder);
    const remote = addresses.takeRemote(remoteAddress, this.#holder, user);
    if (typeof local === 'number' && typeof remote === 'number') {
      proxyArp.up(remote);
      return { user, interfaceName: this.#takeName(user), local, remote };
    }
    const refusal = typeof local === 'number' ? (remote as AddressRefusal) : local;
    log('error', 'pptp,ppp', `${user}: ${refusal.text}`, eventOf('session-troubled'));
    return refusal.refused === 'address-in-use' ? 'address-in-use' : 'no-address';
  }

  /** The static entry's name if the user has one that is not connected; else a dynamic one. */
  #takeName(user: string): string {
    const { names } = this.#services;
    const mine = this.#staticServers.filter((entry) => entry.user === user && !entry.disabled);
    return mine.find(({ name }) => names.takeExactly(name))?.name ?? names.takeDynamic(user);
  }
}

/** What a session has taken and nobody else can have meanwhile. */
export interface Holding {
  readonly user: string;
  readonly interfaceName: string;
  /** Of the port in a bridge, since there was one. */
  portName?: string;
  readonly local: Ipv4;
  readonly remote: Ipv4;
}

function termsOf(
  { grant }: Accepted,
  holding: Holding,
  { mppe, staticRoutes }: SubscriberServices,
  keysAvailable: boolean,
): Terms {
  const { user, interfaceName, portName, local, remote } = holding;
  const bridge =
    grant.bridge === undefined || portName === undefined ? undefined : { bridge: grant.bridge, portName };
  const routes = grant.routes.map(({ destination, gateway, metric }) => ({
    destination,
    metric,
    ...(gateway !== 0 && { gateway }),
  }));
  return {
    user,
    interfaceName,
    bundle: {
      encryption: grant.useEncryption,
      ...mppe,
      strengths: strengthsOf(grant, mppe),
      keysAvailable,
      bridging: bridge !== undefined,
      addresses: { local, remote, dns: grant.dnsServer, wins: grant.winsServer, askDns: false },
    },
    ...(bridge && { bridge }),
    clampMss: grant.changeTcpMss,
    mtu: grant.mtu,
    limits: grant.limits,
    plan: (mtu) => {
      const through = staticRoutes.through({ name: interfaceName, remote });
      return { linkName: interfaceName, mtu, local, remote, routes: [...routes, ...through] };
    },
  };
}

/** What the node offers, and the user may have. */
function strengthsOf({ encryptionBits }: Grant, { strengths }: MppePolicy): MppePolicy['strengths'] {
  if (encryptionBits === undefined) return strengths;
  return new Set([...strengths].filter((bits) => encryptionBits.has(bits)));
}
