/**
 * One PPP link through the phases of RFC 1661 section 3.2: Establish (LCP), Authenticate (either side, or both, or none),
 * Network, Terminate. One class for server and client: a server is a link that demands a proof, a client one that can give it.
 *
 * Enter: the call's up and down, every control frame of the peer, expiries, AAA's verdict. Leave: frames to send, timer
 * orders, what has been agreed, the credentials to judge, the frames that belong to the bundle, and one cause at the end.
 * Knows neither users nor addresses; CCP and IPCP are bundle.ts.
 */

import { toBytes } from '../base/bytes.ts';
import type { Random } from '../base/random.ts';
import type { AuthenticationFailure, AuthenticationTimer } from './auth/authentication.ts';
import type { Answer, Credentials } from './auth/credentials.ts';
import type { Method, PasswordMethod } from './auth/method.ts';
import type { Password } from './auth/password.ts';
import { type Cause, causes } from './cause.ts';
import { type Arm, type Disarm, type Noted, note, type Send } from './effect.ts';
import { Lcp, type LcpEffect, type LcpSides } from './lcp/lcp.ts';
import { minMru } from './lcp/options.ts';
import type { FinishCause } from './negotiator.ts';
import { codes, headerBytes } from './packet.ts';
import { type ProofEffect, Proofs, type Proved } from './proofs.ts';
import { lcpProtocol, protocolKind } from './protocol.ts';

/** From LCP open to the end of authentication, not counting AAA's time: a user may have to type a password. */
const authenticationMs = 30_000;
/** LCP openings of one link: each costs AAA a look-up, and an honest peer starts over once or twice. */
const maxOpenings = 8;

export interface LinkSettings {
  /** How we call ourselves in challenges. */
  readonly identity: string;
  /** What we wish to receive, in octets of the information field. */
  readonly mru: number;
  /** Multilink (RFC 1990) on this one link: what we put together from fragments, in octets of an information field; undefined: none. */
  readonly mrru?: number | undefined;
  /** Whether to ask for compressed protocol, address and control fields. */
  readonly fieldCompression: boolean;
  /** The peer has to prove itself by one of these, the strongest that it speaks; empty: it need not. */
  readonly demand: ReadonlySet<Method>;
  /** How we prove ourselves when asked to; absent: we do not. */
  readonly account?: LinkAccount;
  readonly random: Random;
}

export interface LinkAccount {
  readonly name: string;
  readonly password: Password;
  readonly allow: ReadonlySet<PasswordMethod>;
}

export type LinkTimer = 'lcp' | 'authentication' | AuthenticationTimer;

/** RFC 1661 section 3.2. */
export type Phase = 'dead' | 'establish' | 'authenticate' | 'network' | 'terminate';

export type LinkEffect =
  | Send
  | Arm<LinkTimer>
  | Disarm<LinkTimer>
  | Noted
  /** LCP has opened; `ours` is what we receive, `peers` what the peer receives. */
  | ({ readonly do: 'link-up' } & LcpSides)
  /** Ask AAA, then call `verdict` with this `attempt`; by EAP once for every Response of the peer. */
  | { readonly do: 'authenticate'; readonly attempt: number; readonly credentials: Credentials }
  /** The Network phase begins: make a bundle and bring it up. `method` and `peerName` are missing if nobody had to prove anything. */
  | ({ readonly do: 'authenticated' } & Proved)
  /** A frame for the bundle. */
  | { readonly do: 'deliver'; readonly protocol: number; readonly bytes: Uint8Array }
  /** The peer rejected this protocol of the bundle. */
  | { readonly do: 'protocol-rejected'; readonly protocol: number }
  | { readonly do: 'echo-reply' }
  /** LCP has left Opened, to start over or to end: the bundle goes with it. */
  | { readonly do: 'link-down' }
  /** The last effect of a link. `message` is the peer's or AAA's own word on it. */
  | { readonly do: 'ended'; readonly cause: Cause; readonly message?: string };

type Effects = readonly LinkEffect[];

export class Link {
  readonly #settings: LinkSettings;
  readonly #lcp: Lcp;
  #phase: Phase = 'dead';
  #over = false;
  #cause: Cause | undefined;
  #message: string | undefined;
  #heard = false;
  #openings = 0;
  #attempts = 0;
  /** The attempt whose verdict is awaited. */
  #awaited: number | undefined;
  #proofs: Proofs | undefined;

  constructor(settings: LinkSettings) {
    this.#settings = settings;
    this.#lcp = new Lcp(
      {
        mru: settings.mru,
        mrru: settings.mrru,
        fieldCompression: settings.fieldCompression,
        demand: settings.demand,
        answer: settings.account?.allow ?? new Set(),
      },
      settings.random,
    );
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** What LCP has agreed, while it is open. */
  get sides(): LcpSides {
    return this.#lcp.sides;
  }

  /** The first cause of the end, once there is one. */
  get cause(): Cause | undefined {
    return this.#cause;
  }

  /** The Network phase has been reached, with this agreed by LCP: by a process before this one. Instead of `up`. */
  resume(sides: LcpSides): void {
    this.#lcp.resume(sides);
    this.#phase = 'network';
    this.#heard = true;
    this.#openings = 1;
  }

  /** The call is connected: negotiate. */
  up(): Effects {
    if (this.#phase !== 'dead' || this.#over) return [];
    this.#phase = 'establish';
    return this.#ofLcp(this.#lcp.up());
  }

  /** The call is gone: nothing can be sent any more. */
  down(): Effects {
    if (this.#over) return [];
    this.#cause ??= 'lower-down';
    return [...this.#ofLcp(this.#lcp.down()), ...this.#ended()];
  }

  /** Ends the link in order: Terminate-Request, at most two of them, then `ended`. The first cause stays. */
  close(cause: Cause, message?: string): Effects {
    if (this.#over || this.#cause !== undefined) return [];
    this.#cause = cause;
    this.#message = message;
    this.#phase = 'terminate';
    const effects = [
      ...this.#dropProofs(),
      ...this.#ofLcp(this.#lcp.close('closed', terminateText(message ?? causes[cause].text))),
    ];
    return this.#lcp.state === 'Closing' ? effects : [...effects, ...this.#ended()];
  }

  expired(timer: LinkTimer): Effects {
    if (this.#over) return [];
    switch (timer) {
      case 'lcp':
        return this.#ofLcp(this.#lcp.expired());
      case 'authentication':
        return this.#phase === 'authenticate' ? this.close('authentication-timeout') : [];
      case 'authenticator':
      case 'authenticatee':
        return this.#ofProofs(this.#proofs?.expired(timer) ?? []);
    }
  }

  /**
   * AAA's answer to the `authenticate` with the same `attempt`. An answer to an earlier one is too late: the link has started
   * over since, and what it proved then says nothing about who it claims to be now.
   */
  verdict(attempt: number, answer: Answer): Effects {
    if (attempt !== this.#awaited) return [];
    this.#awaited = undefined;
    const effects = this.#ofProofs(this.#proofs?.verdict(answer) ?? []);
    return this.#phase === 'authenticate' ? [...effects, armAuthentication] : effects;
  }

  /** Asks whether the peer is still there; it is if `echo-reply` follows. */
  echo(): Effects {
    return this.#ofLcp(this.#lcp.echo());
  }

  /** The bundle does not know `protocol`. */
  rejectProtocol(protocol: number, bytes: Uint8Array): Effects {
    return this.#ofLcp(this.#lcp.rejectProtocol(protocol, bytes));
  }

  received(protocol: number, bytes: Uint8Array): Effects {
    if (this.#over || this.#phase === 'dead') return [note('dead')];
    const first = this.#firstFrame(protocol, bytes);
    const rest = protocol === lcpProtocol ? this.#lcpReceived(bytes) : this.#otherReceived(protocol, bytes);
    return first.length === 0 ? rest : [...first, ...rest];
  }

  /**
   * The first sign of life of a peer that has not answered our request yet: it was probably not listening when we sent it, so
   * it is sent again, before the answer to this frame, because a peer in Ack-Sent takes a second copy calmly and one in
   * Opened starts over. Windows 10 would wait three seconds for the restart timer instead.
   */
  #firstFrame(protocol: number, bytes: Uint8Array): Effects {
    if (this.#heard) return [];
    this.#heard = true;
    const answers = protocol === lcpProtocol && bytes[0] !== codes.configureRequest;
    return answers ? [] : this.#ofLcp(this.#lcp.again());
  }

  #lcpReceived(bytes: Uint8Array): Effects {
    const effects = this.#ofLcp(this.#lcp.received(bytes));
    if (this.#lcp.looped) return [...effects, ...this.close('loopback')];
    if (this.#lcp.authenticationRefused) return [...effects, ...this.close('peer-refused-authentication')];
    return effects;
  }

  #otherReceived(protocol: number, bytes: Uint8Array): Effects {
    if (this.#lcp.state !== 'Opened') return [note('early')];
    const kind = protocolKind(protocol);
    if (kind === 'authentication') return this.#ofProofs(this.#proofs?.received(protocol, bytes) ?? []);
    // [RFC 1661 §3.5] Before authentication is complete all else is silently discarded.
    if (this.#phase !== 'network') return [note('early')];
    switch (kind) {
      case 'control':
        return [{ do: 'deliver', protocol, bytes }];
      case 'foreign':
        return this.rejectProtocol(protocol, bytes);
      case 'data':
        return [note('dead')];
    }
  }

  #ofLcp(effects: readonly LcpEffect[]): Effects {
    return effects.flatMap((effect) => this.#ofOneLcp(effect));
  }

  #ofOneLcp(effect: LcpEffect): Effects {
    switch (effect.do) {
      case 'send':
      case 'arm':
      case 'disarm':
      case 'note':
      case 'echo-reply':
        return [effect];
      case 'acknowledging':
        return [];
      case 'protocol-rejected':
        return this.#protocolRejected(effect.protocol);
      case 'terminate-requested':
        return this.#terminateRequested();
      case 'layer-up':
        return this.#established();
      case 'layer-down':
        return this.#left();
      case 'layer-finished':
        return this.#finished(effect.cause);
    }
  }

  /** LCP is open: whoever owes a proof gives it now. */
  #established(): Effects {
    this.#openings += 1;
    const { ours, peers } = this.#lcp.sides;
    if (this.#openings > maxOpenings) return this.close('unstable');
    const { identity, random, account, demand } = this.#settings;
    // No negotiation leads here; if one ever does, nobody gets in by it.
    if (demand.size > 0 && ours.authentication === undefined)
      return this.close('peer-refused-authentication');
    this.#phase = 'authenticate';
    const method = peers.authentication;
    const owe = method && account && { method, name: account.name, password: account.password };
    this.#proofs = new Proofs({ random, identity, demand: ours.authentication, mru: peers.mru, owe });
    return [
      { do: 'link-up', ours: { ...ours }, peers: { ...peers } },
      armAuthentication,
      ...this.#ofProofs(this.#proofs.start()),
    ];
  }

  /**
   * The open link waits in Stopping for a copy of the request. A peer that terminates while it negotiates has given up:
   * RFC 1661 would let us ask on for half a minute.
   */
  #terminateRequested(): Effects {
    if (this.#lcp.state !== 'Stopping') return this.close('peer-terminated');
    this.#cause ??= 'peer-terminated';
    this.#phase = 'terminate';
    return [];
  }

  #left(): Effects {
    this.#phase = this.#cause === undefined ? 'establish' : 'terminate';
    return [...this.#dropProofs(), { do: 'link-down' }];
  }

  #finished(cause: FinishCause): Effects {
    this.#cause ??= this.#causeOf(cause);
    return this.#ended();
  }

  #causeOf(cause: FinishCause): Cause {
    switch (cause) {
      case 'timeout':
        return this.#heard ? 'lcp-failed' : 'lcp-timeout';
      case 'terminated':
        return 'peer-terminated';
      case 'closed':
        return 'closed';
      case 'rejected':
      case 'no-convergence':
        return 'lcp-failed';
    }
  }

  #ended(): Effects {
    if (this.#over) return [];
    this.#over = true;
    this.#phase = 'dead';
    const cause = this.#cause ?? 'closed';
    const message = this.#message;
    return [
      ...this.#dropProofs(),
      message === undefined ? { do: 'ended', cause } : { do: 'ended', cause, message },
    ];
  }

  #protocolRejected(protocol: number): Effects {
    if (this.#proofs?.refusedBy(protocol)) return this.close('peer-refused-authentication');
    return this.#phase === 'network' ? [{ do: 'protocol-rejected', protocol }] : [];
  }

  #ofProofs(effects: readonly ProofEffect[]): Effects {
    return effects.flatMap((effect): Effects => {
      switch (effect.do) {
        case 'prove': {
          this.#attempts += 1;
          this.#awaited = this.#attempts;
          const { credentials } = effect;
          return [disarmAuthentication, { do: 'authenticate', attempt: this.#attempts, credentials }];
        }
        case 'proved':
          this.#phase = 'network';
          return [disarmAuthentication, { do: 'authenticated', ...effect.proved }];
        case 'failed':
          return this.close(failures[effect.cause], effect.message);
        default:
          return [effect];
      }
    });
  }

  #dropProofs(): Effects {
    if (this.#proofs === undefined) return [];
    const effects = this.#ofProofs(this.#proofs.drop());
    this.#proofs = undefined;
    this.#awaited = undefined;
    return [...effects, disarmAuthentication];
  }
}

/** What a Terminate-Request tells the peer's log: no more than fits into the smallest MRU. */
function terminateText(text: string): Uint8Array {
  return toBytes(text).subarray(0, minMru - headerBytes);
}

const armAuthentication: LinkEffect = { do: 'arm', timer: 'authentication', delayMs: authenticationMs };

const disarmAuthentication: LinkEffect = { do: 'disarm', timer: 'authentication' };

const failures: Readonly<Record<AuthenticationFailure, Cause>> = {
  refused: 'authentication-failed',
  silent: 'authentication-silent',
  'password-change': 'password-change',
  impostor: 'impostor',
};
