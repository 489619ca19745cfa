/**
 * Long work in short turns: a generator that stops often is run a few milliseconds at a time, and others have theirs between. What
 * it makes is a value, or a text that goes to a reader of any speed: pieces leave as the reader takes them, so that no text is in
 * memory whole. A reader that takes nothing is dropped, and there are few at a time.
 */

import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { metricsTally } from './tally.ts';

/** Of one turn, in ms. Nothing of ours may hold the event loop for ten: a step over the time, and a collection of garbage, fit in. */
const turnMs = 2;

/** Two Prometheis, as careful people have. */
const readersMax = 2;
/** Octets that are written at once, and those for which there is room: a piece of text is far below the difference. */
const writeOctets = 256 * 1024;
const roomOctets = 1024 * 1024;
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
  /** Where texts are put together, of readers that have gone. */
  readonly #places: Buffer[] = [];

  /** Answers with the text that `make` begins, or refuses. */
  async serve(response: ServerResponse, type: string, make: () => Promise<Iterable<string>>): Promise<void> {
    if (this.#count === readersMax) {
      metricsTally.add('readersRefused');
      response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '5' });
      response.end('others are being told: come again\n');
      return;
    }
    this.#count += 1;
    const place = this.#places.pop() ?? Buffer.allocUnsafeSlow(roomOctets);
    try {
      const pieces = await make();
      response.writeHead(200, { 'content-type': type });
      await pour(pieces, place, response);
      response.end();
    } catch {
      // It has gone, or the text cannot be had: half a text must not look like a whole one.
      response.destroy();
    } finally {
      this.#count -= 1;
      // What is still on its way to a reader that was given up goes nowhere.
      this.#places.push(place);
    }
  }
}

/** Writes from one place again and again: with a place for each write, a long text would be megabytes for the collector of garbage. */
async function pour(pieces: Iterable<string>, place: Buffer, response: ServerResponse): Promise<void> {
  const turns = new Turns();
  let length = 0;
  for (const piece of pieces) {
    if (Buffer.byteLength(piece) > roomOctets - writeOctets) throw new Error('a piece of text is no piece');
    length += place.write(piece, length);
    if (length >= writeOctets) {
      await taken(response, place.subarray(0, length));
      length = 0;
    }
    await turns.rest();
  }
  await taken(response, place.subarray(0, length));
}

/** Waits until the reader has been sent all of it. Rejects if it has gone, or takes nothing. */
async function taken(response: ServerResponse, octets: Uint8Array): Promise<void> {
  let overdue: NodeJS.Timeout | undefined;
  let gone = () => {};
  try {
    await new Promise<void>((sent, failed) => {
      gone = () => failed(new Error('the reader has gone'));
      if (response.destroyed) return gone();
      response.once('close', gone);
      overdue = setTimeout(() => {
        metricsTally.add('readersDropped');
        failed(new Error('the reader takes nothing'));
      }, patienceMs);
      response.write(octets, (error) => (error ? failed(error) : sent()));
    });
  } finally {
    clearTimeout(overdue);
    response.off('close', gone);
  }
}
