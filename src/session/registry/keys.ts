/**
 * Where a service keeps its sessions in Redis: the names of its keys. The braces keep all of them on one server of a Redis Cluster, so
 * that scripts may touch any. Keys are few and large, not one for each session: one expiry keeps all of a service, and one ends it.
 *
 *     owners           sorted set of owners (`node@bootId`) that count. One that is not here is fenced or reaped: what it holds is free,
 *                      and what it writes is refused. nodes.io.ts writes it, all scripts read it
 *     holders          hash of session to its claim: owner, epoch, start, limit, address, user
 *     users            sorted set of `USER SESSION`, found by the beginning
 *     addresses        hash of address to the session that has it
 *     sessions:OWNER   hash of session to its row; empty while it has but claims
 *     known:OWNER      hash of session to its last counters
 *     epoch            of the last claim granted
 *
 * Pure.
 */

import type { Owner } from './registry.ts';

export interface Keys {
  readonly owners: string;
  readonly holders: string;
  readonly users: string;
  readonly addresses: string;
  readonly epoch: string;
  sessions(owner: string): string;
  known(owner: string): string;
}

export function keysOf(service: string): Keys {
  const prefix = `{pptp:${service}}:`;
  return {
    owners: `${prefix}owners`,
    holders: `${prefix}holders`,
    users: `${prefix}users`,
    addresses: `${prefix}addresses`,
    epoch: `${prefix}epoch`,
    sessions: (owner) => `${prefix}sessions:${owner}`,
    known: (owner) => `${prefix}known:${owner}`,
  };
}

/** What an owner is called in Redis. Neither part can have an `@`, a colon or a space in it then. */
export function ownerName({ node, bootId }: Owner): string {
  return `${encodeURIComponent(node)}@${encodeURIComponent(bootId)}`;
}

/** The node of an owner's name. */
export function nodeOf(owner: string): string {
  return decodeURIComponent(owner.slice(0, owner.indexOf('@')));
}
