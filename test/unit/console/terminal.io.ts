/**
 * An operator at a terminal: what he types, and what he sees. Escape sequences are obeyed as a terminal would, so that a test
 * reads the screen and not the octets. `sitAtTerminal` gives him `pptpctl` on a pseudo-terminal of `script`; `sitDown` the same
 * parts within this process, which costs no start of a program.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { Daemon } from '../../../src/console/daemon.io.ts';
import { historyMax, openHistory } from '../../../src/console/history.io.ts';
import { Keys } from '../../../src/console/keys.io.ts';
import { talk } from '../../../src/console/terminal.io.ts';

const program = fileURLToPath(new URL('../../../src/console/pptpctl.io.ts', import.meta.url));
const typescript = fileURLToPath(new URL('../../system/typescript.mjs', import.meta.url));

export const key = {
  up: '\x1b[A',
  f1: '\x1bOP',
  f4: '\x1bOS',
  ctrlC: '\x03',
  ctrlD: '\x04',
  ctrlX: '\x18',
} as const;

/** Where he sits. */
interface Seat {
  press(text: string): void;
  /** What the program writes, piece by piece. */
  readonly output: NodeJS.ReadableStream;
  /** Resolves to the exit status. */
  readonly left: Promise<number | null>;
  /** The terminal is torn away. */
  kill(): void;
}

/** Both find the daemon's socket and the user's state in `directory`. */
export function sitAtTerminal(directory: string): Operator {
  const node = `${process.execPath} --import ${typescript} ${program} --run ${directory}`;
  const child = spawn('script', ['-qfec', `stty cols 100 rows 50; exec ${node}`, '/dev/null'], {
    env: { ...process.env, XDG_STATE_HOME: directory, TERM: 'xterm' },
  });
  return new Operator({
    press: (text) => child.stdin.write(text),
    output: child.stdout,
    left: once(child, 'close').then(() => child.exitCode),
    kill: () => child.kill('SIGKILL'),
  });
}

export function sitDown(directory: string): Operator {
  const keyboard = new PassThrough();
  const output = Object.assign(new PassThrough(), { columns: 100 });
  const daemon = new Daemon(join(directory, 'console.sock'));
  const left = talk({
    daemon,
    keys: new Keys(keyboard, () => daemon.interrupt()),
    output: output as unknown as WriteStream,
    history: openHistory(join(directory, 'pptpctl')),
    historyMax,
    json: false,
    write: async (text) => void output.write(text),
  });
  return new Operator({
    press: (text) => keyboard.write(text),
    output,
    left: left.then(() => {
      daemon.close();
      return 0;
    }),
    kill: () => daemon.close(),
  });
}

export class Operator {
  readonly #seat: Seat;
  readonly #screen = new Screen();
  /** The last line of the screen when it was last looked at. */
  #seen = 0;
  #last = '';
  #hasLeft = false;
  #watch: (() => void) | undefined;

  constructor(seat: Seat) {
    this.#seat = seat;
    seat.output.setEncoding('utf8').on('data', (text: string) => {
      this.#screen.write(text);
      this.#watch?.();
    });
    void seat.left.then(() => {
      this.#hasLeft = true;
      this.#watch?.();
    });
  }

  press(text: string): void {
    this.#seat.press(text);
  }

  /** Types `text`, and waits until the screen ends in `last`. Gives back the lines that came since the last time. */
  types(text: string, last: string | RegExp): Promise<string> {
    this.press(text);
    return this.sees(last);
  }

  /** Waits until the screen ends in the line `last` and did not before, or until what came since has that pattern. */
  async sees(last: string | RegExp): Promise<string> {
    const { lines } = this.#screen;
    const news = () => lines.slice(this.#seen).join('\n');
    const isThere = () =>
      typeof last === 'string'
        ? lines.at(-1) === last && (lines.length - 1 > this.#seen || last !== this.#last)
        : last.test(news());
    while (!isThere()) {
      if (this.#hasLeft) throw new Error(`he left, and did not see ${last}:\n${lines.join('\n')}`);
      await new Promise<void>((resolve) => {
        this.#watch = resolve;
      });
    }
    const seen = news();
    this.#seen = lines.length - 1;
    this.#last = lines.at(-1) ?? '';
    return seen;
  }

  left(): Promise<number | null> {
    return this.#seat.left;
  }

  kill(): void {
    this.#seat.kill();
  }
}

/** An escape sequence with its number and letter, or one character. */
const token = new RegExp(`${String.fromCharCode(27)}\\[([\\d;?]*)([A-Za-z])|[^]`, 'g');

/** Lines of text under a cursor. */
class Screen {
  readonly lines: string[] = [''];
  #row = 0;
  #column = 0;

  write(text: string): void {
    for (const [piece, count, letter] of text.matchAll(token)) {
      if (letter === undefined) this.#put(piece);
      else this.#obey(letter, Number(count || 1));
    }
  }

  #put(character: string): void {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') this.#newLine();
    else if (character >= ' ') {
      const line = this.#line.padEnd(this.#column);
      this.#line = line.slice(0, this.#column) + character + line.slice(this.#column + 1);
      this.#column += 1;
    }
  }

  /** Sequences that are not here move nothing. */
  #obey(letter: string, count: number): void {
    if (letter === 'G') this.#column = count - 1;
    else if (letter === 'C') this.#column += count;
    else if (letter === 'D') this.#column -= count;
    else if (letter === 'A') this.#row = Math.max(0, this.#row - count);
    else if (letter === 'J') {
      this.lines.length = this.#row + 1;
      this.#line = this.#line.slice(0, this.#column);
    }
  }

  #newLine(): void {
    this.#column = 0;
    this.#row += 1;
    if (this.lines.length === this.#row) this.lines.push('');
  }

  get #line(): string {
    return this.lines[this.#row] ?? '';
  }

  set #line(text: string) {
    this.lines[this.#row] = text;
  }
}
