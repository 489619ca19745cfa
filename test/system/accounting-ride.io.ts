/**
 * One ride through the storm: control is killed at random moments until enough sessions have been, then everything calms down.
 * Then the server's records are compared with the truth.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { below, seededRandom } from '../../src/base/random.ts';
import { withoutCopies } from './accounting-copies.ts';
import { Storm, type Truth } from './accounting-storm.io.ts';
import { FreeRadius, type Recorded } from './freeradius.io.ts';

export interface RideOptions {
  readonly directory: string;
  /** At least so many. */
  readonly sessions: number;
  readonly ratePerSecond: number;
  readonly seed: number;
}

export interface Ride {
  readonly truth: ReadonlyMap<string, Truth>;
  readonly records: readonly Recorded[];
  readonly kills: number;
}

/** A storm over `disturbed`, which says how many times it killed, and a calm after it. */
async function through(
  { directory, ratePerSecond, seed }: RideOptions,
  disturbed: (storm: Storm, server: FreeRadius) => Promise<number>,
): Promise<Ride> {
  const server = await FreeRadius.start({});
  const { accountingPort, secret } = server;
  const storm = new Storm({ directory, ratePerSecond, seed, accountingPort, secret });
  try {
    await storm.begin();
    const kills = await disturbed(storm, server);
    await storm.calm();
    const ride = { truth: storm.truth, records: server.records(), kills };
    console.log(`${storm.truth.size} sessions, ${kills} kills, ${ride.records.length} records, seed ${seed}`);
    return ride;
  } finally {
    await storm.close();
    await server.remove();
  }
}

/** Control is killed at random moments. */
export function ride(options: RideOptions): Promise<Ride> {
  const random = seededRandom(options.seed);
  return through(options, async (storm) => {
    let kills = 0;
    while (storm.truth.size < options.sessions) {
      // A moment like any other: what is waited for is the crash itself.
      await pause(100 + below(random, 900));
      await storm.kill();
      kills += 1;
      await storm.begin();
    }
    return kills;
  });
}

/** The server dies, later it stands still, while sessions go on; control is killed once in each outage. */
export function outages(options: RideOptions): Promise<Ride> {
  const quarter = options.sessions / 4;
  const crash = async (storm: Storm): Promise<void> => {
    await storm.kill();
    await storm.begin();
  };
  return through(options, async (storm, server) => {
    await storm.sessions(quarter);
    await server.kill();
    await storm.sessions(2 * quarter);
    await crash(storm);
    await server.restart();
    await storm.sessions(3 * quarter);
    server.freeze();
    await storm.sessions(4 * quarter);
    await crash(storm);
    server.thaw();
    return 2;
  });
}

/** What of the truth the records of the server do not bear out: nothing. Anything but a copy that stands there twice is wrong. */
export function compare({ truth, records }: Ride): void {
  const { told, copies } = withoutCopies(records);
  const wrong: string[] = [];
  for (const [sessionId, one] of truth) {
    const trouble = troubleOf(one, told.get(sessionId) ?? []);
    if (trouble !== undefined) wrong.push(`${sessionId}: ${trouble} ${JSON.stringify(one)}`);
  }
  console.log(`${copies} records were told twice, word for word`);
  expect(wrong.slice(0, 20), `${wrong.length} sessions are wrong`).toEqual([]);
}

function troubleOf(truth: Truth, records: readonly Recorded[]): string | undefined {
  const kinds = records.map((record) => record.get('Acct-Status-Type') ?? '');
  // Of a session that had just come up as control was killed the journal may know nothing.
  if (kinds.length === 0 && !truth.isStartKept) return undefined;
  if (kinds[0] !== 'Start' || kinds.at(-1) !== 'Stop') return `records ${kinds}`;
  if (kinds.slice(1, -1).some((kind) => kind !== 'Interim-Update')) return `records ${kinds}`;
  const octets = records.slice(1).map(octetsOf);
  if (octets.some((each, at) => at > 0 && each < (octets[at - 1] ?? 0))) return `octets ${octets}`;
  const final = octets.at(-1) ?? -1;
  if (truth.keptStop !== undefined) return final === truth.keptStop ? undefined : `stopped at ${final}`;
  return final >= truth.keptInterim && final <= truth.octets ? undefined : `stopped at ${final}`;
}

function octetsOf(record: Recorded): number {
  const part = (name: string): number => Number(record.get(name) ?? Number.NaN);
  return part('Acct-Input-Gigawords') * 2 ** 32 + part('Acct-Input-Octets');
}
