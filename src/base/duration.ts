/** Times as RouterOS writes them: `1w2d3h4m5s`, `300ms`, `00:01:30`, a number of seconds. Text in, milliseconds out, and back. */

const units = [
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

const inUnits = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const asClock = /^(?:(\d+)w)?(?:(\d+)d)?(\d{1,2}):([0-5]\d):([0-5]\d)$/;

/** Milliseconds, or undefined if `text` is no time. */
export function parseDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const amounts = text === '' ? null : (asClock.exec(text) ?? inUnits.exec(text));
  if (amounts === null) return undefined;
  return units.reduce((total, [, unitMs], at) => total + Number(amounts[at + 1] ?? 0) * unitMs, 0);
}

/** `4h35s`: the largest unit first, units that are zero dropped; nothing at all is `0s`. */
export function formatDuration(durationMs: number): string {
  let leftMs = Math.floor(durationMs);
  let printed = '';
  for (const [unit, unitMs] of units) {
    const amount = Math.floor(leftMs / unitMs);
    leftMs -= amount * unitMs;
    if (amount > 0) printed += `${amount}${unit}`;
  }
  return printed === '' ? '0s' : printed;
}
