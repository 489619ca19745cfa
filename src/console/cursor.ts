/**
 * Where in a half-typed text the cursor stands: which statements are finished before it, which words of its own statement are,
 * and what has been typed of the word at it. Tolerant where config/syntax.ts is strict, because the text goes on. Pure.
 */

export interface Cursor {
  /** The statements before the one at the cursor. */
  readonly finished: string;
  /** The words of the statement before the cursor's, outside of brackets. */
  readonly statement: string;
  /** The words behind the `[` that the cursor stands in; undefined outside of brackets. */
  readonly query: string | undefined;
  /** What has been typed of the word. */
  readonly word: string;
  /** Offset of the word. */
  readonly at: number;
}

/** What text is left to be finished by another line. */
export type Unfinished = 'quotation' | 'continuation';

/** Quotation (perhaps not closed), a comment, `\` at the end of a line, blanks, a sign, or anything else in a row. */
const token = /"(?:[^"\\]|\\[\s\S])*("|\\?$)|#[^\n]*|\\[ \t\r]*(?:\n|$)|[ \t\r]+|[;\n[\]]|[^\s;"[\]\\]+|\\/g;

/** The cursor stands at the end of `text`. */
export function cursorOf(text: string): Cursor {
  let statement = 0;
  let query: number | undefined;
  let word = 0;
  for (const { 0: piece, index } of text.matchAll(token)) {
    const behind = index + piece.length;
    if (isEnd(piece)) {
      statement = behind;
      query = undefined;
    } else if (piece === '[') query = behind;
    else if (piece === ']') query = undefined;
    if (isBorder(piece) || (piece.startsWith('#') && index === word)) word = behind;
  }
  return {
    finished: text.slice(0, statement),
    statement: text.slice(statement, query === undefined ? word : query - 1),
    query: query === undefined ? undefined : text.slice(query, word),
    word: text.slice(word),
    at: word,
  };
}

/** What `text` waits for, if a line end cannot be all that follows it. */
export function unfinished(text: string): Unfinished | undefined {
  const last = [...text.matchAll(token)].at(-1);
  if (last?.[0].startsWith('"') && last[1] !== '"') return 'quotation';
  return last?.[0].startsWith('\\') ? 'continuation' : undefined;
}

function isEnd(piece: string): boolean {
  return piece === ';' || piece === '\n';
}

/** Whether a word ends before `piece`, and the next begins behind it. */
function isBorder(piece: string): boolean {
  return /^[\s;[\]]/.test(piece) || /^\\[ \t\r]*\n/.test(piece);
}
