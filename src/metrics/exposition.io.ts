/**
 * Prometheus's text of a moment, through prom-client, which adds what Node.js says of itself: memory, processor, event loop,
 * garbage. Nothing is kept here: each metric is read when it is asked for.
 */

import { collectDefaultMetrics, Gauge, type MetricType, Registry } from 'prom-client';
import type { Distribution } from '../base/observe.ts';
import { catalogue, type MetricName, type MetricRow } from './catalogue.ts';
import { type Labels, type Moment, none, readers, type Sample } from './collect.ts';
import { metricsOfTallies, talliedMetrics } from './tallies.ts';

interface Value {
  readonly metricName?: string;
  readonly labels: Record<string, string | number>;
  /** Behind the others. Their text is made once for each object. */
  readonly sharedLabels: Labels;
  readonly value: number;
}

/** A metric whose values stand elsewhere. prom-client asks any metric for them in the same way, whatever its type. */
class ReadMetric extends Gauge {
  readonly #row: { readonly name: string } & MetricRow;
  readonly #read: () => readonly Sample[];

  constructor(name: string, row: MetricRow, read: () => readonly Sample[]) {
    super({ name, help: row.help, labelNames: Object.keys(row.labels ?? {}), registers: [] });
    this.#row = { ...row, name };
    this.#read = read;
  }

  override get(): ReturnType<Gauge['get']> {
    const { name, help, type } = this.#row;
    const values = this.#read().flatMap((sample): Value[] =>
      typeof sample.value === 'number'
        ? [{ labels: none, sharedLabels: sample.labels, value: sample.value }]
        : ranges(name, sample.labels, sample.value),
    );
    // Its declaration has numbers where its code has the words that the text has.
    const word = type as unknown as MetricType;
    return Promise.resolve({ name, help, type: word, aggregator: 'sum', values, collect: () => {} });
  }
}

export class Exposition {
  readonly #registry = new Registry();
  #moment: Moment | undefined;

  /** `further` are tallies of parts of the program, by the area in their names. */
  constructor(further: Parameters<typeof metricsOfTallies>[0]) {
    collectDefaultMetrics({ register: this.#registry });
    for (const [name, row] of Object.entries(catalogue)) {
      this.#add(name, row, () => (this.#moment ? readers[name as MetricName](this.#moment) : []));
    }
    for (const { name, help, read } of [...talliedMetrics, ...metricsOfTallies(further)]) {
      this.#add(name, { type: 'counter', help }, () => [{ labels: none, value: read() }]);
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** `rest` is awaited between two metrics: the first time, code is compiled for each. */
  async text(moment: Moment, rest: () => Promise<void>): Promise<string> {
    const texts: string[] = [];
    for (const { name } of this.#registry.getMetricsAsArray()) {
      // It is read before the first `await` of those that are awaited here; others may be told of another moment meanwhile.
      this.#moment = moment;
      texts.push(await this.#registry.getSingleMetricAsString(name));
      await rest();
    }
    return `${texts.join('\n\n')}\n`;
  }

  #add(name: string, row: MetricRow, read: () => readonly Sample[]): void {
    this.#registry.registerMetric(new ReadMetric(name, row, read));
  }
}

/** A histogram's lines: how many were not above each bound, how many in all, and what they come to. */
function ranges(name: string, sharedLabels: Labels, { bounds, counts, sum }: Distribution): Value[] {
  let count = 0;
  const buckets = counts.map((inRange, at): Value => {
    count += inRange;
    return {
      metricName: `${name}_bucket`,
      labels: { le: bounds[at] ?? '+Inf' },
      sharedLabels,
      value: count,
    };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: none, sharedLabels, value: sum },
    { metricName: `${name}_count`, labels: none, sharedLabels, value: count },
  ];
}
