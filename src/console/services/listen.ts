/**
 * What goes on until it is cancelled: `listen` tells of items that are added, changed or gone, `monitor` how one item does, `print`
 * with an interval all of them, again and again. What runs does not say when it changes, so it is looked at again; times that pass
 * by themselves, such as uptime, are no change. Pure.
 */

import { parseDuration } from '../../base/duration.ts';
import { textOf } from '../face.ts';
import { objectOf } from '../json.ts';
import { pause } from '../run.ts';
import {
  type Flow,
  forEachSeen,
  type Inquiry,
  type ServiceDesk,
  selected,
  serviceFault,
  type Told,
  told,
} from './desk.ts';
import type { Row } from './row.ts';

/** From one look to the next, as RouterOS's `monitor` has it. */
const lookMs = 1000;
/** Looking at 10,000 sessions takes a while: it may take a twentieth of the time, whoever asks for it. */
const restFactor = 20;
const intervalMs = { least: 100, most: 3_600_000 } as const;

/** Properties that change by themselves. */
const passing: ReadonlySet<string> = new Set(['uptime', 'last-seen']);

/** Items as they change; with `isFirstTold` all that there are, first. */
export function* listen(inquiry: Inquiry, desk: ServiceDesk, isFirstTold: boolean): Flow {
  const known = new Map<string, string>();
  let isTold = isFirstTold;
  for (;;) {
    const beganMs = desk.clock.nowMs();
    const gone = new Set(known.keys());
    yield* forEachSeen(inquiry, desk, ({ item: { id }, row }) => {
      gone.delete(id);
      const now = fingerprintOf(row);
      if (known.get(id) === now) return undefined;
      known.set(id, now);
      return isTold ? told(row, inquiry) : undefined;
    });
    for (const id of gone) {
      known.delete(id);
      yield { row: { '.id': id, '.dead': 'yes' } };
    }
    isTold = true;
    yield* pause(desk.clock, Math.max(lookMs, restFactor * (desk.clock.nowMs() - beganMs)));
  }
}

function fingerprintOf(row: Row): string {
  return JSON.stringify(Object.entries(row).filter(([name]) => !passing.has(name)));
}

/** `monitor` of the items that are named, once or every second. */
export function* monitor(inquiry: Inquiry, desk: ServiceDesk): Flow {
  const shown = inquiry.face.live?.monitor;
  if (shown === undefined) throw new Error(`${inquiry.face.menu.path} has nothing to monitor`);
  yield* again(inquiry, desk, lookMs, function* () {
    for (const item of yield* selected(inquiry, desk)) {
      const values = shown.of(item);
      if (values === undefined) continue;
      const settings = shown.menu.settings.filter((setting) => textOf(values, setting) !== undefined);
      const { '.id': _, ...row } = objectOf(shown.menu, { ...item, values }, settings);
      yield told(row, inquiry);
    }
  });
  return undefined;
}

/** Does `show` once, or every `interval`; each row then has the number of its round, as RouterOS's have. */
export function* again(
  { arguments: given }: Inquiry,
  desk: ServiceDesk,
  defaultMs: number | undefined,
  show: () => Flow<void>,
): Flow<void> {
  const everyMs = intervalIn(given.get('interval')) ?? (given.has('once') ? undefined : defaultMs);
  if (everyMs === undefined) return yield* show();
  for (let section = 0; ; section += 1) {
    yield* numbered(show(), section);
    yield* pause(desk.clock, everyMs);
  }
}

function intervalIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const valueMs = parseDuration(text);
  if (valueMs !== undefined && valueMs >= intervalMs.least && valueMs <= intervalMs.most) return valueMs;
  throw serviceFault(
    'SERVICE_VALUE',
    'invalid value for argument interval',
    'interval is: time [100ms..1h].',
  );
}

/** Rows of `flow` with `.section`. */
function* numbered(flow: Flow<void>, section: number): Flow<void> {
  let answer: unknown;
  try {
    for (;;) {
      const { done, value } = flow.next(answer);
      if (done) return;
      const isRow = typeof value === 'object' && 'row' in value;
      const step: Told | typeof value = isRow
        ? { row: { '.section': String(section), ...value.row } }
        : value;
      answer = yield step;
    }
  } finally {
    flow.return();
  }
}
