/**
 * The PPTP server: listens while it is enabled, admits connections, and makes a session of every call. Knows which sessions
 * there are; what happens in one is session.ts's.
 */

import type { NasIdentity, SessionIdentity } from '../aaa/identity.ts';
import { formatIpv4 } from '../base/ip.ts';
import type { EventOf } from '../datapath/contract.ts';
import { type CallRequest, connectionCauses } from '../pptp/effects.ts';
import { Admission } from './admission.ts';
import { type CallIds, callIdOf } from './call-ids.ts';
import { Connection, type ConnectionNews } from './connection.ts';
import { type EndingCause, endingOf } from './ending.ts';
import { errorName } from './errno.ts';
import { type Books, ServedSession } from './served-session.ts';
import type { ServerSettings, StaticServer } from './server-settings.ts';
import { type CallPlace, Session, type SessionServices } from './session.ts';
import { Subscriber, type SubscriberServices } from './subscriber.ts';
import { summarise } from './summary.ts';

/** RFC 2637 section 1.3. */
export const controlPort = 1723;
/** Connections that the kernel holds for us before we accept them: a region redials at once after a power cut. */
const backlog = 4096;

export interface ServerServices extends SessionServices, Omit<SubscriberServices, 'sessionsOf'> {
  readonly callIds: CallIds;
  readonly books: Books;
  /** How this node calls itself in RADIUS. */
  nas(): NasIdentity;
  /** An Acct-Session-Id that nobody has had. */
  newSessionId(): string;
}

/** What the server is to be. */
export interface ServerConfiguration {
  readonly server: ServerSettings;
  readonly staticServers: readonly StaticServer[];
}

/** A session, and the request of the peer's that it answers. */
interface Called {
  readonly request: number;
  readonly session: Session;
}

/** A connection with the sessions of its calls, by our call id. */
interface Tunnel {
  readonly connection: Connection;
  readonly sessions: Map<number, Called>;
  established: boolean;
}

export class Server {
  readonly #services: ServerServices;
  readonly #admission = new Admission();
  readonly #tunnels = new Set<Tunnel>();
  readonly #sessions = new Map<Session, ServedSession>();
  #configuration: ServerConfiguration;
  #listener: number | undefined;
  #isEnding = false;
  #onEmpty: (() => void) | undefined;

  constructor(services: ServerServices, configuration: ServerConfiguration) {
    this.#services = services;
    this.#configuration = configuration;
    this.#follow();
  }

  get sessions(): ReadonlyMap<Session, ServedSession> {
    return this.#sessions;
  }

  /** What the operator wants now. Running sessions keep what they were given; a disabled server ends them. */
  configure(configuration: ServerConfiguration): void {
    this.#configuration = configuration;
    this.#follow();
  }

  /** Takes no more calls and ends all sessions with `cause`; `done` is called when nothing is left. */
  end(cause: EndingCause, done: () => void): void {
    this.#isEnding = true;
    this.#onEmpty = done;
    this.#close(cause);
    this.#checkEmpty();
  }

  #follow(): void {
    if (this.#isClosing) this.#close('server-disabled');
    else if (this.#listener === undefined) this.#listen();
  }

  #listen(): void {
    const { switchboard, log } = this.#services;
    const listener = switchboard.listen(
      { address: 0, port: controlPort, backlog },
      (event) => this.#accepted(event),
      ({ errno }) => {
        if (errno === 0) return log('info', 'pptp', `listening on TCP ${controlPort}`);
        if (this.#listener === listener) this.#listener = undefined;
        const hint = 'another PPTP server on this machine? see ss -ltnp; then disable and enable the server';
        log('error', 'pptp', `cannot listen on TCP ${controlPort}: ${errorName(errno)}`, { hint });
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
    const { switchboard, log, identity } = this.#services;
    const refusal = this.#admission.admit(peerAddress);
    if (refusal !== undefined) {
      log('warning', 'pptp', `TCP connection from ${formatIpv4(peerAddress)} refused: ${refusal}`);
      switchboard.holdConnection(connection, () => {});
      return switchboard.send({ kind: 'tcp-close', connection, abort: 1 });
    }
    log('info', 'pptp', `TCP connection established from ${formatIpv4(peerAddress)}`);
    const tunnel: Tunnel = {
      connection: new Connection(
        { connection, localAddress, peerAddress },
        this.#services,
        { side: 'receiver', hostName: identity, vendorName: 'pptp-concentrator', firmwareRevision: 1 },
        (news) => this.#news(tunnel, news),
      ),
      sessions: new Map(),
      established: false,
    };
    this.#tunnels.add(tunnel);
    tunnel.connection.open();
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
        this.#services.log('info', 'pptp', text, { cause: news.cause, detail: news.detail });
        return this.#checkEmpty();
      }
    }
  }

  #callRequested(tunnel: Tunnel, asks: CallRequest & { readonly request: number }): void {
    const { localAddress, peerAddress } = tunnel.connection.place;
    const { request, peerCallId } = asks;
    const why = this.#objection;
    const call = why === undefined ? this.#services.callIds.take() : undefined;
    if (call === undefined) {
      this.#services.log(
        'warning',
        'pptp',
        `call of ${formatIpv4(peerAddress)} refused: ${why ?? 'no Call ID is free'}`,
      );
      return tunnel.connection.answerCall(request, { accept: false, why: 'no-resource' });
    }
    const place = { call, localAddress, peerAddress };
    const session = this.#newSession(tunnel, place, this.#identify(place, asks));
    tunnel.sessions.set(callIdOf(call), { request, session });
    session.open(peerCallId);
    tunnel.connection.answerCall(request, { accept: true, callId: callIdOf(call) });
  }

  /** Why no call is taken now, if none is. */
  get #objection(): string | undefined {
    if (this.#isClosing) return 'the server takes no more';
    return this.#services.books.isFull ? 'there is no room left to account for it' : undefined;
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

  #newSession(tunnel: Tunnel, place: CallPlace, identity: SessionIdentity): Session {
    const { server, staticServers } = this.#configuration;
    const { log, books } = this.#services;
    const sessionsOf = (user: string) => this.#sessionsOf(user, session);
    const party = new Subscriber(identity, server, staticServers, { ...this.#services, sessionsOf });
    const session: Session = new Session(place, party, this.#services, {
      hangUp: (cause) => tunnel.connection.clearCall(identity.nasPort, endingOf(cause).disconnect),
      up: ({ terms }, agreed) => {
        const address = formatIpv4(agreed.remote ?? 0);
        const text = `${terms?.user} logged in, ${address} from ${formatIpv4(place.peerAddress)}`;
        log('info', 'pptp,ppp,account', text, { sessionId: identity.sessionId });
        served.up(agreed);
      },
      ended: (ended, cause, counters) => {
        summarise(log, ended, 'from', cause, counters);
        served.ended(cause, counters);
        this.#forget(tunnel, session);
      },
    });
    const served = new ServedSession(identity, session, party, books);
    this.#sessions.set(session, served);
    return session;
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

  /** Sessions of a user beside `asking`, which may have been his before LCP started over. */
  #sessionsOf(user: string, asking: Session): number {
    let count = 0;
    for (const session of this.#sessions.keys()) {
      if (session !== asking && session.terms?.user === user) count += 1;
    }
    return count;
  }

  #checkEmpty(): void {
    if (this.#tunnels.size + this.#sessions.size > 0) return;
    const done = this.#onEmpty;
    this.#onEmpty = undefined;
    done?.();
  }
}
