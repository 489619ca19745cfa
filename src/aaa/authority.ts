/**
 * Who judges subscribers: the local database first, RADIUS about users that it does not have, if `/ppp aaa` says so. EAP proves
 * things that only a RADIUS server can judge.
 *
 * Questions in, one verdict for each out, at once or later. Keeps nothing but the configuration.
 */

import { judgeByRadius, type RadiusPorts } from './by-radius.ts';
import { judgeLocally, type LocalUsers } from './local.ts';
import type { Question } from './question.ts';
import type { AaaSettings } from './settings.ts';
import { type Accepted, type Refused, refused, type Verdict } from './verdict.ts';

export interface AuthorityConfiguration extends LocalUsers {
  readonly aaa: Pick<AaaSettings, 'useRadius'>;
}

export class UserAuthority {
  readonly #ports: RadiusPorts;
  #configuration: AuthorityConfiguration;

  constructor(ports: RadiusPorts, configuration: AuthorityConfiguration) {
    this.#ports = ports;
    this.#configuration = configuration;
  }

  /** From now on; who is let in keeps what he has. */
  configure(configuration: AuthorityConfiguration): void {
    this.#configuration = configuration;
  }

  /** Calls `answer` once. */
  judge(question: Question, answer: (verdict: Verdict) => void): void {
    const known = this.#judgeLocally(question);
    if (known !== undefined) return answer(known);
    judgeByRadius(question, () => this.#configuration.profiles, this.#ports, answer);
  }

  /** Undefined if a RADIUS server has to judge. */
  #judgeLocally({ credentials, ...question }: Question): Accepted | Refused | undefined {
    const { useRadius } = this.#configuration.aaa;
    if (credentials.method === 'eap') return useRadius ? undefined : refused('eap-needs-radius');
    const verdict = judgeLocally({ ...question, credentials }, this.#configuration);
    const isUnknown = !verdict.accept && verdict.reason === 'unknown-user';
    return isUnknown && useRadius ? undefined : verdict;
  }
}
