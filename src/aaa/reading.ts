/** How attributes are read into parts of a whole: each part says something, nothing, or that a value cannot be read. Pure. */

import type { AttributeName } from '../radius/attribute.ts';

/** A value of a server's that nobody can act on. The whole packet is then not acted on: half of a tariff is none. */
export class Unreadable {
  readonly attribute: AttributeName;
  /** The value, for people. */
  readonly value: string;

  constructor(attribute: AttributeName, value: string | number = '') {
    this.attribute = attribute;
    this.value = String(value);
  }

  toString(): string {
    return `${this.attribute} = ${this.value}`;
  }
}

/** All parts in one, later ones before earlier ones; or the first that cannot be read. */
export function together<T extends object>(parts: readonly (T | Unreadable)[]): T | Unreadable {
  const unreadable = parts.find((part) => part instanceof Unreadable);
  return unreadable instanceof Unreadable ? unreadable : Object.assign({}, ...parts);
}
