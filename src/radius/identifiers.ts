/**
 * The 256 Identifiers of one socket towards one server (RFC 2865 section 3), and who holds each. Pure.
 *
 * Given out in the order in which they came back, so that each rests as long as can be. Who gives a request up goes on holding
 * its identifier for a while (line.ts): the reply may still come, and must not meet another request.
 */

export const identifierCount = 256;

export class Identifiers<Holder> {
  readonly #holders = new Map<number, Holder>();
  readonly #free = Array.from({ length: identifierCount }, (_, identifier) => identifier);
  readonly #used = new Set<number>();

  /** True if nobody holds one. */
  get isIdle(): boolean {
    return this.#holders.size === 0;
  }

  holders(): readonly Holder[] {
    return [...this.#holders.values()];
  }

  /** An identifier for `holder`; undefined if all are held. */
  take(holder: Holder): number | undefined {
    const identifier = this.#free.shift();
    if (identifier !== undefined) this.#hold(identifier, holder);
    return identifier;
  }

  /** This very identifier for `holder`. False if it is held. */
  seize(identifier: number, holder: Holder): boolean {
    const at = this.#free.indexOf(identifier);
    if (at === -1) return false;
    this.#free.splice(at, 1);
    this.#hold(identifier, holder);
    return true;
  }

  holderOf(identifier: number): Holder | undefined {
    return this.#holders.get(identifier);
  }

  /** True if somebody has ever held it: a reply to nobody may then be a late copy. */
  wasUsed(identifier: number): boolean {
    return this.#used.has(identifier);
  }

  release(identifier: number): void {
    if (this.#holders.delete(identifier)) this.#free.push(identifier);
  }

  #hold(identifier: number, holder: Holder): void {
    this.#holders.set(identifier, holder);
    this.#used.add(identifier);
  }
}
