/** Books that are kept in a test: who came up and has not ended, and the law that each session ends once, after it came up. */

import type { SessionFacts } from '../../src/accounting/record.ts';
import type { Books, SessionEnd } from '../../src/session/served-session.ts';

export class Ledger implements Books {
  readonly interimMs = 0;
  isFull = false;
  readonly open = new Map<string, SessionFacts>();
  readonly ends = new Map<string, SessionEnd>();

  up(facts: SessionFacts): void {
    const { sessionId } = facts.identity;
    if (this.open.has(sessionId) || this.ends.has(sessionId)) throw new Error(`${sessionId} came up twice`);
    this.open.set(sessionId, facts);
  }

  changed(sessionId: string): void {
    if (!this.open.has(sessionId)) throw new Error(`${sessionId} changed and is not up`);
  }

  ended(sessionId: string, end: SessionEnd): void {
    if (!this.open.delete(sessionId)) throw new Error(`${sessionId} ended and was not up`);
    this.ends.set(sessionId, end);
  }
}
