/**
 * Between the authority's word and the session: a place among the user's sessions, counted over all nodes, and the address that
 * was named for him, which no other session may have. Questions in, verdicts out: the authority's, or a refusal of this one's.
 *
 * What is claimed is given back by the session's owner when the session is over, whether it ever came up or not
 * (`Registry.ended`).
 */

import type { Question } from '../aaa/question.ts';
import { type Accepted, refused, type Verdict } from '../aaa/verdict.ts';
import { formatIpv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import type { ClaimOutcome, Registry, SessionRef } from './registry/registry.ts';
import type { Authority } from './subscriber.ts';

/** What happens when a user has as many sessions as he may: the new one is refused, or his oldest one gives way. */
export type SessionPolicy = 'reject' | 'replace';

export interface ClaimsPorts {
  readonly authority: Authority;
  readonly registry: Pick<Registry, 'claimUser' | 'claimAddress'>;
  readonly log: Log;
  policy(): SessionPolicy;
  /** Ends these sessions, here or on other nodes; `ended` when they are gone, or are not going to be for seconds. */
  replace(victims: readonly SessionRef[], ended: () => void): void;
}

type Refuse = () => void;

export class Claims implements Authority {
  readonly #ports: ClaimsPorts;

  constructor(ports: ClaimsPorts) {
    this.#ports = ports;
  }

  judge(question: Question, answer: (verdict: Verdict) => void): void {
    this.#ports.authority.judge(question, (verdict) => {
      if (verdict.accept) this.#claimPlace(question, verdict, answer);
      else answer(verdict);
    });
  }

  #claimPlace(question: Question, verdict: Accepted, answer: (verdict: Verdict) => void): void {
    const { user, grant } = verdict;
    const { sessionId } = question.identity;
    const limit = grant.onlyOne ? 1 : grant.portLimit;
    const refuse = () => answer(refused(grant.onlyOne ? 'already-connected' : 'too-many-sessions'));
    const policy = this.#ports.policy();
    this.#ports.registry.claimUser(
      { user, sessionId, limit, policy },
      this.#granted(refuse, () => this.#claimAddress(question, verdict, answer)),
    );
  }

  /** An address out of a pool is this node's own to give: its blocks are leased to it. */
  #claimAddress(question: Question, verdict: Accepted, answer: (verdict: Verdict) => void): void {
    const { user, grant } = verdict;
    const { remoteAddress } = grant;
    if (remoteAddress === undefined || 'pool' in remoteAddress) return answer(verdict);
    const { address } = remoteAddress;
    const refuse = () => answer(refused('address-in-use', formatIpv4(address)));
    const policy = this.#ports.policy();
    this.#ports.registry.claimAddress(
      { address, sessionId: question.identity.sessionId, user, policy },
      this.#granted(refuse, () => answer(verdict)),
    );
  }

  #granted(refuse: Refuse, go: () => void): (outcome: ClaimOutcome) => void {
    return (outcome) => {
      if (!outcome.granted) return refuse();
      if (outcome.victims.length === 0) return go();
      for (const { node, sessionId } of outcome.victims) {
        this.#ports.log(
          'info',
          'pptp,ppp,account',
          `session ${sessionId} on ${node} gives way to a newer one`,
        );
      }
      this.#ports.replace(outcome.victims, go);
    };
  }
}
