/**
 * One `/interface pptp-client`: dials its server, keeps the session, and dials again when it ends, with a growing pause; or goes on
 * with a tunnel of a process before this one. Enter: the settings, and the news of the connection and of the session. Leave: a
 * tunnel, or log lines that say why there is none.
 */

import type { Grant } from '../aaa/grant.ts';
import { merge } from '../aaa/merge.ts';
import type { Profile } from '../aaa/settings.ts';
import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import type { Host } from '../base/kind.ts';
import type { EventOf } from '../datapath/contract.ts';
import { type CallIds, callIdOf } from '../session/call-ids.ts';
import {
  Connection,
  type ConnectionNews,
  type ConnectionPlace,
  type ConnectionServices,
} from '../session/connection.ts';
import { type EndingCause, endingOf, explain } from '../session/ending.ts';
import { errorName } from '../session/errno.ts';
import type { DialledTunnel } from '../session/estate.ts';
import { type Memo, memoOctets } from '../session/memo.ts';
import { Session, type SessionServices } from '../session/session.ts';
import type { CallPlace } from '../session/session-call.ts';
import type { StandingInterface } from '../session/session-interface.ts';
import { summarise } from '../session/summary.ts';
import { Timers } from '../session/timers.ts';
import type { Traces } from '../session/trace/traces.ts';
import { Demand, type DemandServices } from './demand.ts';
import { Detour, type DetourServices } from './detour.ts';
import { DialledServer, type DialledServerServices, single } from './dialled-server.ts';
import { type EntryText, entryText } from './entry.ts';
import type { ClientSettings } from './settings.ts';

/** RFC 2637 section 1.3. */
const controlPort = 1723;
/** TCP's own first two retransmissions fit in. */
const connectTimeoutMs = 10_000;
/** Between attempts: the first pause, doubled each time up to the last. A server that comes back is found within it. */
const redialMs = { first: 1000, last: 30_000 } as const;

/** RouterOS's words for `monitor`. */
export type DialStatus =
  | 'Disabled'
  | 'waiting for packets...'
  | 'Dialing'
  | 'Verifying password...'
  | 'Connected'
  | 'Terminated';

/** Looks a host name up; undefined if it has no IPv4 address. Calls `found` once. */
export type Resolve = (hostName: string, found: (address: Ipv4 | undefined) => void) => void;

export interface DialerServices
  extends SessionServices,
    DetourServices,
    DemandServices,
    DialledServerServices {
  readonly callIds: CallIds;
  readonly identity: string;
  readonly traces: Traces;
  readonly resolve: Resolve;
}

export class Dialer {
  readonly settings: ClientSettings;
  /** The same as text. */
  readonly entry: EntryText;
  /** What the next session is given. */
  profile: Profile;
  readonly #services: DialerServices;
  readonly #timers: Timers<'redial'>;
  #status: DialStatus = 'Disabled';
  #pauseMs: number = redialMs.first;
  #connection: Connection | undefined;
  #session: Session | undefined;
  #demand: Demand | undefined;
  #detour: Detour | undefined;
  #wasUp = false;
  #attempts = 0;
  #onEnd: (() => void) | undefined;

  constructor(settings: ClientSettings, profile: Profile, services: DialerServices) {
    this.settings = settings;
    this.entry = entryText(settings);
    this.profile = profile;
    this.#services = services;
    this.#timers = new Timers(services.clock);
  }

  get status(): DialStatus {
    return this.#session?.state === 'authenticating' ? 'Verifying password...' : this.#status;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** Dials, or waits for the packet that wants the tunnel. */
  begin(): void {
    const { connectTo, dialOnDemand } = this.settings;
    if (connectTo === undefined) return this.#say('warning', 'connect-to is not set: nothing to dial');
    if (dialOnDemand) this.#rest(connectTo);
    else this.#dial(connectTo);
  }

  /** Goes on with a tunnel of a process before this one. Instead of `begin`. False, and nothing is taken, if its names are another's. */
  resume({ connection, place, kind, peerCallId, made, standing }: DialledTunnel): boolean {
    const { names, callIds } = this.#services;
    const { name, addDefaultRoute } = this.settings;
    const { grant, portName, gateway, session } = standing;
    if ([name, portName].some((each) => each !== undefined && names.has(each))) return false;
    callIds.hold(place.call);
    if (gateway !== undefined) this.#resumeDemand(gateway, { ...made, plan: session.network.plan });
    if (addDefaultRoute) {
      this.#detour = new Detour(place.peerAddress, this.#services);
      this.#detour.resume();
    }
    const { ofTunnel, ofCall } = this.#traced(place.peerAddress);
    const party = this.#newParty(grant);
    this.#connection = this.#newConnection(connection, ofTunnel);
    this.#session = this.#newSession(place, party, this.#connection, ofCall);
    this.#wentUp();
    this.#connection.resume([{ kind, role: 'PNS', callId: callIdOf(place.call), peerCallId }]);
    this.#session.resume(session, party.resume(standing), made);
    // The configuration may be another than that process had.
    this.#session.replan();
    return true;
  }

  /** The kernel is told which routes lead through the tunnel now. */
  replan(): void {
    if (this.#session === undefined) this.#demand?.replan();
    else this.#session.replan();
  }

  #rest(connectTo: Host): void {
    const { names } = this.#services;
    const { name } = this.settings;
    if (this.#demand === undefined && !names.takeExactly(name))
      return this.#failed('another interface has this name');
    this.#demand ??= new Demand(this.settings, this.#services);
    const demand = this.#demand;
    this.#status = 'waiting for packets...';
    const attempt = this.#attempts;
    const unlessEnded = (act: () => void) => () => {
      if (attempt === this.#attempts) act();
    };
    demand.rest(
      single(this.#grant.localAddress),
      unlessEnded(() => demand.clear(unlessEnded(() => this.#dial(connectTo)))),
      (trouble) => this.#demandRefused(trouble),
    );
  }

  #resumeDemand(gateway: Ipv4, standing: StandingInterface): void {
    this.#services.names.takeExactly(this.settings.name);
    this.#demand = new Demand(this.settings, this.#services, { gateway, interface: standing });
  }

  /** The next attempt makes the interface anew. */
  #demandRefused(trouble: string): void {
    this.#attempts += 1;
    this.#closeDemand(() => this.#failed(trouble));
  }

  #closeDemand(closed: () => void): void {
    const demand = this.#demand;
    if (demand === undefined) return closed();
    this.#demand = undefined;
    demand.close(() => {
      this.#services.names.release(this.settings.name);
      closed();
    });
  }

  #dial(connectTo: Host): void {
    this.#status = 'Dialing';
    this.#attempts += 1;
    const attempt = this.#attempts;
    this.#resolve(connectTo, (address) => {
      if (attempt !== this.#attempts) return;
      if (address === undefined)
        this.#failed(`no address for ${'hostName' in connectTo ? connectTo.hostName : ''}`);
      else this.#prepare(address, attempt);
    });
  }

  get #grant(): Grant {
    return merge(this.profile.name, [this.profile]);
  }

  /** Ends the tunnel and dials no more; `done` is called when nothing is left of it. */
  end(cause: EndingCause, done: () => void): void {
    this.#onEnd = done;
    this.#attempts += 1;
    this.#timers.disarmAll();
    if (this.#session !== undefined) this.#session.end(cause);
    else if (this.#connection !== undefined) this.#connection.stop();
    else this.#over();
  }

  #resolve(host: Host, found: (address: Ipv4 | undefined) => void): void {
    if ('address' in host) found(host.address);
    else this.#services.resolve(host.hostName, found);
  }

  /** A tunnel that is to have the default route must not be routed over itself. */
  #prepare(address: Ipv4, attempt: number): void {
    if (!this.settings.addDefaultRoute) return this.#connect(address, attempt);
    const detour = new Detour(address, this.#services);
    detour.prepare(() => {
      if (attempt !== this.#attempts) return;
      this.#detour = detour;
      this.#connect(address, attempt);
    });
  }

  #connect(address: Ipv4, attempt: number): void {
    this.#say('info', `dialling ${formatIpv4(address)}`);
    const where = { localAddress: 0, address, port: controlPort, timeoutMs: connectTimeoutMs };
    this.#services.switchboard.connect(where, (event) => {
      if (attempt !== this.#attempts) this.#discard(event);
      else if (event.errno !== 0)
        this.#failed(`${explain('connect-failed').text}: ${errorName(event.errno)}`);
      else this.#connected(event, address);
    });
  }

  /** The operator changed his mind while TCP was being opened. */
  #discard({ errno, connection }: EventOf<'connected'>): void {
    if (errno !== 0) return;
    const { switchboard } = this.#services;
    switchboard.holdConnection(connection, () => {});
    switchboard.send({ kind: 'tcp-close', connection, abort: 1 });
  }

  #connected({ connection, localAddress }: EventOf<'connected'>, peerAddress: Ipv4): void {
    const { callIds } = this.#services;
    const { ofTunnel, ofCall } = this.#traced(peerAddress);
    this.#detour?.begin();
    const call = callIds.take();
    const opened = this.#newConnection({ connection, localAddress, peerAddress }, ofTunnel);
    this.#connection = opened;
    opened.open();
    if (call === undefined) {
      this.#say('error', 'no Call ID is free');
      return opened.stop();
    }
    const place = { call, localAddress, peerAddress };
    this.#session = this.#newSession(place, this.#newParty(this.#grant), opened, ofCall);
    this.#session.open(undefined);
    opened.placeCall({ kind: 'outgoing', callId: callIdOf(call) });
  }

  #newConnection(place: ConnectionPlace, services: ConnectionServices): Connection {
    const options = {
      side: 'originator',
      hostName: this.#services.identity,
      vendorName: 'pptp-concentrator',
      firmwareRevision: 1,
    } as const;
    return new Connection(place, services, options, (news) => this.#news(news));
  }

  #newParty(grant: Grant): DialledServer {
    return new DialledServer(this.settings, grant, this.#services, this.#demand?.interface);
  }

  #newSession(
    place: CallPlace,
    party: DialledServer,
    connection: Connection,
    services: SessionServices,
  ): Session {
    const { call } = place;
    return new Session(place, party, services, {
      hangUp: (cause) => connection.clearCall(callIdOf(call), endingOf(cause).disconnect),
      up: (_, { local }) => {
        this.#wentUp();
        this.#say('info', `connected, ${formatIpv4(local)}`);
      },
      stands: (session) => session.remember(memoOctets(this.#memoOf(session, party, connection))),
      ended: (session, cause, counters) => {
        this.#session = undefined;
        this.#services.callIds.release(call);
        summarise(services.log, session, 'to', cause, counters);
        if (this.#connection === undefined) this.#over();
        else this.#connection.stop();
      },
    });
  }

  #wentUp(): void {
    this.#status = 'Connected';
    this.#wasUp = true;
    this.#pauseMs = redialMs.first;
  }

  /** What a process after this one is told of the call. */
  #memoOf({ standing: session }: Session, party: DialledServer, { place: { connection } }: Connection): Memo {
    const { gateway } = this.#demand ?? {};
    const standing = session && { ...party.standing, gateway, session };
    const dialled = { entry: this.entry, standing };
    return { standing: undefined, dialled, line: { connection, kind: 'outgoing' } };
  }

  /** What a tunnel to `peerAddress` and its call are given, so that they can be looked at. */
  #traced(peerAddress: Ipv4) {
    const { traces, log } = this.#services;
    const { name, user } = this.settings;
    const tunnel = traces.tunnel(peerAddress);
    const call = tunnel.call({ name, user });
    return {
      ofTunnel: { ...this.#services, log: tunnel.before(log), trace: tunnel },
      ofCall: { ...this.#services, log: call.before(log), trace: call },
    };
  }

  #news(news: ConnectionNews): void {
    switch (news.do) {
      case 'call-connected':
        return this.#session?.connected(news.peerCallId);
      case 'call-failed':
      case 'call-cleared':
        return this.#session?.hungUp(news.cause, news.detail);
      case 'ended':
        this.#connection = undefined;
        if (this.#session === undefined) this.#over();
        return;
    }
  }

  #failed(text: string): void {
    this.#say('warning', text);
    this.#over();
  }

  /** Nothing is left of the attempt: dial again in a while, unless the operator wants none. */
  #over(): void {
    this.#status = 'Terminated';
    this.#detour?.end();
    this.#detour = undefined;
    const wasUp = this.#wasUp;
    this.#wasUp = false;
    if (this.#onEnd !== undefined) {
      const done = this.#onEnd;
      this.#onEnd = undefined;
      return this.#closeDemand(done);
    }
    // Whoever wants the tunnel back shows it by his next packet.
    if (wasUp && this.#demand !== undefined) return this.begin();
    this.#timers.arm('redial', this.#pauseMs, () => this.begin());
    this.#pauseMs = Math.min(2 * this.#pauseMs, redialMs.last);
  }

  #say(severity: 'info' | 'warning' | 'error', text: string): void {
    this.#services.log(severity, 'pptp,ppp', `${this.settings.name}: ${text}`);
  }
}
