/**
 * The TCP of a fake engine: listeners, connections, and who answers while control is away. Octets arrive complete and in
 * order, cut as the wire pleases. Commands in, events out; pure.
 */

import { toHex, Writer } from '../base/bytes.ts';
import type { Ipv4 } from '../base/ip.ts';
import type { CommandOf, Event } from './contract.ts';
import type { Lane, RemoteEnd, Wire } from './fake-wire.ts';

const errno = { EADDRINUSE: 98, ECONNRESET: 104, ETIMEDOUT: 110, ECONNREFUSED: 111 } as const;

/** First port that is given out where 0 was asked for (RFC 6335 section 6). */
const ephemeralPort = 49_152;

/** Length, control message, magic cookie, Echo-Request, reserved (RFC 2637 section 2.5); an identifier follows. */
const echoRequestStart = '001000011a2b3c4d00050000';
const echoRequestSize = 16;

export interface Connection {
  readonly handle: number;
  readonly localAddress: Ipv4;
  readonly peerAddress: Ipv4;
  readonly localPort: number;
  readonly peerPort: number;
}

/** A connection with the way to its peer. */
interface HeldConnection extends Connection {
  readonly lane: Lane;
  readonly remote: RemoteEnd;
}

interface Listener {
  readonly token: number;
  readonly port: number;
  /** The control that asked for it has left; the next one that asks for the same port takes it over. */
  orphan: boolean;
}

export interface TcpOwner {
  readonly wire: Wire;
  readonly address: Ipv4;
  /** True while control is away. */
  alone(): boolean;
  emit(event: Event): void;
}

export class FakeTcp {
  readonly #owner: TcpOwner;
  readonly #listeners = new Map<number, Listener>();
  readonly #connections = new Map<number, HeldConnection>();
  #made = 0;
  #portsGiven = 0;

  constructor(owner: TcpOwner) {
    this.#owner = owner;
  }

  get connections(): readonly Connection[] {
    return [...this.#connections.values()];
  }

  holds(handle: number): boolean {
    return this.#connections.has(handle);
  }

  listen({ token, port: asked }: CommandOf<'listen'>): void {
    const port = asked === 0 ? this.#freePort() : asked;
    const holder = this.#listeners.get(port);
    const free = holder === undefined || holder.orphan;
    if (free) this.#listeners.set(port, { token, port, orphan: false });
    this.#owner.emit({ kind: 'listening', token, errno: free ? 0 : errno.EADDRINUSE, port: free ? port : 0 });
  }

  unlisten({ token }: CommandOf<'unlisten'>): void {
    for (const [port, listener] of this.#listeners)
      if (listener.token === token) this.#listeners.delete(port);
  }

  orphan(): void {
    for (const listener of this.#listeners.values()) listener.orphan = true;
  }

  connect({ token, address, port, timeoutMs }: CommandOf<'connect'>): void {
    const { wire } = this.#owner;
    const localPort = this.#freePort();
    const failed = (why: number): void =>
      this.#owner.emit({
        kind: 'connected',
        token,
        errno: why,
        connection: 0,
        localAddress: 0,
        localPort: 0,
      });
    const station = wire.station(address);
    if (station === undefined) {
      wire.clock.arm(timeoutMs, () => failed(errno.ETIMEDOUT));
      return;
    }
    // Our end is known to the peer before the peer's is known to us: what it sends at once waits behind `connected`.
    const [there, back] = [wire.lane(), wire.lane()];
    const handle = this.#newHandle();
    there(() => {
      const remote = station.dialled(
        this.#end(handle),
        { address: this.#owner.address, port: localPort },
        port,
        back,
      );
      back(() => {
        if (remote === undefined) return failed(errno.ECONNREFUSED);
        this.#hold({ handle, localPort, peerAddress: address, peerPort: port, lane: there, remote });
        const { address: localAddress } = this.#owner;
        this.#owner.emit({ kind: 'connected', token, errno: 0, connection: handle, localAddress, localPort });
      });
    });
  }

  /** A peer dials: our end of the connection, or undefined if nobody listens. */
  dialled(
    remote: RemoteEnd,
    from: { address: Ipv4; port: number },
    port: number,
    lane: Lane,
  ): RemoteEnd | undefined {
    const listener = this.#listeners.get(port);
    if (listener === undefined) return undefined;
    const handle = this.#newHandle();
    const { address: peerAddress, port: peerPort } = from;
    this.#hold({ handle, localPort: port, peerAddress, peerPort, lane, remote });
    this.#owner.emit({
      kind: 'accepted',
      token: listener.token,
      connection: handle,
      localAddress: this.#owner.address,
      peerAddress,
      localPort: port,
      peerPort,
    });
    return this.#end(handle);
  }

  send(handle: number, bytes: Uint8Array): void {
    const connection = this.#connections.get(handle);
    for (const piece of connection === undefined ? [] : this.#owner.wire.cut(bytes)) {
      connection?.lane(() => connection.remote.data(piece));
    }
  }

  close(handle: number, abort: boolean): void {
    const connection = this.#connections.get(handle);
    if (connection === undefined) return;
    connection.lane(() => connection.remote.closed(abort ? errno.ECONNRESET : 0));
    this.#closed(handle, 0);
  }

  /** The engine ends: no peer is told more than a reset. */
  closeAll(): void {
    for (const { handle } of this.connections) this.close(handle, true);
    this.#listeners.clear();
  }

  #hold(connection: Omit<HeldConnection, 'localAddress'>): void {
    this.#connections.set(connection.handle, { ...connection, localAddress: this.#owner.address });
  }

  #end(handle: number): RemoteEnd {
    return {
      data: (bytes) => {
        if (!this.#connections.has(handle)) return;
        if (this.#owner.alone() && isEchoRequest(bytes)) this.send(handle, echoReply(bytes));
        else this.#owner.emit({ kind: 'tcp-data', connection: handle, bytes });
      },
      closed: (why) => this.#closed(handle, why),
    };
  }

  #closed(handle: number, why: number): void {
    if (this.#connections.delete(handle)) {
      this.#owner.emit({ kind: 'tcp-closed', connection: handle, errno: why });
    }
  }

  #newHandle(): number {
    this.#made++;
    return ((1 + (this.#made >> 16)) << 16) | (this.#made & 0xffff);
  }

  #freePort(): number {
    return ephemeralPort + (this.#portsGiven++ % (65_536 - ephemeralPort));
  }
}

function isEchoRequest(bytes: Uint8Array): boolean {
  return bytes.length === echoRequestSize && toHex(bytes.subarray(0, 12)) === echoRequestStart;
}

/** [RFC 2637 2.6] The identifier of the request, result code 1: valid. */
function echoReply(request: Uint8Array): Uint8Array {
  return new Writer(new Uint8Array(20))
    .u16(20)
    .u16(1)
    .u32(0x1a2b3c4d)
    .u16(6)
    .u16(0)
    .bytes(request.subarray(12, 16))
    .u8(1)
    .u8(0)
    .u16(0)
    .done();
}
