/**
 * What one configuration option is (RFC 1661 section 6): a row with its codec, what we offer for ourselves, and how we judge
 * what the peer offers. Rows hold no state: what has been wished and agreed stands in the layer's `Terms`, which a row reads
 * and writes. A new option is a new row, a vector and a line in the README.
 */

/** Our word on a value in the peer's Configure-Request. */
export type Judgement<Value> = 'ack' | 'reject' | { readonly nak: Value };

export interface OptionRow<Terms, Value = unknown> {
  readonly type: number;
  /** The RFC's name. */
  readonly name: string;

  /** The value that `data` (without type and length) holds, or undefined if they cannot be this option's. */
  decode(data: Uint8Array): Value | undefined;
  encode(value: Value): Uint8Array;

  /** What our Configure-Request says; undefined leaves the option out. */
  offer(terms: Terms): Value | undefined;
  /** The peer acknowledged our request, which had `value`, or did not have the option. */
  granted?(value: Value | undefined, terms: Terms): void;
  /** The peer would rather see `value`; it may also name an option that we did not offer. */
  onNak(value: Value, terms: Terms): void;
  /** The peer will not have this option at all. */
  onReject(terms: Terms): void;

  judge(value: Value, terms: Terms): Judgement<Value>;
  /** What we hint at in a Configure-Nak if the peer's request lacks the option or has it unreadable. */
  want?(terms: Terms): Value | undefined;
  /** We acknowledge the peer's request, which has `value`, or does not have the option. */
  agreed?(value: Value | undefined, terms: Terms): void;
}
