/**
 * RouterOS script text to statements: words, `name=value` arguments and `[ find … ]` queries, each with its place. Knows
 * quotation, escapes, comments, `\` at the end of a line and `;`; does not know what any word means, and has no variables,
 * blocks or expressions: `$`, `(` and `{` are refused rather than misread.
 */

import { type Position, placed, type ScriptFault } from './fault.ts';
import { readQuoted } from './quotation.ts';

export interface Word {
  readonly node: 'word';
  readonly text: string;
  /** True if it was written in quotation marks, which makes it a value and never punctuation. */
  readonly quoted: boolean;
  readonly at: Position;
}

/** `name=value`; the value is the empty word if nothing follows the sign. */
export interface Argument {
  readonly node: 'argument';
  readonly name: Word;
  readonly value: Word | Query;
}

/** `[ … ]`, a command whose result is put in place. */
export interface Query {
  readonly node: 'query';
  readonly nodes: readonly Node[];
  readonly at: Position;
}

export type Node = Word | Argument | Query;

/** One command with its arguments, or a menu's path alone. Never empty. */
export interface Statement {
  readonly nodes: readonly Node[];
  /** Just behind the last node: where something is missed. */
  readonly end: Position;
}

/** Where `node` begins. */
export function placeOf(node: Node): Position {
  return node.node === 'argument' ? node.name.at : node.at;
}

/** The statements of `text`. Throws a `ScriptFault` at the first thing that is none. */
export function parseStatements(text: string, file: string): Statement[] {
  return new Scanner(text, file).statements();
}

const blank = /[ \t\r]/;
/** What ends a word that is not quoted. `\` is among them: outside quotation it only continues a line. */
const special = /[\s;="[\](){}$\\]/;
/** `\` at the end of a line joins the next one; manuals print blanks behind it. */
const continuation = /\\[ \t\r]*(?:\n|$)/y;

class Scanner {
  readonly #text: string;
  readonly #file: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  /** Behind the node read last. */
  #end: Position;
  #inQuery = false;

  constructor(text: string, file: string) {
    this.#text = text.startsWith('\ufeff') ? text.slice(1) : text;
    this.#file = file;
    this.#end = this.#position();
  }

  statements(): Statement[] {
    const found: Statement[] = [];
    while (this.#at < this.#text.length) {
      const nodes = this.#nodes();
      if (nodes.length > 0) found.push({ nodes, end: this.#end });
      const stop = this.#peek();
      if (stop === ']') throw this.#wrong();
      if (stop === '\n') this.#newLine();
      else this.#at += 1;
    }
    return found;
  }

  /** Nodes up to the end of the statement or the bracket that closes it. */
  #nodes(): Node[] {
    const nodes: Node[] = [];
    for (;;) {
      this.#skipBlanks();
      const next = this.#peek();
      if (next === '#' && nodes.length === 0) this.#skipComment();
      else if (next === undefined || next === '\n' || next === ';' || next === ']') return nodes;
      else nodes.push(this.#node());
      this.#end = this.#position();
    }
  }

  #node(): Node {
    if (this.#peek() === '[') return this.#query();
    const name = this.#word();
    if (this.#peek() !== '=' || name.quoted) return name;
    this.#at += 1;
    return { node: 'argument', name, value: this.#value() };
  }

  /** What stands directly behind `=`: nothing is the empty text. RouterOS's exports wrap there too. */
  #value(): Word | Query {
    if (this.#continues()) this.#skipBlanks();
    const next = this.#peek();
    if (next === '[') return this.#query();
    if (next !== undefined && !/[\s;\]]/.test(next)) return this.#word();
    return { node: 'word', text: '', quoted: false, at: this.#position() };
  }

  #word(): Word {
    const at = this.#position();
    if (this.#peek() === '"') {
      const { text, next } = readQuoted(this.#text, this.#at, (offset) => this.#positionOf(offset));
      this.#advanceTo(next);
      return { node: 'word', text, quoted: true, at };
    }
    const from = this.#at;
    while (this.#at < this.#text.length && !special.test(this.#text.charAt(this.#at))) this.#at += 1;
    if (this.#at === from) throw this.#wrong();
    return { node: 'word', text: this.#text.slice(from, this.#at), quoted: false, at };
  }

  /** No query stands in another: there is nothing to find there, and depth would be the writer's to choose. */
  #query(): Query {
    if (this.#inQuery) throw this.#wrong();
    this.#inQuery = true;
    const at = this.#position();
    this.#at += 1;
    const nodes = this.#nodes();
    if (this.#peek() !== ']') {
      const hint = 'What [ opened ends with ] in the same line.';
      throw placed('CONFIG_SYNTAX', this.#position(), 'expected closing bracket', hint);
    }
    this.#at += 1;
    this.#inQuery = false;
    return { node: 'query', nodes, at };
  }

  #skipBlanks(): void {
    for (;;) {
      if (this.#continues()) this.#advanceTo(continuation.lastIndex);
      else if (blank.test(this.#peek() ?? '')) this.#at += 1;
      else return;
    }
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #continues(): boolean {
    continuation.lastIndex = this.#at;
    return continuation.test(this.#text);
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #newLine(): void {
    this.#at += 1;
    this.#line += 1;
    this.#lineStart = this.#at;
  }

  /** Moves on, counting the lines between. */
  #advanceTo(offset: number): void {
    const from = this.#at;
    for (const { index } of this.#text.slice(from, offset).matchAll(/\n/g)) {
      this.#at = from + index;
      this.#newLine();
    }
    this.#at = offset;
  }

  #position(): Position {
    return { file: this.#file, line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  /** Where `offset` stands, in quotation that began on the present line. */
  #positionOf(offset: number): Position {
    const lines = this.#text.slice(this.#lineStart, offset).split('\n');
    const column = (lines.at(-1)?.length ?? 0) + 1;
    return { file: this.#file, line: this.#line + lines.length - 1, column };
  }

  #wrong(): ScriptFault {
    const hint = /[$(){}]/.test(this.#peek() ?? '')
      ? 'Variables, expressions and blocks are not supported.'
      : 'A value with blanks, brackets or other signs stands in quotation marks.';
    return placed('CONFIG_SYNTAX', this.#position(), 'syntax error', hint);
  }
}
