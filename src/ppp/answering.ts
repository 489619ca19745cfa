/**
 * The half of a negotiation that is the peer's wish: its Configure-Request, and whether we acknowledge, nak or reject it
 * (RFC 1661 sections 5.2 to 5.4). The other half is asking.ts. Sends nothing and knows no state of the automaton.
 */

import { sameOptions } from './asking.ts';
import type { OptionRow } from './option.ts';
import { codes, type Option } from './packet.ts';

/** Configure-Naks in a row before what would be naked is rejected (RFC 1661 section 4.6, Max-Failure). */
const maxFailure = 5;

/** What we say to a request: `code` is Configure-Ack, -Nak or -Reject. */
export interface Answer {
  readonly code: number;
  readonly identifier: number;
  readonly options: readonly Option[];
}

interface Received {
  readonly identifier: number;
  readonly options: readonly Option[];
}

export class Answering<Terms> {
  readonly #rows: readonly OptionRow<Terms>[];
  readonly #terms: Terms;
  #naks = 0;
  #refused: Received | undefined;
  #acknowledged: Received | undefined;

  constructor(rows: readonly OptionRow<Terms>[], terms: Terms) {
    this.#rows = rows;
    this.#terms = terms;
  }

  /** The layer has gone down: the request that was acknowledged holds no more. */
  forget(): void {
    this.#acknowledged = undefined;
  }

  /** The answer to a request; `again` if it is a refusal that this very request has had before: our answer was lost. */
  judge(
    identifier: number,
    options: readonly Option[],
  ): { readonly answer: Answer; readonly again: boolean } {
    const request = { identifier, options };
    const answer = this.#judge(request);
    if (answer.code === codes.configureAck) return { answer, again: false };
    const again = sameRequest(this.#refused, request);
    this.#refused = request;
    if (!again && answer.code === codes.configureNak) this.#naks += 1;
    return { answer, again };
  }

  /** Commits what an Ack is about to say. True if it repeats the Ack before. */
  acknowledge(answer: Answer): boolean {
    for (const row of this.#rows) {
      const option = answer.options.find(({ type }) => type === row.type);
      row.agreed?.(option && row.decode(option.data), this.#terms);
    }
    const repeated = sameRequest(this.#acknowledged, answer);
    this.#acknowledged = answer;
    this.#refused = undefined;
    this.#naks = 0;
    return repeated;
  }

  /** [RFC 1661 §5.4] What is not known is rejected, alone; then what is not acceptable is naked; else all is acknowledged. */
  #judge({ identifier, options }: Received): Answer {
    const rejected: Option[] = [];
    const naked: Option[] = [];
    const seen = new Set<number>();
    const patient = this.#naks < maxFailure;
    for (const option of options) {
      const word = seen.has(option.type) ? 'reject' : this.#judgeOption(option);
      seen.add(option.type);
      if (word === 'ack') continue;
      if (word === 'reject' || !patient) rejected.push(option);
      else naked.push(word);
    }
    if (rejected.length > 0) return { code: codes.configureReject, identifier, options: rejected };
    if (patient) naked.push(...this.#wanted(seen));
    if (naked.length > 0) return { code: codes.configureNak, identifier, options: naked };
    return { code: codes.configureAck, identifier, options };
  }

  #judgeOption(option: Option): 'ack' | 'reject' | Option {
    const row = this.#rows.find(({ type }) => type === option.type);
    if (row === undefined) return 'reject';
    const value = row.decode(option.data);
    if (value === undefined) return this.#hint(row) ?? 'reject';
    const judgement = row.judge(value, this.#terms);
    return typeof judgement === 'string' ? judgement : { type: row.type, data: row.encode(judgement.nak) };
  }

  #wanted(seen: ReadonlySet<number>): readonly Option[] {
    const missing = this.#rows.filter(({ type }) => !seen.has(type));
    return missing.map((row) => this.#hint(row)).filter((option) => option !== undefined);
  }

  #hint(row: OptionRow<Terms>): Option | undefined {
    const value = row.want?.(this.#terms);
    return value === undefined ? undefined : { type: row.type, data: row.encode(value) };
  }
}

function sameRequest(one: Received | undefined, other: Received): boolean {
  return one?.identifier === other.identifier && sameOptions(one.options, other.options);
}
