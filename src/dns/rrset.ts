/**
 * What stands under the service's name, what ought to, and the messages that ask for it (RFC 1035) and change it (RFC 2136). The
 * judgement is pure: the addresses that were found and who we are go in, what to add and to remove comes out.
 */

import type { Ipv4 } from '../base/ip.ts';
import { classes, type Message, opcodes, rcodes, types } from './message.ts';
import { type DomainName, isSameName } from './name.ts';
import { addressOf, addressRecord } from './record.ts';
import type { Request } from './transaction.ts';

/** Our place in the service's RRset. */
export interface Place {
  readonly zone: DomainName;
  readonly name: DomainName;
  readonly ttlMs: number;
  /** Of this node, where clients reach it. */
  readonly address: Ipv4;
}

/** What is to be changed. */
export interface Change {
  readonly add: readonly Ipv4[];
  readonly remove: readonly Ipv4[];
  /** What must still stand there, exactly, for the change to be made. */
  readonly provided?: readonly Ipv4[];
}

/** The question what stands under the name. */
export function lookUp({ name }: Place): Request {
  return { opcode: opcodes.query, questions: [{ name, type: types.a, class: classes.internet }] };
}

/** The addresses in the reply to `lookUp`, or why it has none, as an RCODE or `alias`. */
export function addressesIn(message: Message, { name }: Place): readonly Ipv4[] | string {
  const { rcode, answers } = message;
  if (rcode !== rcodes.noError && rcode !== rcodes.nameError) return rcodeName(rcode);
  const own = answers.filter((record) => isSameName(record.name, name));
  // A server ignores an A record beside a CNAME, and says that all is well (RFC 2136 section 3.4.2.2).
  if (own.some(({ type }) => type === types.cname)) return 'alias';
  return own.map(addressOf).filter((address) => address !== undefined);
}

/**
 * What has to change: our own address if it should stand there or should not, and those of the dead. Somebody who lives always
 * stands there, wanted or not: that a name has nothing is remembered for as long as the zone's SOA says, long after a node is
 * back, whereas a node that is full or drains refuses within a second. Hence `provided`: of two nodes that leave at once one stays.
 */
export function judge(
  present: readonly Ipv4[],
  { address }: Place,
  isWanted: boolean,
  dead: ReadonlySet<Ipv4>,
): Change | undefined {
  const others = present.filter((one) => one !== address);
  const stands = isWanted || others.every((one) => dead.has(one));
  const isPresent = present.includes(address);
  const buried = others.filter((one) => dead.has(one));

  if (isPresent && !stands) return { add: [], remove: [address, ...buried], provided: present };
  const add = stands && !isPresent ? [address] : [];
  return add.length + buried.length === 0 ? undefined : { add, remove: buried };
}

/** The UPDATE that makes `change`, all of it or nothing. */
export function update(change: Change, { zone, name, ttlMs }: Place): Request {
  const ttl = Math.ceil(ttlMs / 1000);
  const provided = change.provided ?? [];
  return {
    opcode: opcodes.update,
    questions: [{ name: zone, type: types.soa, class: classes.internet }],
    // [RFC 2136 §2.4.2] RRset exists (value dependent): all of its records, with TTL 0.
    answers: provided.map((address) => addressRecord(name, 0, address)),
    authorities: [
      // [§2.5.4] Delete an RR from an RRset: class NONE and TTL 0.
      ...change.remove.map((address) => ({ ...addressRecord(name, 0, address), class: classes.none })),
      ...change.add.map((address) => addressRecord(name, ttl, address)),
    ],
  };
}

/** What stands under the name after `change`. */
export function changed(present: readonly Ipv4[], { add, remove }: Change): readonly Ipv4[] {
  return [...present.filter((address) => !remove.includes(address)), ...add];
}

const rcodeNames: Readonly<Record<number, string>> = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  6: 'YXDOMAIN',
  7: 'YXRRSET',
  8: 'NXRRSET',
  9: 'NOTAUTH',
  10: 'NOTZONE',
};

export function rcodeName(rcode: number): string {
  return rcodeNames[rcode] ?? `RCODE ${rcode}`;
}
