/**
 * The keyboard of a terminal, a line at a time: what is typed or pasted behind a line's end waits until that line has been done,
 * so that it is echoed under the prompt that it belongs to. While something is being done, Ctrl-C and Q end it.
 */

import { PassThrough } from 'node:stream';

/** Characters that may wait: more is not typed, and pasted from a file it should be an import. */
const heldMax = 256 * 1024;
const controlC = '\x03';

export class Keys {
  /** What a line editor may read now. */
  readonly editor = new PassThrough({ encoding: 'utf8' });
  readonly #interrupt: () => void;
  #held = '';
  #isBusy = true;

  constructor(keyboard: NodeJS.ReadableStream, interrupt: () => void) {
    this.#interrupt = interrupt;
    keyboard.setEncoding('utf8');
    keyboard.on('data', (text: string) => {
      const [first = '', ...others] = text.split(controlC);
      for (const piece of [first, ...others.flatMap((each) => [controlC, each])]) this.#typed(piece);
    });
    keyboard.on('end', () => this.editor.end());
  }

  /** Something is being done: what is typed waits. */
  hold(): void {
    this.#isBusy = true;
  }

  /** The operator may type again. */
  release(): void {
    this.#isBusy = false;
    this.#feed();
  }

  #typed(text: string): void {
    if (this.#isBusy && (text === controlC || /^q$/i.test(text))) {
      this.#held = '';
      // By then the editor has handed on the line that is to be interrupted, if both came at once.
      return void setImmediate(this.#interrupt);
    }
    this.#held = (this.#held + text.replace(/\r?\n/g, '\r')).slice(0, heldMax);
    this.#feed();
  }

  /** Up to the first line's end: that holds back the rest. */
  #feed(): void {
    if (this.#isBusy || this.#held === '') return;
    const end = this.#held.indexOf('\r') + 1 || this.#held.length;
    const piece = this.#held.slice(0, end);
    this.#held = this.#held.slice(end);
    if (piece.endsWith('\r')) this.hold();
    this.editor.write(piece);
  }
}
