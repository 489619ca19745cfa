/**
 * What differs between the two ends of a tunnel: as the server of a subscriber (subscriber.ts), or as a client
 * (client/dialer.ts). The conductor (session.ts) is one for both and asks its party. Types only.
 */

import type { Limits } from '../aaa/grant.ts';
import type { Plan } from '../net/plan.ts';
import type { Answer, Credentials } from '../ppp/auth/credentials.ts';
import type { BundleEffect, BundleSettings } from '../ppp/bundle.ts';
import type { LinkEffect, LinkSettings } from '../ppp/link.ts';
import type { BridgeTerms } from './bridge-port.ts';
import type { EndingCause } from './ending.ts';
import type { SessionInterface } from './session-interface.ts';

/** The Network phase has begun: who the peer is, if it had to say so. */
export type Authenticated = Extract<LinkEffect, { do: 'authenticated' }>;

/** IPCP is open: what both ends agreed to. */
export type NetworkUp = Extract<BundleEffect, { do: 'network-up' }>;

export interface Party {
  /** What the log calls the session before it has an interface. */
  readonly name: string;
  readonly link: Omit<LinkSettings, 'random'>;
  /** Largest IP packet that the interface may send in one frame, before LCP and MPPE have their say. */
  readonly maxMtu: number;
  /** Silence before the peer is probed, in ms; 0: it is not. */
  readonly keepaliveMs: number;
  /** Judges what the peer has shown. `answer` is called once, at once or later, also when the session has ended meanwhile. */
  judge(credentials: Credentials, answer: (answer: Answer) => void): void;
  /** What the session may have, or why it may not have it. Asked again if LCP starts over: the terms stay, the keys may not. */
  terms(authenticated: Authenticated): Terms | EndingCause;
  /** Gives back what `terms` took. Called once, when the engine has let go of everything. */
  release(): void;
}

/** What an accepted session may have. */
export interface Terms {
  /** Who it is, for people. */
  readonly user: string;
  /** Name of its interface, which nobody else has. */
  readonly interfaceName: string;
  /** An interface of that name which is there already, and stays: whoever lends it removes it. */
  readonly lent?: SessionInterface;
  readonly bundle: BundleSettings;
  /** Which LAN is bridged through it, if BCP opens: the bundle's `bridging`. */
  readonly bridge?: BridgeTerms;
  readonly clampMss: boolean;
  /** Largest packet towards the peer, in octets; undefined: as negotiated. */
  readonly mtu: number | undefined;
  /** What it is held to at first; it may be changed while it lives. */
  readonly limits: Limits;
  /** What the kernel is to know of the session; while the peer has agreed to nothing, what is known anyway, if anything. */
  plan(mtu: number, agreed: NetworkUp | undefined): Plan | undefined;
}
