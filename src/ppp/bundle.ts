/**
 * What runs over an authenticated link: CCP for encryption, then IPCP for addresses and, if wished, BCP beside it. Enter: control frames that
 * the link delivers, expiries, the engine's loss of cipher. Leave: frames, keys, the network's up and down, one failure.
 * A bundle lives as long as its link stays open; a link that starts over gets a new one.
 *
 * The rules between the two:
 * - Our IPCP request waits until CCP has settled (open, or clear), because a peer that requires encryption ignores it before
 *   and would then wait for a restart timer: three seconds with accel-ppp.
 * - The peer's IPCP request that comes earlier (RouterOS and pppd pipeline it) is held, not refused, and answered the moment
 *   CCP settles. Never a Terminate-Ack: RouterOS gives up on it.
 * - Whenever CCP opens, an IPCP request that waits for its answer is sent again.
 * - If encryption is not required and the peer asks for IPCP without a sign of CCP, CCP has a short grace and is given up.
 * - If encryption is required, the network is up only while CCP is open, and a peer that refuses ends the bundle.
 * - BCP waits for CCP as IPCP does. It never ends a bundle: a peer that does not bridge has its IPv4 all the same.
 */

import { Bcp, type BcpEffect } from './bcp/bcp.ts';
import type { BridgeTakes } from './bcp/options.ts';
import type { Cause } from './cause.ts';
import { Ccp, type CcpEffect } from './ccp/ccp.ts';
import type { Mppe, MppePolicy } from './ccp/options.ts';
import { type Arm, type Disarm, type Noted, note, type Send } from './effect.ts';
import { type Addresses, Ipcp, type IpcpEffect } from './ipcp/ipcp.ts';
import type { IpcpSettings } from './ipcp/options.ts';
import type { FinishCause } from './negotiator.ts';
import { codes } from './packet.ts';
import { bcpProtocol, ccpProtocol, ipcpProtocol } from './protocol.ts';

/** Time for the first sign of CCP after the peer's IPCP request: longer than a period of our restart timer. */
const ccpGraceMs = 3_500;

/** RouterOS's use-encryption: `no` refuses it, `yes` takes it when the peer can, `required` takes nothing else. */
export type Encryption = 'no' | 'yes' | 'required';

export interface BundleSettings extends MppePolicy {
  readonly encryption: Encryption;
  /** Whether authentication has left MPPE keys. */
  readonly keysAvailable: boolean;
  readonly addresses: IpcpSettings;
  /** Whether LANs are to be bridged through the link. */
  readonly bridging?: boolean;
}

export type BundleTimer = 'ccp' | 'ipcp' | 'bcp' | 'ccp-grace';

/** A network that is up: its addresses, and what its packets are encrypted with; undefined on a clear one. */
export interface StandingNetwork extends Addresses {
  readonly mppe: Mppe | undefined;
}

export type BundleEffect =
  | Send
  | Arm<BundleTimer>
  | Disarm<BundleTimer>
  | Noted
  | { readonly do: 'receive-keys'; readonly mppe: Mppe | 'off' }
  | { readonly do: 'transmit-keys'; readonly mppe: Mppe | 'off' }
  | { readonly do: 'reset-transmit' }
  /** Packets may flow. */
  | ({ readonly do: 'network-up' } & StandingNetwork)
  /** Packets must not flow until `network-up` comes again. */
  | { readonly do: 'network-down' }
  /** Ethernet frames may pass, of the kinds that the peer takes. */
  | { readonly do: 'bridge-up'; readonly peerTakes: BridgeTakes }
  /** They must not, until `bridge-up` comes again. */
  | { readonly do: 'bridge-down' }
  /** There is no bridging, or no more; the rest goes on. The peer may ask for it later. */
  | { readonly do: 'bridge-finished'; readonly cause: FinishCause }
  /** Hand this to the link's `rejectProtocol`. */
  | { readonly do: 'protocol-reject'; readonly protocol: number; readonly bytes: Uint8Array }
  /** The last effect of a bundle that cannot be: close the link with this cause. */
  | { readonly do: 'failed'; readonly cause: Cause };

type Effects = readonly BundleEffect[];

export class Bundle {
  readonly #settings: BundleSettings;
  readonly #ccp: Ccp | undefined;
  readonly #ipcp: Ipcp;
  readonly #bcp: Bcp | undefined;
  #encryption: 'pending' | 'open' | 'clear' = 'pending';
  #mppe: Mppe | undefined;
  #addresses: Addresses | undefined;
  #held: Uint8Array | undefined;
  #ipcpStarted = false;
  #ccpHeard = false;
  #graceArmed = false;
  #networkUp = false;
  #peerTakes: BridgeTakes | undefined;
  #bridgeUp = false;
  #over = false;

  constructor(settings: BundleSettings) {
    this.#settings = settings;
    const { encryption, strengths, stateful, keysAvailable } = settings;
    const wanted = encryption !== 'no' && keysAvailable && strengths.size > 0;
    this.#ccp = wanted ? new Ccp({ strengths, stateful }) : undefined;
    this.#ipcp = new Ipcp(settings.addresses);
    this.#bcp = settings.bridging ? new Bcp() : undefined;
  }

  /** What the packets are encrypted with; undefined while they are not. */
  get mppe(): Mppe | undefined {
    return this.#mppe;
  }

  /** The network is up: a process before this one has negotiated it. Instead of `up`. */
  resume({ mppe, ...addresses }: StandingNetwork): void {
    this.#ccp?.resume(mppe);
    this.#mppe = mppe;
    this.#encryption = mppe === undefined ? 'clear' : 'open';
    this.#ipcp.resume(addresses);
    this.#ipcpStarted = true;
    this.#addresses = addresses;
    this.#networkUp = true;
  }

  /** After `resume`: LANs are bridged, to a peer that takes this; or they are to be, and BCP begins, as after a first `up`. */
  resumeBridging(peerTakes: BridgeTakes | undefined): Effects {
    if (peerTakes === undefined) return this.#ofBcp(this.#bcp?.settled() ?? []);
    this.#bcp?.resume(peerTakes);
    this.#peerTakes = peerTakes;
    this.#bridgeUp = true;
    return [];
  }

  up(): Effects {
    if (this.#ccp !== undefined) return this.#ofCcp(this.#ccp.up());
    if (this.#settings.encryption === 'required') return this.#fail('encryption-unavailable');
    return this.#settled('clear');
  }

  /** The link has left the Network phase: all is off, and the bundle is over. */
  down(): Effects {
    if (this.#over) return [];
    const effects = [
      ...this.#ofBcp(this.#bcp?.down() ?? []),
      ...this.#ofIpcp(this.#ipcpStarted ? this.#ipcp.down() : []),
      ...this.#ofCcp(this.#ccp?.down() ?? []),
      ...this.#disarmGrace(),
    ];
    this.#over = true;
    return effects;
  }

  expired(timer: BundleTimer): Effects {
    if (this.#over) return [];
    switch (timer) {
      case 'ccp':
        return this.#ofCcp(this.#ccp?.expired() ?? []);
      case 'ipcp':
        return this.#ofIpcp(this.#ipcp.expired());
      case 'bcp':
        return this.#ofBcp(this.#bcp?.expired() ?? []);
      case 'ccp-grace':
        if (!this.#graceArmed) return [];
        this.#graceArmed = false;
        return this.#ofCcp(this.#ccp?.close('timeout') ?? []);
    }
  }

  /** The engine cannot decrypt any more (stateful MPPE): asks the peer to start afresh. */
  cipherLost(): Effects {
    return this.#over ? [] : this.#ofCcp(this.#ccp?.cipherLost() ?? []);
  }

  /** This side cannot bridge after all: the peer is told, with `text` for its log. */
  endBridging(text: string): Effects {
    return this.#over ? [] : this.#ofBcp(this.#bcp?.close(text) ?? []);
  }

  /** The peer sent an LCP Protocol-Reject for a protocol of ours. */
  protocolRejected(protocol: number): Effects {
    if (this.#over) return [];
    if (protocol === ccpProtocol) return this.#ofCcp(this.#ccp?.protocolRejected() ?? []);
    if (protocol === bcpProtocol) return this.#ofBcp(this.#bcp?.protocolRejected() ?? []);
    if (protocol === ipcpProtocol && this.#ipcpStarted) return this.#ofIpcp(this.#ipcp.protocolRejected());
    return [];
  }

  received(protocol: number, bytes: Uint8Array): Effects {
    if (this.#over) return [note('dead')];
    switch (protocol) {
      case ccpProtocol:
        return this.#ccpReceived(bytes);
      case ipcpProtocol:
        return this.#ipcpReceived(bytes);
      case bcpProtocol:
        return this.#bcpReceived(bytes);
      default:
        return [{ do: 'protocol-reject', protocol, bytes }];
    }
  }

  #ccpReceived(bytes: Uint8Array): Effects {
    if (this.#ccp === undefined) return [{ do: 'protocol-reject', protocol: ccpProtocol, bytes }];
    this.#ccpHeard = true;
    return [...this.#disarmGrace(), ...this.#ofCcp(this.#ccp.received(bytes))];
  }

  #ipcpReceived(bytes: Uint8Array): Effects {
    if (this.#ipcpStarted) return this.#ofIpcp(this.#ipcp.received(bytes));
    if (bytes[0] !== codes.configureRequest) return [note('refused')];
    // One is enough: a newer request replaces the older, which its sender has forgotten.
    this.#held = bytes;
    return [note('held'), ...this.#armGrace()];
  }

  #bcpReceived(bytes: Uint8Array): Effects {
    if (this.#bcp === undefined) return [{ do: 'protocol-reject', protocol: bcpProtocol, bytes }];
    const effects = this.#ofBcp(this.#bcp.received(bytes));
    return this.#ipcpStarted ? effects : [...effects, ...this.#armGrace()];
  }

  #armGrace(): Effects {
    if (this.#ccpHeard || this.#graceArmed || this.#settings.encryption === 'required') return [];
    this.#graceArmed = true;
    return [{ do: 'arm', timer: 'ccp-grace', delayMs: ccpGraceMs }];
  }

  #disarmGrace(): Effects {
    if (!this.#graceArmed) return [];
    this.#graceArmed = false;
    return [{ do: 'disarm', timer: 'ccp-grace' }];
  }

  #ofCcp(effects: readonly CcpEffect[]): Effects {
    return effects.flatMap((effect): Effects => {
      switch (effect.do) {
        case 'ccp-up':
          this.#mppe = effect.mppe;
          return this.#settled('open');
        case 'ccp-down':
          this.#mppe = undefined;
          this.#encryption = 'pending';
          return [...this.#bridge(), ...this.#network()];
        case 'ccp-clear':
          if (this.#settings.encryption !== 'required') return this.#settled('clear');
          return this.#fail(effect.reason === 'timeout' ? 'encryption-timeout' : 'encryption-refused');
        default:
          return [effect];
      }
    });
  }

  /** CCP has come to an end: IPCP and BCP begin, or their requests go out once more, and what was held is answered. */
  #settled(encryption: 'open' | 'clear'): Effects {
    this.#encryption = encryption;
    const effects: BundleEffect[] = [...this.#disarmGrace()];
    effects.push(...this.#ofIpcp(this.#ipcpStarted ? this.#ipcp.again() : this.#ipcp.up()));
    this.#ipcpStarted = true;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) effects.push(...this.#ofIpcp(this.#ipcp.received(held)));
    effects.push(...this.#network(), ...this.#ofBcp(this.#bcp?.settled() ?? []));
    return [...effects, ...this.#bridge()];
  }

  #ofIpcp(effects: readonly IpcpEffect[]): Effects {
    return effects.flatMap((effect): Effects => {
      switch (effect.do) {
        case 'ipcp-up':
          this.#addresses = effect.addresses;
          return this.#network();
        case 'ipcp-down':
          this.#addresses = undefined;
          return this.#network();
        case 'ipcp-finished':
          return this.#fail(causeOf(effect.cause));
        default:
          return [effect];
      }
    });
  }

  /** The network is up while IPCP is and CCP has settled: what was encrypted is not in clear while CCP is renegotiated. */
  #network(): Effects {
    const up = this.#addresses !== undefined && this.#covered;
    if (up === this.#networkUp) return [];
    this.#networkUp = up;
    if (this.#addresses === undefined || !up) return [{ do: 'network-down' }];
    return [{ do: 'network-up', ...this.#addresses, mppe: this.#mppe }];
  }

  #ofBcp(effects: readonly BcpEffect[]): Effects {
    return effects.flatMap((effect): Effects => {
      switch (effect.do) {
        case 'bcp-up':
          this.#peerTakes = effect.peerTakes;
          return this.#bridge();
        case 'bcp-down':
          this.#peerTakes = undefined;
          return this.#bridge();
        case 'bcp-finished':
          return [{ do: 'bridge-finished', cause: effect.cause }];
        default:
          return [effect];
      }
    });
  }

  /** The bridge follows BCP and CCP as the network follows IPCP and CCP. */
  #bridge(): Effects {
    const up = this.#peerTakes !== undefined && this.#covered;
    if (up === this.#bridgeUp) return [];
    this.#bridgeUp = up;
    if (this.#peerTakes === undefined || !up) return [{ do: 'bridge-down' }];
    return [{ do: 'bridge-up', peerTakes: this.#peerTakes }];
  }

  /** Whether what encryption the two owe each other is there. */
  get #covered(): boolean {
    const clearEnough = this.#encryption === 'clear' && this.#settings.encryption !== 'required';
    return this.#encryption === 'open' || clearEnough;
  }

  #fail(cause: Cause): Effects {
    const effects = this.down();
    return [...effects, { do: 'failed', cause }];
  }
}

function causeOf(cause: FinishCause): Cause {
  switch (cause) {
    case 'timeout':
      return 'ipcp-timeout';
    case 'terminated':
      return 'peer-terminated';
    default:
      return 'ipcp-failed';
  }
}
