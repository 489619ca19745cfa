/**
 * Between the authority's word and the session: a place among the user's sessions, counted over all nodes, and his address, which
 * no other session may have. Questions in, verdicts out: the authority's, or a refusal of this one's.
 *
 * An address out of a pool is drawn here, before it is claimed: this node alone gives the addresses of its blocks, but one of them may
 * have been named for a user of another node. Then another is drawn.
 *
 * What is claimed and drawn is given back by the session's owner when the session is over, whether it ever came up or not
 * (`Registry.ended`, `Addresses.release`).
 */

import { placesOf } from '../aaa/grant.ts';
import type { Question } from '../aaa/question.ts';
import { type Accepted, type Refused, refused, type Verdict } from '../aaa/verdict.ts';
import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import type { Addresses, AddressRefusal } from './addresses.ts';
import { eventOf } from './events.ts';
import type { ClaimOutcome, Registry, SessionRef } from './registry/registry.ts';
import type { Authority } from './subscriber.ts';

/** What happens when a user has as many sessions as he may: the new one is refused, or his oldest one gives way. */
export type SessionPolicy = 'reject' | 'replace';

/** Draws before a user is told that there is no address: with half of a block named, one user in thousands is. */
const drawsMax = 12;

export interface ClaimsPorts {
  readonly authority: Authority;
  readonly addresses: Pick<Addresses, 'takeRemote' | 'drawAgain' | 'settle'>;
  readonly registry: Pick<Registry, 'claimUser' | 'claimAddress'>;
  readonly log: Log;
  policy(): SessionPolicy;
  /** Whether the session is not over: its end gives back what it has claimed. */
  isAlive(sessionId: string): boolean;
  /** Ends these sessions, here or on other nodes; `ended` when they are gone, or are not going to be for seconds. */
  replace(victims: readonly SessionRef[], ended: () => void): void;
}

type Refuse = () => void;

interface Draw {
  readonly sessionId: string;
  readonly user: string;
  readonly draws: number;
  readonly drawn: Ipv4 | AddressRefusal | undefined;
}

export class Claims implements Authority {
  readonly #ports: ClaimsPorts;

  constructor(ports: ClaimsPorts) {
    this.#ports = ports;
  }

  judge(question: Question, answer: (verdict: Verdict) => void): void {
    this.#ports.authority.judge(question, (verdict) => {
      // A session that ended while it was judged gives nothing back any more.
      const isWanted = this.#ports.isAlive(question.identity.sessionId);
      if (verdict.accept && isWanted) this.#claimPlace(question, verdict, answer);
      else answer(verdict);
    });
  }

  #claimPlace(question: Question, verdict: Accepted, answer: (verdict: Verdict) => void): void {
    const { user, grant } = verdict;
    const { sessionId } = question.identity;
    const limit = placesOf(grant);
    const refuse = () => answer(refused(grant.onlyOne ? 'already-connected' : 'too-many-sessions'));
    const policy = this.#ports.policy();
    this.#ports.registry.claimUser(
      { user, sessionId, limit, policy },
      this.#granted(refuse, () => this.#claimAddress(question, verdict, answer)),
    );
  }

  #claimAddress(question: Question, verdict: Accepted, answer: (verdict: Verdict) => void): void {
    const { user, grant } = verdict;
    const { remoteAddress } = grant;
    const { sessionId } = question.identity;
    if (remoteAddress === undefined) return answer(verdict);
    if ('pool' in remoteAddress) {
      const { addresses } = this.#ports;
      return this.#claimDrawn(
        { sessionId, user, draws: 1, drawn: addresses.takeRemote(remoteAddress, sessionId, user) },
        (refusal) => answer(refusal ?? verdict),
      );
    }
    const { address } = remoteAddress;
    const refuse = () => answer(refused('address-in-use', formatIpv4(address)));
    const policy = this.#ports.policy();
    this.#ports.registry.claimAddress(
      { address, sessionId, user, policy },
      this.#granted(refuse, () => answer(verdict)),
    );
  }

  /** `done` without a refusal also if there is nothing to draw: the session meets that itself, and says so. */
  #claimDrawn({ sessionId, user, draws, drawn }: Draw, done: (refusal?: Refused) => void): void {
    if (typeof drawn !== 'number') return done();
    const { addresses, registry } = this.#ports;
    const claim = { address: drawn, sessionId, user, policy: 'reject', isDrawn: true } as const;
    registry.claimAddress(claim, ({ granted }) => {
      if (!granted && draws === drawsMax) return done(refused('address-in-use', formatIpv4(drawn)));
      if (!granted) {
        const next = { sessionId, user, draws: draws + 1, drawn: addresses.drawAgain(sessionId, user) };
        return this.#claimDrawn(next, done);
      }
      addresses.settle(sessionId);
      done();
    });
  }

  #granted(refuse: Refuse, go: () => void): (outcome: ClaimOutcome) => void {
    return (outcome) => {
      if (!outcome.granted) return refuse();
      if (outcome.victims.length === 0) return go();
      for (const { node, sessionId } of outcome.victims) {
        const text = `session ${sessionId} on ${node} gives way to a newer one`;
        this.#ports.log('info', 'pptp,ppp,account', text, { ...eventOf('session-replaced'), sessionId });
      }
      this.#ports.replace(outcome.victims, go);
    };
  }
}
