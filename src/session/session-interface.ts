/**
 * The interface of one session: made by name, brought from plan to plan by differences, removed. Enter: wishes of the Network
 * phase and the engine's answers. Leave: commands, and `done` or what the kernel had against it. The engine may take its time
 * with an interface: a wish that comes before the answer waits for it.
 */

import { toText } from '../base/bytes.ts';
import { encodeRequests } from '../net/netlink.ts';
import { difference, type Plan } from '../net/plan.ts';
import type { LinkHandles } from './call-ids.ts';
import { errorName } from './errno.ts';
import type { LinkEvent, Switchboard } from './switchboard.ts';

/** What became of a wish: undefined is success, a text the operation and the kernel's error. */
export type Outcome = (trouble: string | undefined) => void;

/** An interface that a process before this one had made. */
export interface StandingInterface {
  /** The engine's handle, and the kernel's number. */
  readonly link: number;
  readonly interfaceIndex: number;
  /** What the kernel was told of it. */
  readonly plan: Plan | undefined;
}

export class SessionInterface {
  readonly name: string;
  readonly #switchboard: Switchboard;
  readonly #links: LinkHandles;
  readonly #link: number;
  #state: 'opening' | 'open' | 'gone' = 'opening';
  #index = 0;
  #plan: Plan | undefined;
  /** What to do when it is open; a newer wish replaces an older one that nobody has begun with. */
  #opened: Outcome = () => {};
  #closed: (() => void) | undefined;
  #wanted: () => void = () => {};

  /** Has the engine make it; `follow` tells what became of that. One that is `standing` there already is taken as it is. */
  constructor(name: string, switchboard: Switchboard, links: LinkHandles, standing?: StandingInterface) {
    this.name = name;
    this.#switchboard = switchboard;
    this.#links = links;
    const sink = (event: LinkEvent) => this.#received(event);
    if (standing === undefined) {
      this.#link = links.take();
      switchboard.openLink(this.#link, name, sink);
      return;
    }
    this.#link = standing.link;
    this.#state = 'open';
    this.#index = standing.interfaceIndex;
    this.#plan = standing.plan;
    links.hold(this.#link);
    switchboard.adoptLink(this.#link, sink);
  }

  /** The engine's handle. */
  get link(): number {
    return this.#link;
  }

  /** What the kernel was told last. */
  get plan(): Plan | undefined {
    return this.#plan;
  }

  /** Leads the kernel from the plan before to this one; absent, the plan before stays. `done` when the interface is so. */
  follow(plan: Plan | undefined, done: Outcome): void {
    if (this.#state !== 'opening') return this.#follow(plan, done);
    this.#opened = (trouble) => (trouble === undefined ? this.#follow(plan, done) : done(trouble));
  }

  /** `wanted` is called when the host sends a packet out of it, which waits for a call; once, and only while it is open. */
  watch(wanted: () => void): void {
    this.#wanted = wanted;
    if (this.#state === 'open') this.#switchboard.send({ kind: 'link-watch', link: this.#link });
  }

  /** Removes it; its addresses and routes go with it. `closed` is called when its name is free. */
  close(closed: () => void): void {
    if (this.#state === 'gone') return closed();
    this.#closed = closed;
    if (this.#state === 'open') this.#switchboard.send({ kind: 'link-close', link: this.#link });
  }

  #follow(plan: Plan | undefined, done: Outcome): void {
    const requests = plan === undefined ? [] : difference(this.#plan, plan, this.#index);
    if (requests.length === 0) return done(undefined);
    this.#plan = plan;
    this.#switchboard.netlink(encodeRequests(requests), ({ errno, performed, text }) => {
      const failed = requests[performed]?.request ?? 'netlink';
      done(errno === 0 ? undefined : `${failed}: ${errorName(errno)} ${toText(text)}`.trimEnd());
    });
  }

  #received(event: LinkEvent): void {
    if (event.kind === 'link-closed') return this.#gone();
    if (event.kind === 'link-wanted') return this.#wanted();
    if (event.errno !== 0) {
      this.#gone();
      return this.#opened(`making ${this.name}: ${errorName(event.errno)}`);
    }
    this.#state = 'open';
    this.#index = event.interfaceIndex;
    if (this.#closed !== undefined) this.close(this.#closed);
    else this.#opened(undefined);
  }

  #gone(): void {
    this.#state = 'gone';
    this.#links.release(this.#link);
    this.#closed?.();
  }
}
