/**
 * The port of a session in a bridge of the host (RFC 3518): a TAP, which the engine makes and joins to the bridge when BCP first opens.
 * It is up, and has the session's call, while BCP is; it stays in the bridge, down, while LCP starts over, and goes with the
 * session. Enter: BCP's coming and going, the engine's answers. Leave: commands, and what became of it. Knows no PPP.
 */

import type { Command } from '../datapath/contract.ts';
import { encodeRequests } from '../net/netlink.ts';
import type { LinkHandles } from './call-ids.ts';
import { errorName } from './errno.ts';
import type { LinkEvent, Switchboard } from './switchboard.ts';

/** Which bridge, and what its port is called, which is nobody else's name. */
export interface BridgeTerms {
  readonly bridge: string;
  readonly portName: string;
}

/** What passes: octets of the largest packet in a frame, `attach` and `takes` of the contract. */
export interface BridgePassage {
  readonly mtu: number;
  readonly flags: number;
  readonly takes: number;
}

/** A port that a process before this one had made: the engine's handle, and the kernel's number. */
export interface StandingPort {
  readonly link: number;
  readonly interfaceIndex: number;
}

export interface BridgePortOwner {
  /** A command about the call, to be performed while the engine holds it. */
  command(command: Command): void;
  /** Frames pass. */
  joined(): void;
  /** They pass no more. */
  left(): void;
  /** They will not: the engine or the kernel refused the port. */
  refused(trouble: string, hint: string): void;
}

export class BridgePort {
  readonly #call: number;
  readonly #terms: BridgeTerms;
  readonly #services: { readonly switchboard: Switchboard; readonly links: LinkHandles };
  readonly #owner: BridgePortOwner;
  #state: 'absent' | 'opening' | 'open' = 'absent';
  #link = 0;
  #index = 0;
  /** What is to pass; undefined while BCP is not open. */
  #wanted: BridgePassage | undefined;
  #closed: (() => void) | undefined;

  constructor(
    call: number,
    terms: BridgeTerms,
    services: { readonly switchboard: Switchboard; readonly links: LinkHandles },
    owner: BridgePortOwner,
  ) {
    this.#call = call;
    this.#terms = terms;
    this.#services = services;
    this.#owner = owner;
  }

  /** Frames pass, over a port that is there; undefined: it is there, and down. Instead of the first `up`. */
  resume({ link, interfaceIndex }: StandingPort, passage: BridgePassage | undefined): void {
    const { switchboard, links } = this.#services;
    this.#state = 'open';
    this.#link = link;
    this.#index = interfaceIndex;
    this.#wanted = passage;
    links.hold(link);
    switchboard.adoptLink(link, (event) => this.#received(event));
  }

  /** Frames are to pass. */
  up(passage: BridgePassage): void {
    this.#wanted = passage;
    if (this.#state === 'open') this.#join(passage);
    if (this.#state !== 'absent') return;
    const { switchboard, links } = this.#services;
    const { bridge, portName } = this.#terms;
    this.#state = 'opening';
    this.#link = links.take();
    switchboard.openLink(this.#link, portName, (event) => this.#received(event), bridge);
  }

  /** No more frames, until `up` comes again. */
  down(): void {
    if (this.#wanted === undefined) return;
    this.#wanted = undefined;
    this.#owner.command({ kind: 'call-bridge', call: this.#call, link: 0, flags: 0, takes: 0 });
    if (this.#state === 'open') this.#set({ up: false }, () => {});
    this.#owner.left();
  }

  /** Takes it out of the bridge and away; `closed` is called when its name is free. */
  close(closed: () => void): void {
    if (this.#state === 'absent') return closed();
    this.#closed = closed;
    if (this.#state === 'open') this.#services.switchboard.send({ kind: 'link-close', link: this.#link });
  }

  #received(event: LinkEvent): void {
    if (event.kind === 'link-closed') return this.#gone();
    if (event.kind !== 'link-opened') return;
    if (event.errno !== 0) {
      this.#gone();
      return this.#refused(event.errno);
    }
    this.#state = 'open';
    this.#index = event.interfaceIndex;
    if (this.#closed !== undefined) this.close(this.#closed);
    else if (this.#wanted !== undefined) this.#join(this.#wanted);
  }

  /** The bridge hears of the port when the peer is there: not before it can forward. */
  #join(passage: BridgePassage): void {
    const { mtu, ...how } = passage;
    this.#owner.command({ kind: 'call-bridge', call: this.#call, link: this.#link, ...how });
    this.#set({ up: true, mtu }, (trouble) => {
      if (this.#wanted !== passage) return;
      if (trouble === undefined) this.#owner.joined();
      else this.#owner.refused(trouble, '');
    });
  }

  #set(change: { readonly up: boolean; readonly mtu?: number }, done: (trouble?: string) => void): void {
    const request = { request: 'set-link', interfaceIndex: this.#index, ...change } as const;
    this.#services.switchboard.netlink(encodeRequests([request]), ({ errno }) =>
      done(errno === 0 ? undefined : `setting ${this.#terms.portName}: ${errorName(errno)}`),
    );
  }

  #refused(errno: number): void {
    const { bridge, portName } = this.#terms;
    switch (errorName(errno)) {
      case 'ENODEV':
        return this.#owner.refused(
          `there is no bridge ${bridge}`,
          'Make it on the host, or clear bridge of the profile.',
        );
      case 'EOPNOTSUPP':
        return this.#owner.refused(`${bridge} is not a bridge`, 'Name a Linux bridge in the profile.');
      default:
        return this.#owner.refused(`making ${portName} in ${bridge}: ${errorName(errno)}`, '');
    }
  }

  #gone(): void {
    this.#state = 'absent';
    this.#services.links.release(this.#link);
    this.#closed?.();
  }
}
