/**
 * Long work in short turns: a generator that stops often is run a few milliseconds at a time, and others have theirs between. What
 * it makes is a value, or a text that goes to a reader of any speed: pieces leave as the reader takes them, so that no text is in
 * memory whole. A reader that takes nothing is dropped, and there are few at a time.
 */

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { metricsTally } from './tally.ts';

/** Of one turn, in ms. Nothing of ours may hold the event loop for ten: a step over the time, and a collection of garbage, fit in. */
const turnMs = 2;

/** Two Prometheis, as careful people have. */
const readersMax = 2;
/** Octets that are written at once. */
const writeOctets = 256 * 1024;
/** When a reader that takes nothing is given up, in ms: Prometheus itself waits ten seconds for a scrape. */
const patienceMs = 10_000;

/** Of who has much to do. */
export class Turns {
  #untilMs = performance.now() + turnMs;

  /** To be awaited between two steps: lets others have their turn, if this one has been long enough. */
  async rest(): Promise<void> {
    if (performance.now() < this.#untilMs) return;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    this.#untilMs = performance.now() + turnMs;
  }
}

/** Runs `work` to its end. */
export async function inTurns<T>(work: Generator<unknown, T>): Promise<T> {
  const turns = new Turns();
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await turns.rest();
  }
}

export class Readers {
  #count = 0;

  /** Answers with the text that `make` begins, or refuses. */
  async serve(response: ServerResponse, type: string, make: () => Promise<Iterable<string>>): Promise<void> {
    if (this.#count === readersMax) {
      metricsTally.add('readersRefused');
      response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '5' });
      response.end('others are being told: come again\n');
      return;
    }
    this.#count += 1;
    try {
      const pieces = await make();
      response.writeHead(200, { 'content-type': type });
      await pour(pieces, response);
      response.end();
    } catch {
      // It has gone, or the text cannot be had: half a text must not look like a whole one.
      response.destroy();
    } finally {
      this.#count -= 1;
    }
  }
}

async function pour(pieces: Iterable<string>, response: ServerResponse): Promise<void> {
  const turns = new Turns();
  let gathered = '';
  for (const piece of pieces) {
    gathered += piece;
    if (gathered.length >= writeOctets) {
      if (!response.write(gathered)) await drained(response);
      gathered = '';
    }
    await turns.rest();
  }
  response.write(gathered);
}

/** Waits until the reader has taken what it was sent. Rejects if it has gone, or takes nothing. */
async function drained(response: ServerResponse): Promise<void> {
  const patience = new AbortController();
  const overdue = setTimeout(() => {
    metricsTally.add('readersDropped');
    patience.abort();
  }, patienceMs);
  const gone = () => patience.abort();
  response.once('close', gone);
  try {
    if (response.destroyed) patience.abort();
    await once(response, 'drain', { signal: patience.signal });
  } finally {
    clearTimeout(overdue);
    response.off('close', gone);
  }
}
