/**
 * The call of one session as the engine holds it: from `call-open`, or from a control process before this one, to the moment in which
 * the engine is told to forget it. Enter: what the session wants of it. Leave: commands, none of them after the last.
 */

import type { Ipv4 } from '../base/ip.ts';
import { type Command, peerCallIdKnown } from '../datapath/contract.ts';
import type { CallEvent, Switchboard } from './switchboard.ts';
import type { CallTrace } from './trace/tunnel-trace.ts';

/** Where the call is. */
export interface CallPlace {
  /** The engine's handle; its slot is our Call ID. */
  readonly call: number;
  readonly localAddress: Ipv4;
  readonly peerAddress: Ipv4;
}

/** Between two probes of a silent peer (RouterOS). */
const probeMs = 1000;

export class SessionCall {
  readonly place: CallPlace;
  readonly #switchboard: Switchboard;
  readonly #trace: CallTrace | undefined;
  #isHeld = false;

  constructor(place: CallPlace, switchboard: Switchboard, trace: CallTrace | undefined) {
    this.place = place;
    this.#switchboard = switchboard;
    this.#trace = trace;
  }

  /** Has the engine hold it, so that no GRE of the peer is too early. A peer's id that is not known yet comes with `connected`. */
  open(peerCallId: number | undefined, sink: (event: CallEvent) => void): void {
    this.#isHeld = true;
    const flags = peerCallId === undefined ? 0 : peerCallIdKnown;
    this.#switchboard.openCall({ ...this.place, peerCallId: peerCallId ?? 0, flags }, this.#traced(sink));
  }

  /** The engine has held it since a process before this one. Instead of `open`. */
  resume(sink: (event: CallEvent) => void): void {
    this.#isHeld = true;
    this.#switchboard.adoptCall(this.place.call, this.#traced(sink));
  }

  connected(peerCallId: number): void {
    this.command({ kind: 'call-peer', call: this.place.call, peerCallId });
  }

  /** A command about the call; once the engine has been told to forget it there is nobody to perform it. */
  command(command: Command): void {
    if (this.#isHeld) this.#switchboard.send(command);
  }

  sendFrame(protocol: number, information: Uint8Array): void {
    if (this.#isHeld) this.#trace?.frame('sent', protocol, information);
    this.command({ kind: 'call-frame', call: this.place.call, protocol, information });
  }

  #traced(sink: (event: CallEvent) => void): (event: CallEvent) => void {
    return (event) => {
      if (event.kind === 'frame') this.#trace?.frame('rcvd', event.protocol, event.information);
      sink(event);
    };
  }

  /** The engine tells of silence and of idleness; 0: never. */
  watch(silentMs: number, idleMs: number): void {
    this.command({ kind: 'call-watch', call: this.place.call, silentMs, probeMs, idleMs });
  }

  /** What the engine keeps for a control process after this one. */
  remember(memo: Uint8Array): void {
    this.command({ kind: 'call-memo', call: this.place.call, memo });
  }

  close(): void {
    this.command({ kind: 'call-close', call: this.place.call });
    this.#isHeld = false;
  }

  /** The engine has let go of it. True if nobody had told it to: it has refused the call. */
  closed(): boolean {
    const wasRefused = this.#isHeld;
    this.#isHeld = false;
    return wasRefused;
  }
}
