/**
 * What a node tells of itself over HTTP: `/metrics`, `/metrics/sessions`, and the page that a person looks at. Enter: the subject,
 * requests. Leave: pages. Takes a census for whoever asks, and one every few seconds for the page's last hour and the fastest
 * sessions.
 */

import type { Timer } from '../base/clock.ts';
import type { Tally } from '../base/observe.ts';
import type { EventOf } from '../datapath/contract.ts';
import { type Answer, type Census, takeCensus } from '../metrics/census.ts';
import { Exposition } from '../metrics/exposition.io.ts';
import type { StreamAt } from '../metrics/http.io.ts';
import { pagesOfFolder } from '../metrics/page.io.ts';
import type { Asked, Page, PageAt } from '../metrics/page.ts';
import { Rates } from '../metrics/rates.ts';
import { Readings } from '../metrics/readings.ts';
import { SessionLines } from '../metrics/session-lines.ts';
import { statusOf } from '../metrics/status.ts';
import type { Subject } from '../metrics/subject.ts';
import { metricsTally } from '../metrics/tally.ts';
import { inTurns, Readers, Turns } from '../metrics/turns.io.ts';

/** Between two censuses, in ms: steps of the page's charts. */
const stepMs = 5_000;
/** How long the engine may take to tell its counters, in ms. */
const answerMs = 5_000;
/** Sessions that `top` may name. */
const topMax = 1_000;

const unanswered: Page = { status: 503, body: 'the engine does not tell its counters\n' };

export class Metrics {
  readonly #subject: Subject;
  readonly #exposition: Exposition;
  readonly #readers = new Readers();
  readonly #rates = new Rates();
  readonly #lines = new SessionLines();
  /** Whether users' names may be told. */
  readonly #isNaming: () => boolean;
  #taking: Promise<Census> | undefined;
  #latest: Census | undefined;
  #step: Timer | undefined;
  #isClosed = false;

  /** `tallies` are those of parts that the subject does not have, by the area in the names of their metrics. */
  constructor(subject: Subject, tallies: Readonly<Record<string, Tally<string>>>, isNaming: () => boolean) {
    this.#exposition = new Exposition(tallies);
    this.#subject = subject;
    this.#isNaming = isNaming;
  }

  get pages(): ReadonlyMap<string, PageAt> {
    return new Map<string, PageAt>([
      ...pagesOfFolder(),
      ['/metrics', (_, answer) => void this.#metrics().then(answer, () => answer(unanswered))],
      ['/status.json', (asked, answer) => void this.#status(asked).then(answer, () => answer(unanswered))],
    ]);
  }

  get streams(): ReadonlyMap<string, StreamAt> {
    return new Map<string, StreamAt>([
      ['/metrics/sessions', (asked, answer, response) => this.#sessions(asked, answer, response)],
    ]);
  }

  /** Looks every few seconds, from now on. */
  begin(): void {
    void this.#look()
      // The engine has not answered in time: it is asked again.
      .catch(() => {})
      .then(() => {
        if (!this.#isClosed) this.#step = this.#subject.clock.arm(stepMs, () => this.begin());
      });
  }

  close(): void {
    this.#isClosed = true;
    this.#step?.cancel();
  }

  async #look(): Promise<void> {
    const census = await this.#census();
    await inTurns(this.#rates.follow(census));
    this.#latest = census;
    const { clock, radius, accounting } = this.#subject;
    this.#rates.note({
      atMs: clock.wallMs(),
      sessions: census.states.get('up') ?? 0,
      radiusPending: radius.reduce((sum, { pending, queued }) => sum + pending + queued, 0),
      accountingPending: accounting.pending,
    });
  }

  async #metrics(): Promise<Page> {
    const census = await this.#census();
    const moment = { subject: this.#subject, census, pools: this.#subject.pools };
    const turns = new Turns();
    const body = await this.#exposition.text(moment, () => turns.rest());
    return { status: 200, type: this.#exposition.contentType, body };
  }

  async #status({ query }: Asked): Promise<Page> {
    const census = this.#latest ?? (await this.#census());
    const sinceMs = Number(query.get('since') ?? 0);
    const moment = { subject: this.#subject, census };
    const status = await inTurns(statusOf(moment, this.#rates, { sinceMs, isNaming: this.#isNaming() }));
    return { status: 200, type: 'application/json', body: JSON.stringify(status) };
  }

  #sessions({ query }: Asked, answer: (page: Page) => void, response: Parameters<StreamAt>[2]): void {
    if (!this.#isNaming()) return answer({ status: 404, body: 'sessions=no in /system metrics\n' });
    const top = query.get('top');
    const count = Number(top ?? topMax);
    if (!Number.isInteger(count) || count < 1 || count > topMax)
      return answer({ status: 400, body: `top is a number from 1 to ${topMax}\n` });
    void this.#readers.serve(response, this.#exposition.contentType, async () => {
      const census = await this.#census();
      const wanted = top === null ? census.up : await inTurns(this.#rates.fastest(census.up, count));
      return this.#lines.text(census, wanted);
    });
  }

  /** Who asks while one is being taken gets that one. */
  #census(): Promise<Census> {
    this.#taking ??= this.#count().finally(() => {
      this.#taking = undefined;
    });
    return this.#taking;
  }

  async #count(): Promise<Census> {
    const { clock, switchboard } = this.#subject;
    const readings = new Readings(switchboard);
    const answer = await new Promise<Answer>((answered, failed) => {
      const overdue = clock.arm(answerMs, () => {
        metricsTally.add('unanswered');
        failed(new Error('the engine did not answer'));
      });
      const counted = (totals: EventOf<'totals'>): void => {
        overdue.cancel();
        answered({ atMs: clock.nowMs(), readings: readings.complete(), totals });
      };
      switchboard.counterOctets((octets) => readings.add(octets), counted);
    });
    return await inTurns(takeCensus(this.#subject.sessions, answer));
  }
}
