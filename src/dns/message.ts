/**
 * The DNS message (RFC 1035 section 4): octets in, a `Message` or `Malformed` out, and back. UPDATE (RFC 2136 section 2) has
 * the same shape under other names: its zone is the question, its prerequisites are the answers, its changes the authorities.
 * What stands inside a record is record.ts's, except that nothing here needs to know it.
 *
 *     ID 2 | flags 2 | QDCOUNT 2 | ANCOUNT 2 | NSCOUNT 2 | ARCOUNT 2 | questions … | answers … | authorities … | additionals …
 */

import { concat, Reader, Writer } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import { type DomainName, encodeName, isSameName, readName } from './name.ts';

/** Section 4.1.1 and RFC 2136 section 1.3. */
export const opcodes = { query: 0, update: 5 } as const;

/** Types that we speak: RFC 1035 section 3.2.2, RFC 6891, RFC 8945, RFC 5936, RFC 1995, RFC 8482. */
export const types = {
  a: 1,
  ns: 2,
  cname: 5,
  soa: 6,
  opt: 41,
  tsig: 250,
  ixfr: 251,
  axfr: 252,
  any: 255,
} as const;

/** RFC 1035 section 3.2.4; `none` is RFC 2136's. */
export const classes = { internet: 1, none: 254, any: 255 } as const;

/** RFC 1035 section 4.1.1, RFC 2136 section 2.2, RFC 6891 section 9. */
export const rcodes = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  rrsetIsNotThere: 8,
  notAuthoritative: 9,
  badVersion: 16,
} as const;

/** One bit of the flags each. */
const flagBits = {
  isResponse: 0x8000,
  isAuthoritative: 0x0400,
  isTruncated: 0x0200,
  isRecursionDesired: 0x0100,
} as const;

export interface Question {
  readonly name: DomainName;
  readonly type: number;
  readonly class: number;
}

export interface ResourceRecord extends Question {
  /** In seconds. */
  readonly ttl: number;
  readonly data: Uint8Array;
}

/** A record of a message that was read; `at` is where it begins. */
export interface PlacedRecord extends ResourceRecord {
  readonly at: number;
}

export interface Header {
  /** 0 … 65535. */
  readonly id: number;
  readonly opcode: number;
  readonly isResponse: boolean;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly isRecursionDesired: boolean;
  /** Its low four bits; the others stand in the OPT record (RFC 6891 section 6.1.3). */
  readonly rcode: number;
}

export interface Sections<R extends ResourceRecord> {
  readonly questions: readonly Question[];
  readonly answers: readonly R[];
  readonly authorities: readonly R[];
  readonly additionals: readonly R[];
}

export type Message<R extends ResourceRecord = PlacedRecord> = Header & Sections<R>;

export const headerBytes = 12;

/** Where ARCOUNT stands in the header. */
export const additionalCountAt = 10;

/** The first question, to whose name records of the same name point. */
const toFirstQuestion = 0xc000 | headerBytes;

/** A message of which only `id` and `opcode` are said. */
export function emptyMessage(id: number, opcode: number): Message<ResourceRecord> {
  return {
    id,
    opcode,
    isResponse: false,
    isAuthoritative: false,
    isTruncated: false,
    isRecursionDesired: false,
    rcode: rcodes.noError,
    questions: [],
    answers: [],
    authorities: [],
    additionals: [],
  };
}

/** The octets of `message`. A record that is called like the first question points to its name, which is all the compression there is. */
export function encodeMessage(message: Message<ResourceRecord>): Uint8Array {
  const { id, opcode, rcode, questions, answers, authorities, additionals } = message;
  const set = flagNames.filter((flag) => message[flag]).reduce((bits, flag) => bits | flagBits[flag], 0);
  const header = new Writer(new Uint8Array(headerBytes)).u16(id).u16(set | (opcode << 11) | (rcode & 0xf));
  for (const section of [questions, answers, authorities, additionals]) header.u16(section.length);

  const records = [...answers, ...authorities, ...additionals];
  const first = questions[0]?.name;
  return concat(
    header.done(),
    ...questions.map(encodeQuestion),
    ...records.map((record) => encodeRecord(record, first)),
  );
}

const flagNames = Object.keys(flagBits) as (keyof typeof flagBits)[];

function encodeQuestion({ name, type, class: ofClass }: Question): Uint8Array {
  return concat(encodeName(name), new Writer(new Uint8Array(4)).u16(type).u16(ofClass).done());
}

/** The octets of one record; it may point to `first` if it is called so. */
export function encodeRecord(record: ResourceRecord, first?: DomainName): Uint8Array {
  const { name, type, class: ofClass, ttl, data } = record;
  const isPointer = first !== undefined && first !== '' && isSameName(name, first);
  const owner = isPointer ? new Writer(new Uint8Array(2)).u16(toFirstQuestion).done() : encodeName(name);
  const fixed = new Writer(new Uint8Array(10)).u16(type).u16(ofClass).u32(ttl).u16(data.length);
  return concat(owner, fixed.done(), data);
}

/** The header alone: enough to refuse what cannot be read. */
export function decodeHeader(octets: Uint8Array): Header | Malformed {
  if (octets.length < headerBytes) return new Malformed('DNS_SHORT', 'ID', 0);
  return readHeader(new Reader(octets));
}

/** The message that `octets` are, all of them. */
export function decodeMessage(octets: Uint8Array): Message | Malformed {
  if (octets.length < headerBytes) return new Malformed('DNS_SHORT', 'ID', 0);
  const reader = new Reader(octets);
  const header = readHeader(reader);
  const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()] as const;
  const readerAt = (offset: number): Reader => {
    const from = new Reader(octets);
    from.skip(offset);
    return from;
  };
  const question = (): Question | Malformed => readQuestion(reader, readerAt);
  const record = (): PlacedRecord | Malformed => readRecord(reader, readerAt);

  const questions = readMany(counts[0], question);
  if (questions instanceof Malformed) return questions;
  const answers = readMany(counts[1], record);
  if (answers instanceof Malformed) return answers;
  const authorities = readMany(counts[2], record);
  if (authorities instanceof Malformed) return authorities;
  const additionals = readMany(counts[3], record);
  if (additionals instanceof Malformed) return additionals;
  if (reader.left > 0) return new Malformed('DNS_TRAILING', 'additional', reader.at);
  return { ...header, questions, answers, authorities, additionals };
}

function readHeader(reader: Reader): Header {
  const [id, bits] = [reader.u16(), reader.u16()];
  return {
    id,
    opcode: (bits >> 11) & 0xf,
    isResponse: (bits & flagBits.isResponse) !== 0,
    isAuthoritative: (bits & flagBits.isAuthoritative) !== 0,
    isTruncated: (bits & flagBits.isTruncated) !== 0,
    isRecursionDesired: (bits & flagBits.isRecursionDesired) !== 0,
    rcode: bits & 0xf,
  };
}

/** Reads while there is something to read: a count that lies costs no more than the octets that came. */
function readMany<T>(count: number, read: () => T | Malformed): readonly T[] | Malformed {
  const many: T[] = [];
  while (many.length < count) {
    const one = read();
    if (one instanceof Malformed) return one;
    many.push(one);
  }
  return many;
}

function readQuestion(reader: Reader, readerAt: (offset: number) => Reader): Question | Malformed {
  const name = readName(reader, readerAt);
  if (name instanceof Malformed) return name;
  if (reader.left < 4) return new Malformed('DNS_SHORT', 'QTYPE', reader.at);
  return { name, type: reader.u16(), class: reader.u16() };
}

function readRecord(reader: Reader, readerAt: (offset: number) => Reader): PlacedRecord | Malformed {
  const at = reader.at;
  const question = readQuestion(reader, readerAt);
  if (question instanceof Malformed) return question;
  if (reader.left < 6) return new Malformed('DNS_SHORT', 'TTL', reader.at);
  const [ttl, size] = [reader.u32(), reader.u16()];
  if (reader.left < size) return new Malformed('DNS_SHORT', 'RDATA', reader.at);
  return { ...question, ttl, data: reader.bytes(size), at };
}
