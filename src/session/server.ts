/**
 * The PPTP server: listens while it is enabled, admits connections, and makes a session of every call. Knows which sessions
 * there are; what happens in one is session.ts's.
 */

import type { NasIdentity, SessionIdentity } from '../aaa/identity.ts';
import { formatIpv4 } from '../base/ip.ts';
import { type Log, logAbout } from '../base/observe.ts';
import type { EventOf } from '../datapath/contract.ts';
import type { Licence, LicencePlace } from '../licence/licence.ts';
import type { StandingCall } from '../pptp/call.ts';
import { type CallKind, type CallRequest, connectionCauses } from '../pptp/effects.ts';
import { Admission } from './admission.ts';
import { type CallIds, callIdOf } from './call-ids.ts';
import { Connection, type ConnectionNews, type ConnectionPlace } from './connection.ts';
import { type EndingCause, endingOf } from './ending.ts';
import { errorName } from './errno.ts';
import type { InheritedCall, InheritedLine, InheritedTunnel } from './estate.ts';
import { eventOf } from './events.ts';
import type { StandingCaller } from './memo.ts';
import { type ServedServices, ServedSession } from './served-session.ts';
import type { ServerSettings, StaticServer } from './server-settings.ts';
import { Session, type SessionServices } from './session.ts';
import type { CallPlace } from './session-call.ts';
import { Subscriber, type SubscriberServices } from './subscriber.ts';
import { summarise } from './summary.ts';
import type { Traces } from './trace/traces.ts';
import type { TunnelTrace } from './trace/tunnel-trace.ts';

/** RFC 2637 section 1.3. */
export const controlPort = 1723;
/** Connections that the kernel holds for us before we accept them: a region redials at once after a power cut. */
const backlog = 4096;

export interface ServerServices extends SessionServices, SubscriberServices, ServedServices {
  readonly callIds: CallIds;
  readonly licence: Licence;
  readonly traces: Traces;
  /** How this node calls itself in RADIUS. */
  nas(): NasIdentity;
  /** A session is over, and all that it had is free. */
  gone(sessionId: string): void;
  /** An Acct-Session-Id that nobody has had. */
  newSessionId(): string;
}

/** Of a call that a process before this one has answered: there is nothing to withdraw. */
const noRequest = 0;

/** What the server is to be. */
export interface ServerConfiguration {
  readonly server: ServerSettings;
  readonly staticServers: readonly StaticServer[];
}

/** What a session begins with, whether here or under a process before this one. */
interface Begun {
  readonly identity: SessionIdentity;
  readonly kind: CallKind;
  readonly services: ServerServices;
}

/** A session, and the request of the peer's that it answers. */
interface Called {
  readonly request: number;
  readonly session: Session;
}

/** A connection with the sessions of its calls, by our call id. */
interface Tunnel {
  readonly connection: Connection;
  readonly trace: TunnelTrace;
  /** What is said of it is traced. */
  readonly log: Log;
  readonly sessions: Map<number, Called>;
  established: boolean;
}

export class Server {
  readonly #services: ServerServices;
  readonly #admission = new Admission();
  readonly #tunnels = new Set<Tunnel>();
  readonly #sessions = new Map<Session, ServedSession>();
  readonly #byId = new Map<string, ServedSession>();
  #configuration: ServerConfiguration;
  #listener: number | undefined;
  #isOpen = false;
  #isEnding = false;
  #isDraining = false;
  #onEmpty: (() => void) | undefined;

  constructor(services: ServerServices, configuration: ServerConfiguration) {
    this.#services = services;
    this.#configuration = configuration;
  }

  /** Listens, if it is enabled. Before that nobody calls but peers whose sessions were resumed. */
  open(): void {
    this.#isOpen = true;
    this.#follow();
  }

  /** Sessions of a process before this one go on; gives the calls that do. Before `open`. */
  resume(tunnels: readonly InheritedTunnel[]): ReadonlySet<number> {
    const resumed = new Set<number>();
    for (const { place, calls, unfinished } of tunnels) {
      const tunnel = this.#newTunnel(place);
      const going = calls.filter((call) => this.#resumeCall(tunnel, call));
      if (going.length === 0) continue;
      this.#tunnels.add(tunnel);
      tunnel.established = true;
      this.#admission.resume();
      for (const { place } of going) resumed.add(place.call);
      const over = [...calls.filter((call) => !going.includes(call)), ...unfinished];
      tunnel.connection.resume([...going, ...over].map(standingCallOf));
      // The engine is told with the rest of what was left; their peer would wait in vain.
      for (const { place } of over) tunnel.connection.clearCall(callIdOf(place.call), 'adminShutdown');
    }
    return resumed;
  }

  #resumeCall(tunnel: Tunnel, { place, made, standing }: InheritedCall<StandingCaller>): boolean {
    const { callIds, licence } = this.#services;
    const { identity } = standing.facts;
    const services = this.#servicesOf(identity, tunnel);
    const party = this.#newParty(identity, services);
    const terms = party.resume(standing.subscriber, standing.session.network.keys !== undefined);
    if (terms === undefined) return false;
    callIds.hold(place.call);
    const { kind } = standing;
    const { session, served } = this.#newSession(
      tunnel,
      place,
      party,
      { identity, kind, services },
      licence.occupy(),
    );
    tunnel.sessions.set(callIdOf(place.call), { request: noRequest, session });
    session.resume(standing.session, terms, made);
    served.resume(standing);
    // The configuration may be another than that process had.
    session.replan();
    return true;
  }

  get sessions(): ReadonlyMap<Session, ServedSession> {
    return this.#sessions;
  }

  sessionById(sessionId: string): ServedSession | undefined {
    return this.#byId.get(sessionId);
  }

  /** What the operator wants now. Running sessions keep what they were given; a disabled server ends them. */
  configure(configuration: ServerConfiguration): void {
    this.#configuration = configuration;
    this.#follow();
  }

  /** The kernel is told which routes lead through the sessions now. */
  replan(): void {
    for (const session of this.#sessions.keys()) session.replan();
  }

  /** Takes no more calls and ends all sessions with `cause`; `done` is called when nothing is left. */
  end(cause: EndingCause, done: () => void): void {
    this.#isEnding = true;
    this.#onEmpty = done;
    this.#close(cause);
    this.#checkEmpty();
  }

  #follow(): void {
    if (!this.#isOpen) return;
    if (this.#isClosing) this.#close('server-disabled');
    else if (this.#listener === undefined) this.#listen();
  }

  #listen(): void {
    const { switchboard, log } = this.#services;
    const listener = switchboard.listen(
      { address: 0, port: controlPort, backlog },
      (event) => this.#accepted(event),
      ({ errno }) => {
        if (errno === 0) return log('info', 'pptp', `listening on TCP ${controlPort}`, eventOf('listening'));
        if (this.#listener === listener) this.#listener = undefined;
        const hint = 'another PPTP server on this machine? see ss -ltnp; then disable and enable the server';
        log('error', 'pptp', `cannot listen on TCP ${controlPort}: ${errorName(errno)}`, {
          ...eventOf('listen-failed'),
          hint,
        });
      },
    );
    this.#listener = listener;
  }

  #unlisten(): void {
    if (this.#listener === undefined) return;
    this.#services.switchboard.unlisten(this.#listener);
    this.#listener = undefined;
  }

  #close(cause: EndingCause): void {
    this.#unlisten();
    for (const session of this.#sessions.keys()) session.end(cause);
    for (const tunnel of [...this.#tunnels]) this.#stopIfDone(tunnel);
  }

  /** Whether the server wants to be rid of its tunnels. */
  get #isClosing(): boolean {
    return this.#isEnding || !this.#configuration.server.enabled;
  }

  /** A tunnel that is wanted no more goes when its last session has gone. */
  #stopIfDone({ connection, sessions }: Tunnel): void {
    if (this.#isClosing && sessions.size === 0) connection.stop();
  }

  #accepted({ connection, localAddress, peerAddress }: EventOf<'accepted'>): void {
    const { switchboard, log, traces } = this.#services;
    const refusal = this.#admission.admit(peerAddress);
    if (refusal !== undefined) {
      const trace = traces.tunnel(peerAddress);
      const text = `TCP connection from ${formatIpv4(peerAddress)} refused: ${refusal}`;
      trace.before(log)('warning', 'pptp', text, eventOf('connection-refused'));
      trace.closed();
      switchboard.holdConnection(connection, () => {});
      return switchboard.send({ kind: 'tcp-close', connection, abort: 1 });
    }
    const tunnel = this.#newTunnel({ connection, localAddress, peerAddress });
    const text = `TCP connection established from ${formatIpv4(peerAddress)}`;
    tunnel.log('info', 'pptp', text, eventOf('connection-opened'));
    this.#tunnels.add(tunnel);
    tunnel.connection.open();
  }

  #newTunnel(place: ConnectionPlace): Tunnel {
    const { identity, traces } = this.#services;
    const trace = traces.tunnel(place.peerAddress);
    const log = trace.before(this.#services.log);
    const services = { ...this.#services, log, trace };
    const options = {
      side: 'receiver',
      hostName: identity,
      vendorName: 'pptp-concentrator',
      firmwareRevision: 1,
    } as const;
    const tunnel: Tunnel = {
      connection: new Connection(place, services, options, (news) => this.#news(tunnel, news)),
      trace,
      log,
      sessions: new Map(),
      established: false,
    };
    return tunnel;
  }

  #news(tunnel: Tunnel, news: ConnectionNews): void {
    switch (news.do) {
      case 'call-requested':
        return this.#callRequested(tunnel, news);
      case 'call-withdrawn': {
        // In one breath with its request: our answer was too late.
        const called = [...tunnel.sessions.values()].find(({ request }) => request === news.request);
        return called?.session.hungUp(news.cause, news.detail);
      }
      case 'call-connected':
        this.#established(tunnel);
        return tunnel.sessions.get(news.callId)?.session.connected(news.peerCallId);
      case 'call-failed':
      case 'call-cleared':
        return tunnel.sessions.get(news.callId)?.session.hungUp(news.cause, news.detail);
      case 'ended': {
        const { peerAddress } = tunnel.connection.place;
        this.#tunnels.delete(tunnel);
        this.#admission.gone(peerAddress, tunnel.established);
        const text = `TCP connection of ${formatIpv4(peerAddress)} ended: ${connectionCauses[news.cause]}`;
        const { cause, detail } = news;
        tunnel.log('info', 'pptp', text, { ...eventOf('connection-ended'), cause, detail });
        return this.#checkEmpty();
      }
    }
  }

  #callRequested(tunnel: Tunnel, asks: CallRequest & { readonly request: number }): void {
    const { localAddress, peerAddress } = tunnel.connection.place;
    const { request, peerCallId } = asks;
    const admitted = this.#admit();
    if (typeof admitted === 'string') {
      const text = `call of ${formatIpv4(peerAddress)} refused: ${admitted}`;
      tunnel.log('warning', 'pptp', text, eventOf('call-refused'));
      return tunnel.connection.answerCall(request, { accept: false, why: 'no-resource' });
    }
    const { call, licence } = admitted;
    const place = { call, localAddress, peerAddress };
    const identity = this.#identify(place, asks);
    const services = this.#servicesOf(identity, tunnel);
    const party = this.#newParty(identity, services);
    const called = { identity, kind: asks.kind, services };
    const { session } = this.#newSession(tunnel, place, party, called, licence);
    tunnel.sessions.set(callIdOf(call), { request, session });
    session.open(peerCallId);
    tunnel.connection.answerCall(request, { accept: true, callId: callIdOf(call) });
  }

  /** What a call needs before anything is known of it; or why it is refused. */
  #admit(): { readonly call: number; readonly licence: LicencePlace } | string {
    const { callIds, licence } = this.#services;
    const objection = this.objection;
    if (objection !== undefined) return objection;
    const place = licence.reserve();
    if (place === undefined) return licence.refusal;
    const call = callIds.take();
    if (call !== undefined) return { call, licence: place };
    place.release();
    return 'no Call ID is free';
  }

  /** Why no call is taken now, whoever calls and whatever the licence says; undefined if calls are. */
  get objection(): string | undefined {
    if (this.#isClosing) return 'the server takes no more';
    if (this.#isDraining) return 'the node is being drained';
    return this.#services.books.isFull ? 'there is no room left to account for it' : undefined;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Sessions stay, new ones are refused, until the operator has it otherwise. */
  drain(isDraining: boolean): void {
    this.#isDraining = isDraining;
  }

  #identify({ call, localAddress, peerAddress }: CallPlace, { maximumBps }: CallRequest): SessionIdentity {
    const { nas, newSessionId } = this.#services;
    const nasPort = callIdOf(call);
    return {
      nas: nas(),
      sessionId: newSessionId(),
      nasPort,
      nasPortId: `pptp-${nasPort}`,
      peerAddress,
      localAddress,
      connectInfo: maximumBps === 0 ? 'PPTP' : `PPTP ${maximumBps} bit/s`,
    };
  }

  #newParty(identity: SessionIdentity, services: ServerServices): Subscriber {
    const { server, staticServers } = this.#configuration;
    return new Subscriber(identity, server, staticServers, services);
  }

  /** Every line about a session says which, and is traced with it. */
  #servicesOf({ sessionId, nasPortId }: SessionIdentity, tunnel: Tunnel): ServerServices {
    const trace = tunnel.trace.call({ sessionId, name: `<${nasPortId}>` });
    const log = logAbout(this.#services.log, () => {
      const user = this.#byId.get(sessionId)?.user;
      return { sessionId, ...(user && { user }) };
    });
    return { ...this.#services, log: trace.before(log), trace };
  }

  #newSession(
    tunnel: Tunnel,
    place: CallPlace,
    party: Subscriber,
    { identity, kind, services }: Begun,
    licence: LicencePlace,
  ): { readonly session: Session; readonly served: ServedSession } {
    const { log } = services;
    const session: Session = new Session(place, party, services, {
      hangUp: (cause) => tunnel.connection.clearCall(identity.nasPort, endingOf(cause).disconnect),
      up: ({ terms }, agreed) => {
        const address = formatIpv4(agreed.remote ?? 0);
        const text = `${terms?.user} logged in, ${address} from ${formatIpv4(place.peerAddress)}`;
        log('info', 'pptp,ppp,account', text, eventOf('session-up'));
        served.up(agreed);
      },
      stands: () => served.remember(),
      ended: (ended, cause, counters) => {
        summarise(log, ended, 'from', cause, counters);
        served.ended(cause, counters);
        licence.release();
        this.#byId.delete(identity.sessionId);
        this.#forget(tunnel, session);
        this.#services.gone(identity.sessionId);
      },
    });
    const { connection } = tunnel.connection.place;
    const served = new ServedSession(identity, { connection, kind }, session, party, this.#services);
    this.#sessions.set(session, served);
    this.#byId.set(identity.sessionId, served);
    return { session, served };
  }

  #forget(tunnel: Tunnel, session: Session): void {
    const { call } = session.place;
    tunnel.sessions.delete(callIdOf(call));
    this.#sessions.delete(session);
    this.#services.callIds.release(call);
    this.#stopIfDone(tunnel);
    this.#checkEmpty();
  }

  #established(tunnel: Tunnel): void {
    if (tunnel.established) return;
    tunnel.established = true;
    this.#admission.established(tunnel.connection.place.peerAddress);
  }

  #checkEmpty(): void {
    if (this.#tunnels.size + this.#sessions.size > 0) return;
    const done = this.#onEmpty;
    this.#onEmpty = undefined;
    done?.();
  }
}

/** Its calls are those that the peer requested: of an outgoing one we are the PAC (RFC 2637 section 1.2). */
function standingCallOf({ place, peerCallId, kind }: InheritedLine): StandingCall {
  return { kind, role: kind === 'outgoing' ? 'PAC' : 'PNS', callId: callIdOf(place.call), peerCallId };
}
