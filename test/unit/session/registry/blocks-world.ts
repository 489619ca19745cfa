/**
 * A service in virtual time: nodes that share pools through the model of the books, over a way on which questions
 * are late and answers are lost; nodes that crash, pause and are cut off; books that are away, frozen, emptied, and back with old data.
 */

import { type Clock, VirtualClock } from '../../../../src/base/clock.ts';
import type { Ipv4 } from '../../../../src/base/ip.ts';
import { silent } from '../../../../src/base/observe.ts';
import { below, type Random } from '../../../../src/base/random.ts';
import { Addresses } from '../../../../src/session/addresses.ts';
import type { BlockBooks, BlockTerms } from '../../../../src/session/registry/blocks.ts';
import { BlockLeases } from '../../../../src/session/registry/blocks-leases.ts';
import type { Pool } from '../../../../src/session/settings.ts';
import { ModelBooks } from './blocks-model.ts';

/** How long a node waits for an answer, in ms. */
const replyMs = 1_000;

export class World {
  readonly clock = new VirtualClock();
  readonly books: ModelBooks;
  readonly terms: BlockTerms;
  readonly random: Random;
  readonly nodes: SimulatedNode[];
  pools: readonly Pool[];
  /** `frozen`: questions wait, and have their effect at the thaw. */
  state: 'up' | 'down' | 'frozen' = 'up';
  /** Of a hundred questions so many lose their answer. */
  lossPercent = 0;
  questions = 0;
  readonly #frozen: (() => void)[] = [];

  constructor(random: Random, terms: BlockTerms, pools: readonly Pool[], names: readonly string[]) {
    this.random = random;
    this.terms = terms;
    this.pools = pools;
    this.books = new ModelBooks(terms);
    this.nodes = names.map((name) => new SimulatedNode(this, name));
  }

  configure(pools: readonly Pool[]): void {
    this.pools = pools;
    for (const node of this.nodes) node.configure();
  }

  /** The way of one question, whose effect is `act`. */
  carry<A>(node: SimulatedNode, act: () => A, answer: (answer: A | undefined) => void): void {
    this.questions += 1;
    const reply = node.deferred(answer);
    const late = this.clock.arm(replyMs, () => reply(undefined));
    if (!node.isReachable || this.state === 'down') return;
    const execute = () => {
      if (this.state === 'down') return;
      if (this.state === 'frozen') return void this.#frozen.push(execute);
      const answered = act();
      if (below(this.random, 100) < this.lossPercent || !node.isReachable) return;
      this.clock.arm(below(this.random, 5), () => {
        late.cancel();
        reply(answered);
      });
    };
    const isLate = below(this.random, 100) < this.lossPercent;
    this.clock.arm(isLate ? below(this.random, 20_000) : below(this.random, 5), execute);
  }

  /** Back, with or without its data. All nodes are within reach, and say what they have. */
  return(state: 'up'): void {
    const wasFrozen = this.state === 'frozen';
    this.state = state;
    for (const execute of this.#frozen.splice(0)) if (wasFrozen) execute();
    for (const node of this.nodes) node.reconnected();
  }

  /** Addresses that two sessions have, with who has them. */
  doubles(): readonly string[] {
    const seen = new Map<Ipv4, string>();
    return this.nodes.flatMap((node) =>
      [...node.sessions].flatMap(([holder, address]) => {
        const other = seen.get(address);
        seen.set(address, holder);
        return other === undefined ? [] : [`${address}: ${other} and ${holder}`];
      }),
    );
  }

  get sessions(): number {
    return this.nodes.reduce((total, node) => total + node.sessions.size, 0);
  }
}

export class SimulatedNode {
  readonly name: string;
  readonly sessions = new Map<string, Ipv4>();
  isReachable = true;
  isPaused = false;
  /** Sessions that had to end because another node had their address. */
  lost = 0;
  leases!: BlockLeases;
  addresses!: Addresses;
  readonly #world: World;
  #boot = 0;
  #calls = 0;
  readonly #deferred: (() => void)[] = [];

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    this.boot();
  }

  /** A process begins: it knows nothing, and no session is alive of the one before. */
  boot(): void {
    const { random, terms } = this.#world;
    this.#boot += 1;
    this.#deferred.length = 0;
    this.isPaused = false;
    this.sessions.clear();
    const leases: BlockLeases = new BlockLeases({
      clock: this.#clock(),
      random,
      log: silent,
      terms,
      books: this.#books(),
      usedIn: (range) => addresses.usedIn(range),
      lost: (range) => {
        for (const holder of addresses.drawersIn(range)) {
          this.lost += 1;
          this.hangUp(holder);
        }
      },
    });
    const addresses: Addresses = new Addresses({ random, leases });
    this.leases = leases;
    this.addresses = addresses;
    this.configure();
    leases.begin();
  }

  configure(): void {
    this.addresses.configure(this.#world.pools);
    this.leases.configure(this.#world.pools);
  }

  /** A caller comes: true if there was an address for him. */
  call(pool: string): boolean {
    if (this.isPaused) return false;
    const holder = `${this.name}@${this.#boot}:${this.#calls++}`;
    const address = this.addresses.takeRemote({ pool }, holder, holder);
    if (typeof address !== 'number') return false;
    this.sessions.set(holder, address);
    return true;
  }

  hangUp(holder: string): void {
    this.addresses.release(holder);
    this.sessions.delete(holder);
  }

  resume(): void {
    this.isPaused = false;
    for (const what of this.#deferred.splice(0)) what();
  }

  reconnected(): void {
    this.isReachable = true;
    this.resume();
    this.leases.online();
  }

  /** What happens to this process: later if it is paused, never if it is dead. */
  deferred<A extends readonly unknown[]>(what: (...args: A) => void): (...args: A) => void {
    const boot = this.#boot;
    return (...args) => {
      const happen = () => {
        if (boot === this.#boot) what(...args);
      };
      if (this.isPaused) this.#deferred.push(happen);
      else happen();
    };
  }

  #clock(): Clock {
    const { clock } = this.#world;
    return {
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      arm: (delayMs, fire) => clock.arm(delayMs, this.deferred(fire)),
    };
  }

  #books(): BlockBooks {
    const { clock, books } = this.#world;
    const owner = `${this.name}@${this.#boot}`;
    const carry: World['carry'] = (node, act, answer) => this.#world.carry(node, act, answer);
    return {
      keep: (blocks, held, answer) =>
        carry(this, () => books.keep(owner, clock.nowMs(), blocks, held), answer),
      lease: (wish, answer) => carry(this, () => books.lease(owner, clock.nowMs(), wish), answer),
      take: (whose, answer) => carry(this, () => books.take(owner, clock.nowMs(), whose), answer),
      give: (blocks, answer) =>
        carry(
          this,
          () => books.give(owner, blocks),
          () => answer(true),
        ),
    };
  }
}
