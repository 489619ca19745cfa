/**
 * The interactive console: a prompt, a line editor (Node's, with its history), Tab and `?`, safe mode by Ctrl-X or F4, lines that
 * go on in the next. What the lines mean, and what completes them, the daemon says.
 */

import { createInterface, type Interface, type Key } from 'node:readline';
import type { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import type { Completion } from './complete.ts';
import { unfinished } from './cursor.ts';
import { safeModeHeld } from './safe-mode.ts';
import { type Commands, type End, type HalfTyped, questionBytesMax, type Refused } from './wire.ts';

export interface TerminalParts {
  readonly daemon: {
    run(commands: Commands, write: (text: string) => Promise<void>): Promise<End>;
    complete(question: HalfTyped): Promise<Completion | undefined>;
  };
  readonly keys: { readonly editor: PassThrough; hold(): void; release(): void };
  readonly output: WriteStream;
  readonly history: { readonly lines: string[]; add(line: string): void };
  readonly historyMax: number;
  readonly json: boolean;
  /** Writes text; resolves when it has been taken. */
  write(text: string): Promise<void>;
}

/** Prompts before the lines that a line goes on in, as RouterOS has them. */
const continuations = { continuation: '\\... ', quotation: '"... ' } as const;

/** Talks with the operator until he goes. Rejects with a `Fault` if the daemon does not answer. */
export function talk(parts: TerminalParts): Promise<void> {
  return new Promise((gone, lost) => new Terminal(parts, lost).begin(gone));
}

class Terminal {
  readonly #parts: TerminalParts;
  readonly #lost: (error: unknown) => void;
  readonly #editor: Interface;
  /** The lines before this one, where it goes on. */
  #before = '';
  #prompt = '';
  #isSafe = false;
  #hasLeft = false;

  constructor(parts: TerminalParts, lost: (error: unknown) => void) {
    this.#parts = parts;
    this.#lost = (error) => {
      this.#editor.close();
      lost(error);
    };
    this.#editor = createInterface({
      input: parts.keys.editor,
      output: parts.output,
      terminal: true,
      history: parts.history.lines,
      historySize: parts.historyMax,
      removeHistoryDuplicates: true,
      completer: (line: string, answer: (error: null, found: [string[], string]) => void) =>
        void this.#complete(line).then((found) => answer(null, found), this.#lost),
    });
  }

  begin(gone: () => void): void {
    this.#editor.on('line', (line) => this.#entered(line));
    this.#editor.on('SIGINT', () => this.#abandon());
    this.#editor.on('close', () => {
      // Ctrl-D leaves the cursor behind the prompt.
      if (!this.#hasLeft) this.#parts.output.write('\n');
      gone();
    });
    this.#parts.keys.editor.on('keypress', (character: string | undefined, key: Key) =>
      this.#pressed(character, key),
    );
    // No command, but its answer has the first prompt.
    this.#do('');
  }

  #entered(line: string): void {
    this.#parts.history.add(line);
    const text = this.#before + line;
    const open = unfinished(text);
    if (open === undefined || text.length > questionBytesMax) {
      this.#before = '';
      return this.#do(text);
    }
    // A text ends in its line: what is typed as a line's end is written as one.
    this.#before = open === 'quotation' ? `${text}\\n` : `${text}\n`;
    this.#editor.setPrompt(continuations[open]);
    this.#ready();
  }

  /** Ctrl-C: what has been typed is forgotten. */
  #abandon(): void {
    this.#before = '';
    this.#parts.output.write('\n');
    this.#editor.write(null, { ctrl: true, name: 'e' });
    this.#editor.write(null, { ctrl: true, name: 'u' });
    this.#editor.setPrompt(this.#prompt);
    this.#editor.prompt();
  }

  #pressed(character: string | undefined, { name, ctrl }: Key): void {
    const isSafeMode = name === 'f4' || (ctrl === true && name === 'x');
    if (isSafeMode) return this.#aside(() => this.#toggleSafeMode());
    const typed = this.#before + this.#editor.line.slice(0, this.#editor.cursor);
    if (name === 'f1') return this.#aside(() => this.#help(typed));
    // In a text it is a character as any other.
    if (character !== '?' || unfinished(typed) === 'quotation') return;
    this.#editor.write(null, { name: 'backspace' });
    this.#aside(() => this.#help(typed.slice(0, -1)));
  }

  #do(text: string): void {
    this.#parts.keys.hold();
    this.#run(text).then((end) => {
      this.#hasLeft = end.hasLeft === true;
      if (this.#hasLeft) return this.#editor.close();
      if (end.fault !== undefined) this.#complain(end.fault);
      this.#ready();
    }, this.#lost);
  }

  /** Something between the keys of a line, which stands there again afterwards. */
  #aside(act: () => Promise<void>): void {
    this.#parts.keys.hold();
    this.#parts.output.write('\n');
    act().then(() => this.#ready(), this.#lost);
  }

  #ready(): void {
    this.#editor.prompt(true);
    this.#parts.keys.release();
  }

  async #run(text: string): Promise<End> {
    const { daemon, output, json, write } = this.#parts;
    const end = await daemon.run({ run: text, width: output.columns, json }, write);
    this.#prompt = end.prompt;
    this.#isSafe = end.isSafe === true;
    this.#editor.setPrompt(end.prompt);
    return end;
  }

  async #toggleSafeMode(): Promise<void> {
    const { fault } = await this.#run(this.#isSafe ? '/safe-mode release' : '/safe-mode take');
    if (fault?.code !== safeModeHeld) return fault && this.#complain(fault);
    const choice = await this.#asked(
      "Hijacking Safe Mode from someone - unroll/release/don't take it [u/r/d]: ",
    );
    const word = { u: 'unroll', r: 'release' }[choice.trim().toLowerCase()];
    const refused = word && (await this.#run(`/safe-mode take ${word}`)).fault;
    if (refused) this.#complain(refused);
  }

  #asked(question: string): Promise<string> {
    return new Promise((answer) => {
      this.#editor.write(null, { ctrl: true, name: 'e' });
      this.#editor.write(null, { ctrl: true, name: 'u' });
      this.#editor.question(question, (text) => {
        this.#editor.setPrompt(this.#prompt);
        answer(text);
      });
      this.#parts.keys.release();
    });
  }

  /** For Tab: Node's line editor inserts what all have in common, and lists them at the second. */
  async #complete(line: string): Promise<[string[], string]> {
    const completion = await this.#parts.daemon.complete({ complete: this.#before + line });
    const from = (completion?.from ?? 0) - this.#before.length;
    const candidates = completion?.candidates.filter(({ text }) => text !== '') ?? [];
    if (completion === undefined || from < 0 || candidates.length === 0) return [[], line];
    const [only, ...others] = candidates;
    const texts =
      only !== undefined && others.length === 0 ? [only.text + only.end] : candidates.map(({ text }) => text);
    // Those left out are one more, so that no more is inserted than is common to all.
    const omitted = completion.omitted > 0 ? [`${completion.prefix}...`] : [];
    return [[...texts, ...omitted], line.slice(from)];
  }

  /** For `?` and F1: RouterOS's list of what may stand here. */
  async #help(typed: string): Promise<void> {
    const completion = await this.#parts.daemon.complete({ complete: typed });
    for (const { text, help } of completion?.candidates ?? []) {
      await this.#parts.write(`${[text, help].filter(Boolean).join(' -- ')}\n`);
    }
    const omitted = completion?.omitted ?? 0;
    if (omitted > 0) await this.#parts.write(`... -- ${omitted} more\n`);
  }

  #complain({ text, hint }: Refused): void {
    this.#parts.output.write(`${text}\n  ${hint}\n`);
  }
}
