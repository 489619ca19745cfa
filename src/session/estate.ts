/**
 * What the engine held when this process came, as its snapshot tells it: connections, interfaces and calls, joined by the memos of the
 * calls. Enter: the events of the snapshot. Leave: what may go on, each with all that it takes; and, when that is taken out, the rest.
 * Pure; tells nobody anything.
 */

import type { EventOf } from '../datapath/contract.ts';
import type { CallKind } from '../pptp/effects.ts';
import type { ConnectionPlace } from './connection.ts';
import {
  type DialledCall,
  lineIn,
  type Memo,
  memoIn,
  type StandingCaller,
  type StandingTunnel,
} from './memo.ts';
import type { MadeInterfaces } from './network.ts';
import type { CallPlace } from './session-call.ts';

/** What may go on. */
export interface Inherited {
  readonly tunnels: readonly InheritedTunnel[];
  readonly dials: readonly InheritedDial[];
}

/** A control connection with sessions of the server's that are up. */
export interface InheritedTunnel {
  readonly place: ConnectionPlace;
  readonly calls: readonly InheritedCall<StandingCaller>[];
  /** Its other calls, which nobody can go on with. */
  readonly unfinished: readonly InheritedLine[];
}

/** A call as its control connection knows it. */
export interface InheritedLine {
  readonly place: CallPlace;
  readonly kind: CallKind;
  readonly peerCallId: number;
}

export interface InheritedCall<Standing> extends InheritedLine {
  readonly made: MadeInterfaces;
  readonly standing: Standing;
}

/** A call that a client of this node has placed. */
export interface InheritedDial {
  readonly place: CallPlace;
  /** As `DialledCall` has it. */
  readonly entry: ReadonlyMap<string, string>;
  /** Undefined if nobody can go on with it. */
  readonly tunnel: DialledTunnel | undefined;
}

export interface DialledTunnel extends InheritedCall<StandingTunnel> {
  readonly connection: ConnectionPlace;
}

/** A call as it was held, and what its memo says. */
export type HeldCall = EventOf<'call-held'> & { readonly said: Memo | undefined };

export class Estate {
  readonly #connections = new Map<number, EventOf<'connection-held'>>();
  readonly #links = new Map<number, EventOf<'link-held'>>();
  readonly #linksByName = new Map<string, EventOf<'link-held'>>();
  readonly #calls = new Map<number, HeldCall>();

  /** Takes one event of the snapshot. */
  found(event: EventOf<'connection-held' | 'link-held' | 'call-held'>): void {
    switch (event.kind) {
      case 'connection-held':
        this.#connections.set(event.connection, event);
        break;
      case 'link-held':
        this.#links.set(event.link, event);
        this.#linksByName.set(event.name, event);
        break;
      case 'call-held':
        this.#calls.set(event.call, { ...event, said: memoIn(event.memo) });
        break;
    }
  }

  /** Handles of the connections that are left. */
  get connections(): Iterable<number> {
    return this.#connections.keys();
  }

  /** Handles of the interfaces that are left. */
  get links(): Iterable<number> {
    return this.#links.keys();
  }

  /** The calls that are left. */
  get calls(): Iterable<HeldCall> {
    return this.#calls.values();
  }

  get inherited(): Inherited {
    const tunnels = new Map<number, Tunnel>();
    const dials: InheritedDial[] = [];
    for (const held of this.#calls.values()) {
      const { said } = held;
      if (said?.dialled !== undefined) dials.push(this.#dialOf(held, said.dialled));
      else if (said !== undefined) this.#addTo(tunnels, held, said);
    }
    return { tunnels: [...tunnels.values()].filter(({ calls }) => calls.length > 0), dials };
  }

  /** This call goes on, with its interfaces and its connection. */
  take(call: number): void {
    const { link = 0, said } = this.#calls.get(call) ?? {};
    this.#calls.delete(call);
    this.#links.delete(link);
    this.#links.delete(this.#portOf(said)?.link ?? 0);
    this.#connections.delete(this.#connectionOf(said)?.connection ?? 0);
  }

  #addTo(tunnels: Map<number, Tunnel>, held: HeldCall, said: Memo): void {
    const [place, line] = [this.#connectionOf(said), lineOf(held)];
    if (place === undefined || line === undefined) return;
    const tunnel = tunnels.get(place.connection) ?? { place, calls: [], unfinished: [] };
    tunnels.set(place.connection, tunnel);
    const call = said.standing && this.#callOf(held, said.standing);
    if (call === undefined) tunnel.unfinished.push(line);
    else tunnel.calls.push(call);
  }

  #dialOf(held: HeldCall, { entry, standing }: DialledCall): InheritedDial {
    const connection = this.#connectionOf(held.said);
    const call = standing && this.#callOf(held, standing);
    return { place: placeOf(held), entry, tunnel: connection && call && { ...call, connection } };
  }

  /** Undefined if it has lost its interface. */
  #callOf<Standing>(held: HeldCall, standing: Standing): InheritedCall<Standing> | undefined {
    const [line, made] = [lineOf(held), this.#links.get(held.link)];
    return line && made && { ...line, made: { ...made, port: this.#portOf(held.said) }, standing };
  }

  #connectionOf(said: Memo | undefined): ConnectionPlace | undefined {
    return this.#connections.get((said && lineIn(said)?.connection) ?? 0);
  }

  /** The port in a bridge, by its name: it may be there without the call. */
  #portOf(said: Memo | undefined): EventOf<'link-held'> | undefined {
    const name = said?.standing?.subscriber.portName ?? said?.dialled?.standing?.portName;
    return name === undefined ? undefined : this.#linksByName.get(name);
  }
}

/** An `InheritedTunnel` that is being put together. */
interface Tunnel extends InheritedTunnel {
  readonly calls: InheritedCall<StandingCaller>[];
  readonly unfinished: InheritedLine[];
}

/** Undefined if its memo does not say how it came. */
function lineOf(held: HeldCall): InheritedLine | undefined {
  const line = held.said && lineIn(held.said);
  return line && { place: placeOf(held), kind: line.kind, peerCallId: held.peerCallId };
}

function placeOf({ call, localAddress, peerAddress }: HeldCall): CallPlace {
  return { call, localAddress, peerAddress };
}
