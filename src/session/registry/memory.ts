/**
 * The registry of a node that stands alone: its own sessions are all there are. Answers at once; knows no service, keeps nothing.
 */

import type { Clock } from '../../base/clock.ts';
import { type Grant, OwnSessions } from './own-sessions.ts';
import type {
  AddressClaim,
  ClaimOutcome,
  Known,
  NodeCommand,
  NodeReply,
  NodeRow,
  Owner,
  Registry,
  RegistryPorts,
  Search,
  SessionRow,
  UserClaim,
} from './registry.ts';

export class MemoryRegistry implements Registry {
  readonly isOnline = true;
  readonly #owner: Owner;
  readonly #clock: Clock;
  readonly #own = new OwnSessions();
  #ports: RegistryPorts | undefined;

  constructor(owner: Owner, clock: Clock) {
    this.#owner = owner;
    this.#clock = clock;
  }

  claimUser(claim: UserClaim, answer: (outcome: ClaimOutcome) => void): void {
    answer(this.#outcome(this.#own.claimUser(claim, 0)));
  }

  claimAddress(claim: AddressClaim, answer: (outcome: ClaimOutcome) => void): void {
    answer(this.#outcome(this.#own.claimAddress(claim, 0)));
  }

  up(row: SessionRow): void {
    this.#own.up(row);
  }

  resume(row: SessionRow, limit: number | undefined): void {
    this.#own.resume(row, limit);
  }

  usage(rows: readonly { readonly sessionId: string; readonly known: Known }[]): void {
    for (const { sessionId, known } of rows) this.#own.usage(sessionId, known);
  }

  ended(sessionId: string): void {
    this.#own.ended(sessionId);
  }

  find(by: Search, answer: (rows: readonly SessionRow[]) => void): void {
    answer(this.#own.find(by));
  }

  list(answer: (rows: readonly SessionRow[]) => void): void {
    answer(this.#own.list());
  }

  nodes(answer: (rows: readonly NodeRow[]) => void): void {
    const status = this.#ports?.status();
    answer(
      status === undefined
        ? []
        : [{ ...this.#owner, ...status, atMs: this.#clock.wallMs(), isSuspect: false }],
    );
  }

  command(node: string, command: NodeCommand, answer: (reply: NodeReply) => void): void {
    if (node === this.#owner.node && this.#ports !== undefined) this.#ports.perform(command, answer);
    else answer({ ok: false, why: 'unreachable' });
  }

  /** There is no other node that could have buried them. */
  wasReaped(_sessionIds: readonly string[], answer: (ids: ReadonlySet<string>) => void): void {
    answer(new Set());
  }

  begin(ports: RegistryPorts, done: () => void): void {
    this.#ports = ports;
    done();
  }

  close(done: () => void): void {
    this.#ports = undefined;
    done();
  }

  #outcome(grant: Grant): ClaimOutcome {
    if (grant === undefined) return { granted: false };
    const { node } = this.#owner;
    return { granted: true, victims: grant.map(({ sessionId }) => ({ node, sessionId })) };
  }
}
