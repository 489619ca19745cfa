/**
 * Words and sentences of RouterOS's API on the wire: each word behind its length, a word of no length ends the sentence.
 *
 *     0xxxxxxx                                   7 bits of length
 *     10xxxxxx xxxxxxxx                         14
 *     110xxxxx xxxxxxxx xxxxxxxx                21
 *     1110xxxx xxxxxxxx xxxxxxxx xxxxxxxx       28
 *     11110000 and four octets                  32
 *     11111xxx                                  control octets, of which none has a meaning
 *
 * Octets enter, sentences leave, or what is wrong; a longer form than needed is accepted. Text is UTF-8. Pure.
 */

import { concat, toBytes } from '../../base/bytes.ts';
import { Malformed } from '../../base/fault.ts';

export type Sentence = readonly string[];

/** Octets of one sentence with its lengths: as much as a question of the console. */
export const sentenceBytesMax = 64 * 1024;

/** The octets of `sentence`, with the empty word that ends it. */
export function encodeSentence(sentence: Sentence): Uint8Array {
  return concat(
    ...sentence.flatMap((word) => {
      const octets = toBytes(word);
      return [encodeLength(octets.length), octets];
    }),
    Uint8Array.of(0),
  );
}

/** For a length of up to 1, 2, 3 and 4 octets: the lengths that fit, and what marks the first octet. */
const forms = [
  { below: 0x80, mark: 0 },
  { below: 0x4000, mark: 0x80 },
  { below: 0x20_0000, mark: 0xc0 },
  { below: 0x1000_0000, mark: 0xe0 },
] as const;

export function encodeLength(length: number): Uint8Array {
  const more = forms.findIndex(({ below }) => length < below);
  const size = more < 0 ? forms.length : more;
  const octets = Array.from({ length: size + 1 }, (_, at) => (length / 2 ** (8 * (size - at))) & 0xff);
  octets[0] = (octets[0] ?? 0) | (forms[size]?.mark ?? 0xf0);
  return Uint8Array.from(octets);
}

/** A length at the head of octets; undefined while they are too few to tell. */
function readLength(
  octets: Uint8Array,
  at: number,
): { length: number; size: number } | Malformed | undefined {
  const first = octets[at];
  if (first === undefined) return undefined;
  if (first > 0xf0) return new Malformed('API_CONTROL_OCTET', 'length', at);
  const more = first < 0x80 ? 0 : first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (octets.length - at <= more) return undefined;
  let length = first & (more === 4 ? 0 : 0xff >> (more === 0 ? 0 : more + 1));
  for (const octet of octets.subarray(at + 1, at + 1 + more)) length = length * 256 + octet;
  return { length, size: 1 + more };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Cuts what a connection brings into sentences. */
export class SentenceStream {
  #words: string[] = [];
  /** Octets of the words that are complete. */
  #taken = 0;
  #rest: Uint8Array = new Uint8Array();

  /** Whether a sentence has begun and not ended. */
  get isInside(): boolean {
    return this.#rest.length > 0 || this.#words.length > 0;
  }

  /** The sentences that `octets` complete; what is wrong ends them, and the stream. Empty sentences are passed over. */
  push(octets: Uint8Array): {
    readonly sentences: readonly Sentence[];
    readonly malformed: Malformed | undefined;
  } {
    const heard = this.#rest.length === 0 ? octets : concat(this.#rest, octets);
    const sentences: Sentence[] = [];
    let at = 0;
    for (;;) {
      const head = readLength(heard, at);
      if (head instanceof Malformed) return { sentences, malformed: head };
      if (head === undefined) break;
      const end = at + head.size + head.length;
      if (this.#taken + end - at > sentenceBytesMax) {
        return { sentences, malformed: new Malformed('API_SENTENCE_TOO_LONG', 'length', at) };
      }
      if (end > heard.length) break;
      const word = decode(heard.subarray(at + head.size, end));
      if (word === undefined) return { sentences, malformed: new Malformed('API_NOT_UTF8', 'word', at) };
      this.#taken += end - at;
      at = end;
      if (word !== '') this.#words.push(word);
      else this.#endSentence(sentences);
    }
    // A copy: the octets belong to the socket.
    this.#rest = heard.slice(at);
    return { sentences, malformed: undefined };
  }

  #endSentence(sentences: Sentence[]): void {
    if (this.#words.length > 0) sentences.push(this.#words);
    this.#words = [];
    this.#taken = 0;
  }
}

function decode(octets: Uint8Array): string | undefined {
  try {
    return utf8.decode(octets);
  } catch {
    return undefined; // Not UTF-8: told as such, for a name that was changed on the way would be another one.
  }
}
