/**
 * A queue of drains, as a face: jobs that each say "tell what is pending of this stream". bullmq.io.ts keeps them in Redis.
 * A job holds no record: it may be lost, doubled or late without harm. And the face of who drains the queues of dead nodes,
 * heir.io.ts. Types only.
 */

export interface Drains {
  /** Has a drain of each stream run soon; one that waits already is enough. Rejects if Redis does not take them. */
  add(streams: readonly string[]): Promise<void>;
  /** Has those that failed run at once. */
  hurry(): Promise<void>;
  /** Takes no new ones; resolves when those that run have ended, or `patienceMs` later. */
  close(patienceMs: number): Promise<void>;
}

/** Opens an owner's queue. `drain` is called for each job; one that rejects runs again. Rejects if Redis does not answer. */
export type OpenDrains = (owner: string, drain: (stream: string) => Promise<void>) => Promise<Drains>;

/** Delivers what dead nodes left. */
export interface Heir {
  /** Opens the queues of those who are lost, closes those of who is back. Called with each beat. Rejects if Redis does not answer. */
  lookAfter(lost: readonly string[]): Promise<void>;
  hurry(): void;
  close(): Promise<void>;
}
