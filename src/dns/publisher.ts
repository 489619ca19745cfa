/**
 * Keeps this node's address under the service's name while it wants callers, and that of dead nodes away from it. Facts of this
 * node and of the service are read once a second; what the name server is to be asked and told leaves through transaction.ts.
 *
 * There is one move, and everything is made of it: look what stands under the name, judge, change what is wrong. It is made when
 * the node's mind changes, when another node is given up, and now and then, because zones are edited by others as well.
 * Pure but for its ports.
 */

import type { Clock, Timer } from '../base/clock.ts';
import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import { type Log, type Tally, tally } from '../base/observe.ts';
import { below, type Random } from '../base/random.ts';
import { type Message, rcodes } from './message.ts';
import { addressesIn, type Change, changed, judge, lookUp, type Place, rcodeName, update } from './rrset.ts';
import { type OpenLine, type Outcome, type Request, Transaction } from './transaction.ts';
import type { Key } from './tsig.ts';

export interface PublisherPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly openLine: OpenLine;
  /** Whether this node wants callers: ready, healthy, neither full nor draining. Asked often. */
  isWanted(): boolean;
  /** Addresses of nodes that the service has given up; nobody while this node is cut off from the service and cannot know. */
  deadAddresses(): Iterable<Ipv4>;
}

/** `unknown`: the name server has not answered yet. */
export type PublisherState = 'unknown' | 'published' | 'withdrawn';

export interface PublisherMonitor {
  readonly state: PublisherState;
  /** What stood under the name when it was last seen. */
  readonly addresses: readonly Ipv4[];
  /** Why the last move came to nothing, such as `REFUSED`; undefined if it did not. */
  readonly failure: string | undefined;
}

const counted = {
  published: 'times that this node added its address',
  withdrawn: 'times that this node took its address away',
  restored: 'times that this node found its address missing',
  buried: 'addresses of dead nodes that this node took away',
  overtaken: 'changes that came to nothing because the name had changed meanwhile',
  failed: 'moves that the name server did not answer or refused',
} as const;

export type PublisherEvent = keyof typeof counted;

export const publisherTally = (): Tally<PublisherEvent> => tally('dns-publisher', counted);

/** How often facts are read, in ms: cheap, and prompt enough beside any TTL. */
const tickMs = 1_000;

/** How often the name is looked at without an occasion, in ms: a record that somebody has removed is missed as long as a TTL. */
const lookIntervalMs = 60_000;

/** All nodes see a death at once; the first to move spares the others the work, in ms. */
const burialSpreadMs = 3_000;

/** Between attempts that fail, in ms, twice as long each time: a name server that restarts, and one that is gone. */
const retryMs = { first: 5_000, longest: 300_000 } as const;

/** How long the end waits for the name server, in ms: an end as a whole has five seconds. */
const closeMs = 3_000;

/** What an operator can do about a failure. */
const hints: Readonly<Record<string, string>> = {
  alias: 'The name has a CNAME record: remove it, or publish another name.',
  silence: 'Is dns-server right, and does a firewall let UDP and TCP through to it?',
  unsigned: 'The server does not sign its replies: does it know TSIG and this key?',
  REFUSED: "The server's policy must let the key query the name and update its A records.",
  NOTAUTH: 'The server is not the primary of the zone: set zone and dns-server.',
  NOTZONE: 'The name is not in the zone.',
  NOTIMP: 'The server takes no dynamic updates.',
  SERVFAIL: 'The server could not write its zone: its own log says why.',
  BADKEY: 'The server does not know the key: set key-name and key-algorithm as they are there.',
  BADSIG: 'The key differs from the one that the server has under this name.',
  BADTIME: 'The clocks of this node and of the server are more than five minutes apart.',
};

export class Publisher {
  readonly tally: Tally<PublisherEvent>;
  readonly #place: Place;
  readonly #key: Key;
  readonly #ports: PublisherPorts;
  #tick: Timer | undefined;
  #transaction: Transaction | undefined;
  /** Undefined: not seen yet. */
  #present: readonly Ipv4[] | undefined;
  /** The dead whom a move has seen to. */
  #accounted: readonly Ipv4[] = [];
  /** Whether callers were wanted when the last move began. */
  #movedFor: boolean | undefined;
  #lookAtMs = 0;
  /** Until then it stays away: it left a moment ago. */
  #restUntilMs = 0;
  #wasWanted = false;
  #failures = 0;
  #failure: string | undefined;

  constructor(place: Place, key: Key, ports: PublisherPorts, counts = publisherTally()) {
    this.tally = counts;
    this.#place = place;
    this.#key = key;
    this.#ports = ports;
  }

  get monitor(): PublisherMonitor {
    const isPresent = this.#present?.includes(this.#place.address);
    const state = isPresent === undefined ? 'unknown' : isPresent ? 'published' : 'withdrawn';
    return { state, addresses: this.#present ?? [], failure: this.#failure };
  }

  /** Moves now, and from now on whenever there is reason to. */
  begin(): void {
    this.#tick = this.#ports.clock.arm(tickMs, () => this.begin());
    this.review();
  }

  /** Reads the facts, and moves if there is reason to. Nobody has to call it, but who knows that they changed saves a second. */
  review(): void {
    const nowMs = this.#ports.clock.nowMs();
    const isWanted = this.#isWanted(nowMs);
    if (this.#tick === undefined || this.#transaction !== undefined) return;
    const dead = new Set(this.#ports.deadAddresses());
    // What lives again may die again.
    this.#accounted = this.#accounted.filter((address) => dead.has(address));
    if (this.#failure === undefined && this.#accounted.length < dead.size) {
      this.#lookAtMs = Math.min(this.#lookAtMs, nowMs + below(this.#ports.random, burialSpreadMs));
    }
    if (nowMs >= this.#lookAtMs || isWanted !== this.#movedFor) this.#look(isWanted, dead);
  }

  /** Takes its address away for good. `done` is called within `closeMs`, whatever the name server does. */
  close(done: () => void): void {
    this.#tick?.cancel();
    this.#tick = undefined;
    const isUnderWay = this.#transaction !== undefined;
    this.#transaction?.cancel();
    if (!isUnderWay && this.monitor.state === 'withdrawn') {
      done();
      return;
    }
    const over = (): void => {
      patience.cancel();
      this.#transaction?.cancel();
      this.#transaction = undefined;
      done();
    };
    const patience = this.#ports.clock.arm(closeMs, over);
    const { address } = this.#place;
    this.#ask(update({ add: [], remove: [address] }, this.#place), over);
  }

  /** A node that goes comes back no sooner than caches have forgotten it: at the brink of full it would come and go. */
  #isWanted(nowMs: number): boolean {
    const isWanted = this.#ports.isWanted();
    if (this.#wasWanted && !isWanted) this.#restUntilMs = nowMs + this.#place.ttlMs;
    this.#wasWanted = isWanted;
    return isWanted && nowMs >= this.#restUntilMs;
  }

  #look(isWanted: boolean, dead: ReadonlySet<Ipv4>): void {
    this.#movedFor = isWanted;
    this.#ask(lookUp(this.#place), (outcome) => {
      const present = outcome.kind === 'answered' ? addressesIn(outcome.message, this.#place) : outcome.why;
      if (typeof present === 'string') {
        this.#failed(present);
        return;
      }
      const isMissing = this.monitor.state === 'published' && !present.includes(this.#place.address);
      if (isMissing && isWanted) this.#restored();
      this.#present = present;
      const change = judge(present, this.#place, isWanted, dead);
      if (change === undefined) this.#settled(dead);
      else this.#change(change, present, dead);
    });
  }

  #change(change: Change, present: readonly Ipv4[], dead: ReadonlySet<Ipv4>): void {
    this.#ask(update(change, this.#place), (outcome) => {
      if (outcome.kind === 'failed') {
        this.#failed(outcome.why);
        return;
      }
      const { rcode }: Message = outcome.message;
      if (rcode === rcodes.rrsetIsNotThere && change.provided !== undefined) {
        this.tally.add('overtaken');
        this.#lookAtMs = this.#ports.clock.nowMs() + below(this.#ports.random, burialSpreadMs);
      } else if (rcode === rcodes.noError) {
        this.#present = changed(present, change);
        this.#tell(change);
        this.#settled(dead);
      } else {
        this.#failed(rcodeName(rcode));
      }
    });
  }

  #ask(request: Request, answered: (outcome: Outcome) => void): void {
    this.#transaction = new Transaction(request, this.#key, this.#ports, (outcome) => {
      this.#transaction = undefined;
      answered(outcome);
    });
  }

  #settled(dead: ReadonlySet<Ipv4>): void {
    this.#accounted = [...dead];
    if (this.#failure !== undefined) this.#log('info', 'the name server answers again');
    this.#failures = 0;
    this.#failure = undefined;
    this.#lookIn(lookIntervalMs);
  }

  #failed(why: string): void {
    this.tally.add('failed');
    const waitMs = Math.min(retryMs.longest, retryMs.first * 2 ** this.#failures);
    this.#failures += 1;
    this.#lookIn(waitMs);
    if (why === this.#failure) return;
    this.#failure = why;
    this.#log('warning', `the name server is of no use: ${why}`, { reason: why, hint: hints[why] });
  }

  /** ± 10 %, so that nodes that began together do not go on together. */
  #lookIn(delayMs: number): void {
    const spreadMs = below(this.#ports.random, delayMs / 5);
    this.#lookAtMs = this.#ports.clock.nowMs() + 0.9 * delayMs + spreadMs;
  }

  #restored(): void {
    this.tally.add('restored');
    this.#log('warning', 'the address of this node is missing and is added again');
  }

  #tell({ add, remove }: Change): void {
    const { address } = this.#place;
    if (add.length > 0) {
      this.tally.add('published');
      this.#log('info', `${formatIpv4(address)} is published`);
    }
    if (remove.includes(address)) {
      this.tally.add('withdrawn');
      this.#log('info', `${formatIpv4(address)} is withdrawn`);
    }
    const buried = remove.filter((one) => one !== address);
    this.tally.add('buried', buried.length);
    for (const one of buried) this.#log('info', `${formatIpv4(one)} of a dead node is taken away`);
  }

  #log(
    severity: 'info' | 'warning',
    text: string,
    facts: Readonly<Record<string, string | undefined>> = {},
  ): void {
    this.#ports.log(severity, 'dns', `${this.#place.name}: ${text}`, { name: this.#place.name, ...facts });
  }
}
