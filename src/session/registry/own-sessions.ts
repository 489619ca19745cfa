/**
 * The sessions of this node and what they claim, by session, user and address: all that memory.ts knows, and what redis.io.ts decides
 * by while Redis is away. Claims and rows go in; grants, victims and rows come out. Pure.
 */

import type { Ipv4 } from '../../base/ip.ts';
import type { AddressClaim, Known, Search, SessionRow, UserClaim } from './registry.ts';

export interface OwnSession {
  readonly sessionId: string;
  user: string;
  limit: number | undefined;
  address: Ipv4 | undefined;
  /** Of its last claim, as Redis gave it; 0 if this node decided alone. The higher one wins a conflict. */
  epoch: number;
  /** It has given way to another, and has yet to end. */
  isLeaving: boolean;
  /** Undefined before it is up. */
  row: SessionRow | undefined;
}

/** Sessions that have to end for it; undefined if the claim is refused. */
export type Grant = readonly OwnSession[] | undefined;

export class OwnSessions {
  /** In the order of their first claims. */
  readonly #sessions = new Map<string, OwnSession>();
  readonly #byUser = new Map<string, Set<OwnSession>>();
  readonly #byAddress = new Map<Ipv4, OwnSession>();

  get(sessionId: string): OwnSession | undefined {
    return this.#sessions.get(sessionId);
  }

  *[Symbol.iterator](): Iterator<OwnSession> {
    yield* this.#sessions.values();
  }

  claimUser({ user, sessionId, limit, policy }: UserClaim, epoch: number): Grant {
    const rivals = [...(this.#byUser.get(user) ?? [])].filter(
      (rival) => rival.sessionId !== sessionId && !rival.isLeaving,
    );
    const surplus = limit === undefined ? 0 : Math.max(0, rivals.length + 1 - limit);
    if (surplus > 0 && (policy === 'reject' || surplus > rivals.length)) return undefined;
    const session = this.#of(sessionId, user);
    session.limit = limit;
    session.epoch = epoch;
    session.isLeaving = false;
    return leave(rivals.slice(0, surplus));
  }

  claimAddress({ address, sessionId, user, policy }: AddressClaim, epoch: number): Grant {
    if (this.#sessions.get(sessionId)?.isLeaving) return undefined;
    const rival = this.#byAddress.get(address);
    const isTaken = rival !== undefined && rival.sessionId !== sessionId;
    if (isTaken && (policy === 'reject' || rival.user !== user)) return undefined;
    const session = this.#of(sessionId, user);
    session.epoch = epoch;
    this.#setAddress(session, address);
    return isTaken ? leave([rival]) : [];
  }

  up(row: SessionRow): void {
    const session = this.#of(row.sessionId, row.user);
    session.row = row;
    this.#setAddress(session, row.framedAddress);
  }

  /** It is up, and claimed by a process before this one. */
  resume(row: SessionRow, limit: number | undefined): void {
    this.up(row);
    this.#of(row.sessionId, row.user).limit = limit;
  }

  /** False for a session that is not up. */
  usage(sessionId: string, known: Known): boolean {
    const session = this.#sessions.get(sessionId);
    if (session?.row === undefined) return false;
    session.row = { ...session.row, known };
    return true;
  }

  /** It has to give way, as others say. False for a session that is not known. */
  leaves(sessionId: string): boolean {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return false;
    session.isLeaving = true;
    return true;
  }

  /** False for a session that is not known. */
  ended(sessionId: string): boolean {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return false;
    this.#sessions.delete(sessionId);
    this.#leaveUser(session);
    this.#leaveAddress(session);
    return true;
  }

  /** Rows to which all that is given applies. */
  find({ sessionId, user, address }: Search): SessionRow[] {
    const candidates =
      sessionId !== undefined
        ? [this.#sessions.get(sessionId)]
        : address !== undefined
          ? [this.#byAddress.get(address)]
          : [...((user !== undefined && this.#byUser.get(user)) || [])];
    return candidates.flatMap((session) => session?.row ?? []).filter(applies({ sessionId, user, address }));
  }

  list(): SessionRow[] {
    return [...this.#sessions.values()].flatMap(({ row }) => row ?? []);
  }

  #of(sessionId: string, user: string): OwnSession {
    const before = this.#sessions.get(sessionId);
    if (before?.user === user) return before;
    const session = before ?? {
      sessionId,
      user,
      limit: undefined,
      address: undefined,
      epoch: 0,
      isLeaving: false,
      row: undefined,
    };
    if (before !== undefined) this.#leaveUser(before);
    session.user = user;
    this.#sessions.set(sessionId, session);
    const ofUser = this.#byUser.get(user) ?? new Set();
    this.#byUser.set(user, ofUser.add(session));
    return session;
  }

  #setAddress(session: OwnSession, address: Ipv4): void {
    if (session.address !== address) this.#leaveAddress(session);
    session.address = address;
    this.#byAddress.set(address, session);
  }

  #leaveUser(session: OwnSession): void {
    const ofUser = this.#byUser.get(session.user);
    ofUser?.delete(session);
    if (ofUser?.size === 0) this.#byUser.delete(session.user);
  }

  #leaveAddress(session: OwnSession): void {
    const { address } = session;
    if (address !== undefined && this.#byAddress.get(address) === session) this.#byAddress.delete(address);
  }
}

export function applies({ sessionId, user, address }: Partial<Record<keyof Search, unknown>>) {
  return (row: SessionRow): boolean =>
    (sessionId === undefined || row.sessionId === sessionId) &&
    (user === undefined || row.user === user) &&
    (address === undefined || row.framedAddress === address);
}

function leave(victims: readonly OwnSession[]): readonly OwnSession[] {
  for (const victim of victims) victim.isLeaving = true;
  return victims;
}
