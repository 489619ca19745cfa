/**
 * The journal's lines, written and read. One line is one fact: the CRC-32 of the rest in eight hexadecimal digits, a space,
 * JSON. People read journals at night, so names are whole words and a line can be found with grep.
 *
 *     5036e568 {"is":"done","number":4711}
 *
 * A segment is a file of such lines. It opens with all that was true when it was begun, from the line `segment` to the line
 * `whole`; what follows are changes. Every line says how something is, not how it changed, so that a line read twice does no
 * harm, and lines written while the opening still was may repeat what the opening says. Pure; journal.io.ts has the files.
 */

import { toBytes, toHex, toText } from '../base/bytes.ts';
import type { SentRequest } from '../radius/query.ts';
import { crc32 } from './crc32.ts';
import { type Form, type Json, objectOf, text, unionOf, whole } from './form.ts';
import type { AccountingRecord, SessionFacts, Usage } from './record.ts';
import { factsForm, recordForm, sentForm, usageForm } from './record-form.ts';

/** What was last known of a session's use, and when. */
export interface Known {
  /** In ms since 1970. */
  readonly atMs: number;
  readonly uptimeMs: number;
  readonly usage: Usage;
}

/** A session of which a Start was made and no Stop. */
export interface OpenSession {
  readonly facts: SessionFacts;
  /** Between two Interim-Updates, in ms; 0: none. */
  readonly interimMs: number;
  readonly known: Known;
}

export type JournalLine =
  /** Opens a segment. `machine` is the kernel's boot id, `mark` that of session-id.ts, `next` the number of the next record. */
  | {
      readonly is: 'segment';
      readonly format: number;
      readonly machine: string;
      readonly mark: number;
      readonly next: number;
    }
  /** What was true when the segment was begun has been said. */
  | { readonly is: 'whole' }
  | { readonly is: 'record'; readonly number: number; readonly record: AccountingRecord }
  /** Record `number` is on its way to a server in this request. */
  | { readonly is: 'sent'; readonly number: number; readonly sent: SentRequest }
  /** Record `number` needs no telling any more. */
  | { readonly is: 'done'; readonly number: number }
  | { readonly is: 'open'; readonly session: OpenSession }
  | { readonly is: 'usage'; readonly sessionId: string; readonly known: Known };

/** Of this file. A program that finds a larger number is older than the journal. */
export const journalFormat = 1;

const knownForm = objectOf<Known>({ atMs: whole, uptimeMs: whole, usage: usageForm });
const sessionForm = objectOf<OpenSession>({ facts: factsForm, interimMs: whole, known: knownForm });

const lineForm: Form<JournalLine> = unionOf<'is', JournalLine>('is', {
  segment: objectOf({ format: whole, machine: text, mark: whole, next: whole }),
  whole: objectOf({}),
  record: objectOf({ number: whole, record: recordForm }),
  sent: objectOf({ number: whole, sent: sentForm }),
  done: objectOf({ number: whole }),
  open: objectOf({ session: sessionForm }),
  usage: objectOf({ sessionId: text, known: knownForm }),
});

/** With its line feed. */
export function encodeLine(line: JournalLine): string {
  const json = JSON.stringify(lineForm.write(line));
  return `${checkOf(toBytes(json))} ${json}\n`;
}

/**
 * One line, without its line feed. `corrupt`: its octets are not what was written. `unknown`: they are, but this program does
 * not know such a line.
 */
export function decodeLine(octets: Uint8Array): JournalLine | 'corrupt' | 'unknown' {
  const json = octets.subarray(9);
  if (octets.length < 10 || toText(octets.subarray(0, 9)) !== `${checkOf(json)} `) return 'corrupt';
  return lineForm.read(parse(toText(json))) ?? 'unknown';
}

function parse(json: string): Json | undefined {
  try {
    return JSON.parse(json) as Json;
  } catch {
    return undefined; // Well written, but not by this program.
  }
}

function checkOf(octets: Uint8Array): string {
  const check = crc32(octets);
  return toHex(Uint8Array.of(check >>> 24, check >>> 16, check >>> 8, check));
}
