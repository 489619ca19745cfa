/**
 * A node with any number of sessions, over a real engine that holds as many calls, in a process of its own as a node has it: it tells its
 * metrics at a port, and for how long its event loop was held meanwhile.
 */

import { once } from 'node:events';
import { join } from 'node:path';
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { Metrics } from '../../src/composition/metrics.ts';
import { type Engine, startEngine } from '../../src/datapath/engine.io.ts';
import { HttpFace } from '../../src/metrics/http.io.ts';
import { Forked } from '../system/forked.io.ts';
import { Crowd } from '../unit/metrics/crowd.ts';

export interface Place {
  readonly sessions: number;
  readonly port: number;
  /** Of its engine, which `command` starts. */
  readonly directory: string;
  readonly command: readonly [string, ...string[]];
}

export interface Held {
  /** The longest time between two turns of the event loop. */
  readonly turnMs: number;
  /** The longest stop of the collector of garbage. */
  readonly collectionMs: number;
}

export class MetricsNode extends Forked {
  static async start(place: Place): Promise<MetricsNode> {
    const node = new MetricsNode(import.meta.url);
    node.process.send(place);
    await once(node.process, 'message');
    return node;
  }

  /** For how long its loop was held since it was asked last. */
  async held(): Promise<Held> {
    const told = once(this.process, 'message');
    this.process.send('held');
    const [held] = await told;
    return held as Held;
  }

  /** Ends it, with its engine. */
  async end(): Promise<void> {
    const gone = once(this.process, 'exit');
    this.process.send('end');
    await gone;
  }
}

async function serve({ sessions, port, directory, command }: Place): Promise<void> {
  const engine: Engine = await startEngine({
    socketPath: join(directory, `${sessions}.sock`),
    logPath: join(directory, 'engine.log'),
    command,
    onLost(fault) {
      throw fault;
    },
  });
  const crowd = new Crowd(sessions);
  crowd.holdIn(engine);
  const { pages, streams } = new Metrics(crowd, {}, () => true);
  const ready = () => process.send?.('ready');
  const face = new HttpFace({ clock: crowd.clock, log: ready, readiness: () => [], pages, streams });
  face.configure({ enabled: true, address: 0x7f000001, port, sessions: true });

  let [turnMs, collectionMs, lastMs] = [0, 0, performance.now()];
  const watch = (): void => {
    const nowMs = performance.now();
    turnMs = Math.max(turnMs, nowMs - lastMs);
    lastMs = nowMs;
    setImmediate(watch);
  };
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collectionMs = Math.max(collectionMs, duration);
  });
  observer.observe({ entryTypes: ['gc'] });
  process.on('message', (wish) => {
    if (wish === 'end') return void engine.stop().then(() => process.exit());
    process.send?.({ turnMs, collectionMs } satisfies Held);
    [turnMs, collectionMs] = [0, 0];
  });
  watch();
}

if (process.argv[2] === 'child') process.once('message', (place) => void serve(place as Place));
