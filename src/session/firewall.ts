/**
 * What sessions have in nftables: filters, and the places of their users in address lists. Enter: the plan of each session,
 * as often as it changes, and what the kernel answered. Leave: transactions, and `done` or what is in the way, in words that
 * an operator can act on. One thing is done at a time, in the order asked for.
 *
 * Who asks for nothing causes nothing: on a kernel without nftables only those sessions fail that need it. When somebody
 * else flushes the whole ruleset, as the reload of a firewall often does, the next transaction finds our table gone, and
 * everything is made again.
 */

import { toText } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import type { Log } from '../base/observe.ts';
import { type EventOf, messageBytesMax } from '../datapath/contract.ts';
import {
  type ElementName,
  elementsOf,
  type FilterPlan,
  filterDifference,
  isSayable,
} from '../net/filter-plan.ts';
import { expectFrame, isList, makeFrame, setOfList } from '../net/filter-table.ts';
import { encodeNftables, type NftablesRequest, setsIn } from '../net/nftables.ts';
import { errorNumbers, refusalText } from './firewall-refusals.ts';
import type { Outcome } from './session-interface.ts';
import type { Switchboard } from './switchboard.ts';

interface Wish {
  readonly holder: string;
  readonly plan: FilterPlan | undefined;
  readonly done: Outcome;
  /** Everything was made again because of this wish: it is not to happen twice. */
  readonly isSecondAttempt?: true;
}

type Answer = EventOf<'netlink-done'>;

/** The contract carries no longer message, with room for its own words. */
const transactionBytesMax = messageBytesMax - 64;

export class Firewall {
  readonly #switchboard: Pick<Switchboard, 'netlink'>;
  readonly #log: Log;
  /** What the kernel has, by who wanted it. */
  readonly #plans = new Map<string, FilterPlan>();
  /** How many want each element. */
  readonly #holders = new Map<ElementName, number>();
  readonly #wishes: Wish[] = [];
  /** Of a process before this one; empty once `start` has seen to them. */
  readonly #resumed: Wish[] = [];
  /** The kernel has a transaction of ours. */
  #isAsking = false;
  #isGoingOn = false;
  /** Our chains and maps are there, as far as we know. */
  #stands = false;

  constructor(switchboard: Pick<Switchboard, 'netlink'>, log: Log) {
    this.#switchboard = switchboard;
    this.#log = log;
  }

  /** The kernel has this of a process before this one, and is to have it on: `start` sees to it. */
  resume(holder: string, plan: FilterPlan, done: Outcome): void {
    this.#resumed.push({ holder, plan, done });
  }

  /**
   * Empties our part of the table of what a process before this one left, if there is a table, but for what was resumed; what is
   * wished for meanwhile waits. Call it when the engine is there and before any new session is.
   */
  start(done: () => void): void {
    const ready = (): void => {
      this.#wishes.unshift(...this.#resumed.splice(0));
      done();
      this.#goOn();
    };
    this.#ask([{ request: 'list-sets' }], ({ errno, text }) => {
      // No table, or no nftables at all: nobody has left anything.
      if (errno !== 0) return ready();
      const sets = setsIn(text);
      if (sets instanceof Malformed) {
        this.#log('warning', 'firewall', `the sets of nftables cannot be read: ${sets}`);
        return ready();
      }
      const lists = sets.filter(isList).map((set) => ({ request: 'empty-set', set }) as const);
      const empty = [...makeFrame(), ...lists];
      this.#makeWithResumed(
        empty,
        () =>
          this.#make(empty, (trouble) => {
            if (trouble !== undefined)
              this.#log(
                'warning',
                'firewall',
                `nftables may hold what is left of former sessions: ${trouble}`,
              );
            ready();
          }),
        ready,
      );
    });
  }

  /** In one transaction, so that nobody is without his filters for a moment. `refused`: each has to be asked for alone. */
  #makeWithResumed(empty: readonly NftablesRequest[], refused: () => void, ready: () => void): void {
    const made = new Set<ElementName>();
    const requests = this.#resumed.flatMap(({ plan }) => {
      const fresh = filterDifference(undefined, plan, (name) => made.has(name));
      for (const name of elementsOf(plan).keys()) made.add(name);
      return fresh;
    });
    const isWhole = this.#resumed.every(({ plan }) => unsayableIn(plan) === undefined);
    const whole = [...empty, ...requests];
    if (requests.length === 0 || !isWhole || encodeNftables(whole).length > transactionBytesMax)
      return refused();
    this.#make(whole, (trouble) => {
      if (trouble !== undefined) return refused();
      for (const wish of this.#resumed.splice(0)) this.#hold(wish);
      ready();
    });
  }

  /**
   * Leads the kernel from what `holder` had to `plan`, at once and whole; absent, or without filters and lists, it has nothing
   * any more. On trouble it has what it had before.
   */
  follow(holder: string, plan: FilterPlan | undefined, done: Outcome): void {
    this.#wishes.push({ holder, plan, done });
    this.#goOn();
  }

  /** Wishes are many when a node starts: those that are fulfilled without the kernel go round in the loop. */
  #goOn(): void {
    if (this.#isGoingOn || this.#resumed.length > 0) return;
    this.#isGoingOn = true;
    while (!this.#isAsking) {
      const wish = this.#wishes.shift();
      if (wish === undefined) break;
      this.#fulfil(wish);
    }
    this.#isGoingOn = false;
  }

  #fulfil(wish: Wish): void {
    const before = this.#plans.get(wish.holder);
    const wrong = unsayableIn(wish.plan);
    if (wrong !== undefined) return this.#settle(wish, wrong);
    const requests = filterDifference(before, wish.plan, (name) => this.#isHeldBeside(before, name));
    if (requests.length === 0) return this.#hold(wish);
    if (!this.#stands) {
      return this.#make(makeFrame(), (trouble) =>
        trouble === undefined ? this.#fulfil(wish) : this.#settle(wish, trouble),
      );
    }
    this.#ask([expectFrame, ...requests], (answer) => {
      const refused = [expectFrame, ...requests][answer.performed];
      if (answer.errno === 0) this.#hold(wish);
      else if (isLoss(answer, refused) && wish.isSecondAttempt === undefined) this.#makeAgain(wish);
      else this.#settle(wish, refusalText(refused, answer.errno, toText(answer.text)));
    });
  }

  /** The wish is the kernel's state now. */
  #hold(wish: Wish): void {
    const { holder, plan } = wish;
    const after = elementsOf(plan);
    for (const name of elementsOf(this.#plans.get(holder)).keys()) this.#count(name, -1);
    for (const name of after.keys()) this.#count(name, 1);
    if (plan !== undefined && after.size > 0) this.#plans.set(holder, plan);
    else this.#plans.delete(holder);
    this.#settle(wish, undefined);
  }

  #settle({ done }: Wish, trouble: string | undefined): void {
    done(trouble);
    this.#goOn();
  }

  /** Somebody has flushed what we had. Everybody's plan becomes a wish again, then `wish` has another attempt. */
  #makeAgain(wish: Wish): void {
    const lost = [...this.#plans];
    this.#log(
      'warning',
      'firewall',
      'the nftables table ip pptp was emptied by somebody else; it is made again',
      {
        sessions: lost.length,
      },
    );
    this.#plans.clear();
    this.#holders.clear();
    this.#stands = false;
    const again = lost.map(
      ([holder, plan]): Wish => ({
        holder,
        plan,
        done: (trouble) => {
          if (trouble !== undefined) this.#log('error', 'firewall', `${plan.linkName}: ${trouble}`);
        },
        isSecondAttempt: true,
      }),
    );
    this.#wishes.unshift(...again, { ...wish, isSecondAttempt: true });
    this.#goOn();
  }

  #make(requests: readonly NftablesRequest[], made: Outcome): void {
    this.#ask(requests, ({ errno, performed, text }) => {
      this.#stands = errno === 0;
      made(errno === 0 ? undefined : refusalText(requests[performed], errno, toText(text)));
    });
  }

  #ask(requests: readonly NftablesRequest[], answered: (answer: Answer) => void): void {
    this.#isAsking = true;
    this.#switchboard.netlink(encodeNftables(requests), (answer) => {
      this.#isAsking = false;
      answered(answer);
    });
  }

  /** Whether anybody else than the holder of `own` wants the element. */
  #isHeldBeside(own: FilterPlan | undefined, name: ElementName): boolean {
    return (this.#holders.get(name) ?? 0) > (elementsOf(own).has(name) ? 1 : 0);
  }

  #count(name: ElementName, by: number): void {
    const count = (this.#holders.get(name) ?? 0) + by;
    if (count > 0) this.#holders.set(name, count);
    else this.#holders.delete(name);
  }
}

/** Whether something is missing that we had made: the operator's chains are not ours to miss. */
function isLoss({ errno }: Answer, refused: NftablesRequest | undefined): boolean {
  return errno === errorNumbers.ENOENT && refused?.request !== 'add-jump';
}

function unsayableIn(plan: FilterPlan | undefined): string | undefined {
  if (plan === undefined) return undefined;
  const { filters, addressLists } = plan;
  const chain = [filters.incoming, filters.outgoing].find((name) => name !== undefined && !isSayable(name));
  if (chain !== undefined) return `filter "${chain}": nftables has no chain of such a name`;
  const list = addressLists.find((name) => !isSayable(setOfList(name)));
  if (list === undefined) return undefined;
  return `address list "${list}": a set of nftables cannot have such a name; use letters, digits and . _ - /`;
}
