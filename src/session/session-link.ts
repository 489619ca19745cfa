/**
 * The link of a session on the engine's wire: performs what the machine of ppp/link.ts says, keeps its deadlines, asks a silent peer
 * whether it is there, and hands what concerns the session to its owner. Enter: frames, the engine's word of silence, what the session
 * wants of its peer. Leave: frames, `call-framing`, news. Knows no user and no address.
 */

import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { framing } from '../datapath/contract.ts';
import type { Cause } from '../ppp/cause.ts';
import type { LcpSides } from '../ppp/lcp/lcp.ts';
import { Link, type LinkEffect, type LinkTimer } from '../ppp/link.ts';
import { Echoes } from './echoes.ts';
import { Effects } from './effects.ts';
import type { Authenticated, Party } from './party.ts';
import type { SessionCall } from './session-call.ts';
import { pppTally } from './tally.ts';
import { Timers } from './timers.ts';

/** What the owner of a link is told. */
export interface LinkOwner {
  /** LCP is open. */
  up(): void;
  /** The Network phase begins. */
  authenticated(effect: Authenticated): void;
  /** A frame of it. */
  deliver(protocol: number, information: Uint8Array): void;
  /** The peer does not speak this protocol of it. */
  protocolRejected(protocol: number): void;
  /** LCP has left Opened, to start over or, with a cause, to end. */
  down(cause: Cause | undefined): void;
  /** The last news. `message` is the peer's or AAA's own word on it. */
  ended(cause: Cause, message: string): void;
}

export class SessionLink {
  readonly #call: SessionCall;
  readonly #party: Pick<Party, 'link' | 'maxMtu' | 'judge'>;
  readonly #clock: Clock;
  readonly #owner: LinkOwner;
  readonly #machine: Link;
  readonly #effects: Effects<LinkEffect>;
  readonly #timers: Timers<LinkTimer>;
  readonly #echoes = new Echoes();
  #packetBytesMax = 0;

  constructor(
    call: SessionCall,
    party: Pick<Party, 'link' | 'maxMtu' | 'judge'>,
    { clock, random }: { readonly clock: Clock; readonly random: Random },
    owner: LinkOwner,
  ) {
    this.#call = call;
    this.#party = party;
    this.#clock = clock;
    this.#owner = owner;
    this.#machine = new Link({ ...party.link, random });
    this.#effects = new Effects((effect) => this.#perform(effect));
    this.#timers = new Timers(clock);
  }

  /** Octets of the largest packet that it carries in clear; 0 before it has been up. */
  get packetBytesMax(): number {
    return this.#packetBytesMax;
  }

  /** What LCP has agreed, while it is open. */
  get sides(): LcpSides {
    return this.#machine.sides;
  }

  up(): void {
    this.#effects.run(this.#machine.up());
  }

  /** It is up since a process before this one. Instead of `up`. */
  resume(sides: LcpSides, packetBytesMax: number): void {
    this.#machine.resume(sides);
    this.#packetBytesMax = packetBytesMax;
  }

  received(protocol: number, information: Uint8Array): void {
    this.#effects.run(this.#machine.received(protocol, information));
  }

  /** Nothing has come for the `probe`th time: true if the peer is asked once more, false if it is given up. */
  silent(probe: number): boolean {
    const isAsked = this.#echoes.silent(probe, this.#clock.nowMs());
    if (isAsked) this.#effects.run(this.#machine.echo());
    return isAsked;
  }

  rejectProtocol(protocol: number, information: Uint8Array): void {
    this.#effects.run(this.#machine.rejectProtocol(protocol, information));
  }

  /** Says goodbye to the peer. */
  close(cause: Cause, text: string): void {
    this.#effects.run(this.#machine.close(cause, text));
  }

  /** There is no wire any more. */
  down(): void {
    this.#effects.run(this.#machine.down());
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.#timers.disarmAll();
  }

  #perform(effect: LinkEffect): void {
    switch (effect.do) {
      case 'send':
        return this.#call.sendFrame(effect.protocol, effect.bytes);
      case 'arm':
        return this.#timers.arm(effect.timer, effect.delayMs, () =>
          this.#effects.run(this.#machine.expired(effect.timer)),
        );
      case 'disarm':
        return this.#timers.disarm(effect.timer);
      case 'note':
        return pppTally.add(effect.what);
      case 'link-up':
        return this.#up(effect);
      case 'authenticate':
        return this.#party.judge(effect.credentials, (answer) =>
          this.#effects.run(this.#machine.verdict(effect.attempt, answer)),
        );
      case 'authenticated':
        return this.#owner.authenticated(effect);
      case 'deliver':
        return this.#owner.deliver(effect.protocol, effect.bytes);
      case 'protocol-rejected':
        return this.#owner.protocolRejected(effect.protocol);
      case 'echo-reply':
        return this.#echoes.answered(this.#clock.nowMs());
      case 'link-down':
        return this.#owner.down(this.#machine.cause);
      case 'ended':
        return this.#owner.ended(effect.cause, effect.message ?? '');
    }
  }

  #up({ peers, ours }: LcpSides): void {
    const { maxMtu, link } = this.#party;
    const frameBytesMax = Math.min(maxMtu, peers.mru);
    const mayCut = peers.mrru !== undefined && link.mrru !== undefined;
    const cutFrom = mayCut ? Math.min(peers.mrru, link.mrru) : 0;
    this.#packetBytesMax = Math.max(frameBytesMax, cutFrom);
    this.#call.command({
      kind: 'call-framing',
      call: this.#call.place.call,
      flags:
        (peers.addressAndControlFieldCompression ? framing.addressControl : 0) |
        (peers.protocolFieldCompression ? framing.protocolField : 0) |
        (peers.shortSequenceNumbers ? framing.shortSequence : 0),
      peerMru: peers.mru,
      ourMagic: ours.magic,
      peerMagic: peers.magic,
      frameBytesMax: mayCut ? frameBytesMax : 0,
      mrru: ours.mrru ?? 0,
    });
    this.#owner.up();
  }
}
