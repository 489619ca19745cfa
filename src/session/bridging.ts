/**
 * LANs bridged through one session (RFC 3518): what BCP's coming and going means for the host, in one place. Enter: the bundle's news of
 * the bridge. Leave: a port in the bridge of the terms (bridge-port.ts), lines for the log, and the end of BCP if there can be no port.
 * Nothing here ends a session: RouterOS routes and bridges through one tunnel, each for itself.
 */

import type { Severity } from '../base/observe.ts';
import { attach, type Command, takes } from '../datapath/contract.ts';
import type { BridgeTakes } from '../ppp/bcp/options.ts';
import type { FinishCause } from '../ppp/negotiator.ts';
import { type BridgePassage, BridgePort, type BridgeTerms, type StandingPort } from './bridge-port.ts';
import type { LinkHandles } from './call-ids.ts';
import type { Switchboard } from './switchboard.ts';

export interface BridgingOwner {
  /** A command about the call, to be performed while the engine holds it. */
  command(command: Command): void;
  say(severity: Severity, text: string, hint?: string): void;
  /** Frames pass, or no more: what a process after this one is told. */
  changed(): void;
  /** BCP is to end, and the peer to be told this. */
  endBcp(text: string): void;
}

/** Before the packet in a frame: BCP's header, and Ethernet's with a VLAN tag, which a bridge does not count in an MTU. */
const headerOctets = 2 + 18;
/** Of an Ethernet: a port that takes more helps nobody in the LAN, and one that takes less lowers the MTU of its bridge. */
const ethernetMtu = 1500;

const askPeer = 'Set bridge in the profile of the peer too.';

/** Why LANs are not bridged; whoever has closed BCP has said it already. */
const texts: Readonly<
  Record<Exclude<FinishCause, 'closed'>, { readonly text: string; readonly hint: string }>
> = {
  rejected: { text: 'the peer does not speak BCP', hint: askPeer },
  timeout: { text: 'BCP was never answered', hint: askPeer },
  terminated: { text: 'ended by the peer', hint: 'The log of the peer says why.' },
  'no-convergence': { text: 'BCP could not agree', hint: 'The peer refuses what it is offered.' },
};

export class Bridging {
  readonly #port: BridgePort;
  readonly #owner: BridgingOwner;
  #peerTakes: BridgeTakes | undefined;
  #isJoined = false;

  constructor(
    call: number,
    terms: BridgeTerms,
    services: { readonly switchboard: Switchboard; readonly links: LinkHandles },
    owner: BridgingOwner,
  ) {
    this.#owner = owner;
    this.#port = new BridgePort(call, terms, services, {
      command: (command) => owner.command(command),
      joined: () => {
        this.#isJoined = true;
        owner.say('info', `bridged - ${terms.portName} is a port of ${terms.bridge}`);
        owner.changed();
      },
      left: () => {
        this.#isJoined = false;
        owner.changed();
      },
      refused: (trouble, hint) => {
        owner.say('error', `not bridged - ${trouble}`, hint);
        owner.endBcp(trouble);
      },
    });
  }

  /** Frames may pass, each with as many octets as `packetBytes`; none in clear if encryption is required. */
  up(peerTakes: BridgeTakes, packetBytes: number, encryptionRequired: boolean): void {
    this.#peerTakes = peerTakes;
    this.#port.up(passageOf(peerTakes, packetBytes, encryptionRequired));
  }

  /** What the peer takes, for a process after this one; undefined while no frame passes. */
  get standing(): BridgeTakes | undefined {
    return this.#isJoined ? this.#peerTakes : undefined;
  }

  /** A process before this one has made the port, and had frames pass if `peerTakes` is known. Instead of the first `up`. */
  resume(
    port: StandingPort,
    peerTakes: BridgeTakes | undefined,
    packetBytes: number,
    encryptionRequired: boolean,
  ): void {
    this.#peerTakes = peerTakes;
    this.#isJoined = peerTakes !== undefined;
    this.#port.resume(port, peerTakes && passageOf(peerTakes, packetBytes, encryptionRequired));
  }

  down(): void {
    this.#port.down();
  }

  /** BCP has finished; it may begin again if the peer asks. */
  finished(cause: FinishCause): void {
    if (cause === 'closed') return;
    const { text, hint } = texts[cause];
    this.#owner.say('warning', `not bridged - ${text}`, hint);
  }

  /** `closed` is called when the name of the port is free. */
  close(closed: () => void): void {
    this.#port.close(closed);
  }
}

function passageOf(peerTakes: BridgeTakes, packetBytes: number, encryptionRequired: boolean): BridgePassage {
  return {
    mtu: Math.min(packetBytes - headerOctets, ethernetMtu),
    flags: attach.receive | attach.transmit | (encryptionRequired ? attach.encryptionRequired : 0),
    takes: takesOf(peerTakes),
  };
}

function takesOf({ taggedFrames, inlineManagement, controlIndicator }: BridgeTakes): number {
  return (
    (taggedFrames ? takes.taggedFrames : 0) |
    (inlineManagement ? takes.inlineManagement : 0) |
    (controlIndicator ? takes.controlIndicator : 0)
  );
}
