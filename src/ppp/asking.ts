/**
 * The half of a negotiation that is our own wish: the Configure-Request that we send, and what the peer's Ack, Nak or Reject
 * makes of it (RFC 1661 sections 5.1 to 5.4). The other half is answering.ts. Sends nothing and knows no state of the automaton.
 */

import { equal } from '../base/bytes.ts';
import type { OptionRow } from './option.ts';
import { codes, type Option } from './packet.ts';

/** Naks of the peer in a row before they are taken for rejects: a peer that follows the RFC stops at its own max-failure. */
const maxNaksTaken = 10;

export interface ConfigureRequest {
  readonly identifier: number;
  readonly options: readonly Option[];
}

export class Asking<Terms> {
  readonly #rows: readonly OptionRow<Terms>[];
  readonly #terms: Terms;
  #request: ConfigureRequest = { identifier: 0, options: [] };
  // A second answer to the same request answers nothing.
  #answered = true;
  #naksTaken = 0;

  constructor(rows: readonly OptionRow<Terms>[], terms: Terms) {
    this.#rows = rows;
    this.#terms = terms;
  }

  /** True while the request waits for its answer. */
  get waiting(): boolean {
    return !this.#answered;
  }

  /** The request as it was sent last. */
  get request(): ConfigureRequest {
    return this.#request;
  }

  /** A new request, from what is wished now. */
  renew(identifier: number): void {
    const options = this.#rows.flatMap((row) => {
      const value = row.offer(this.#terms);
      return value === undefined ? [] : [{ type: row.type, data: row.encode(value) }];
    });
    this.#request = { identifier, options };
    this.#answered = false;
  }

  /** Both sides agree: what was naked on the way here counts no more. */
  settled(): void {
    this.#naksTaken = 0;
  }

  /**
   * Takes a Configure-Ack, -Nak or -Reject. False, and nothing changes, if it does not answer the request that waits: another
   * identifier, other options in an Ack, options in a Reject that were not sent, none in a Nak or Reject.
   */
  answered(code: number, identifier: number, options: readonly Option[]): boolean {
    if (this.#answered || identifier !== this.#request.identifier) return false;
    if (!this.#fits(code, options)) return false;
    this.#answered = true;
    if (code === codes.configureAck) this.#granted();
    else if (code === codes.configureNak) this.#naked(options);
    else for (const { type } of options) this.#row(type)?.onReject(this.#terms);
    return true;
  }

  #fits(code: number, options: readonly Option[]): boolean {
    const sent = this.#request.options;
    if (code === codes.configureAck) return sameOptions(options, sent);
    if (options.length === 0) return false;
    return code === codes.configureNak || options.every((each) => sent.some((option) => same(option, each)));
  }

  #granted(): void {
    for (const row of this.#rows) {
      const option = this.#request.options.find(({ type }) => type === row.type);
      row.granted?.(option && row.decode(option.data), this.#terms);
    }
  }

  #naked(options: readonly Option[]): void {
    this.#naksTaken += 1;
    for (const option of options) {
      const row = this.#row(option.type);
      const value = row?.decode(option.data);
      if (row === undefined || value === undefined) continue;
      if (this.#naksTaken <= maxNaksTaken) row.onNak(value, this.#terms);
      else row.onReject(this.#terms);
    }
  }

  #row(type: number): OptionRow<Terms> | undefined {
    return this.#rows.find((row) => row.type === type);
  }
}

function same(one: Option, other: Option | undefined): boolean {
  return other !== undefined && one.type === other.type && equal(one.data, other.data);
}

/** The same options, octet for octet and in the same order. */
export function sameOptions(one: readonly Option[], other: readonly Option[]): boolean {
  return one.length === other.length && one.every((option, at) => same(option, other[at]));
}
