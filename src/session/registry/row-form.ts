/**
 * The form of a session's row in Redis. What is fixed is JSON with the names of its types, because people read it; counters, which
 * are written every minute, are six numbers between spaces. Pure.
 */

import { type Json, objectOf, text, whole } from '../../accounting/form.ts';
import { factsForm } from '../../accounting/record-form.ts';
import type { Known, SessionRow } from './registry.ts';

const rowForm = objectOf<Omit<SessionRow, 'known'>>({
  node: text,
  bootId: text,
  sessionId: text,
  user: text,
  framedAddress: whole,
  callerId: text,
  interfaceName: text,
  encoding: text,
  startedAtMs: whole,
  facts: factsForm,
});

export function rowText({ known: _known, ...row }: SessionRow): string {
  return JSON.stringify(rowForm.write({ ...row, startedAtMs: Math.round(row.startedAtMs) }));
}

export function knownText({ atMs, uptimeMs, usage }: Known): string {
  const { receivedOctets, transmittedOctets, receivedPackets, transmittedPackets } = usage;
  const times = `${Math.round(atMs)} ${Math.round(uptimeMs)}`;
  return `${times} ${receivedOctets} ${transmittedOctets} ${receivedPackets} ${transmittedPackets}`;
}

/** The rows in `{ session, row, counters, … }`. Claims of sessions that are not up, and rows of another release, are left out. */
export function rowsOf(words: readonly string[]): SessionRow[] {
  const rows: SessionRow[] = [];
  for (let at = 0; at < words.length; at += 3) {
    const row = readRow(words[at + 1] ?? '');
    if (row !== undefined) rows.push({ ...row, known: readKnown(words[at + 2] ?? '', row.startedAtMs) });
  }
  return rows;
}

function readRow(written: string): Omit<SessionRow, 'known'> | undefined {
  if (written === '') return undefined;
  try {
    return rowForm.read(JSON.parse(written) as Json);
  } catch {
    return undefined;
  }
}

/** A session whose counters are not known has used nothing that anybody could charge. */
function readKnown(written: string, startedAtMs: number): Known {
  const digits = written.split(' ');
  if (digits.length !== 6 || !digits.every((each) => /^\d{1,20}$/.test(each))) {
    const none = { receivedOctets: 0n, transmittedOctets: 0n, receivedPackets: 0n, transmittedPackets: 0n };
    return { atMs: startedAtMs, uptimeMs: 0, usage: none };
  }
  const [receivedOctets = 0n, transmittedOctets = 0n, receivedPackets = 0n, transmittedPackets = 0n] = digits
    .slice(2)
    .map(BigInt);
  return {
    atMs: Number(digits[0]),
    uptimeMs: Number(digits[1]),
    usage: { receivedOctets, transmittedOctets, receivedPackets, transmittedPackets },
  };
}
