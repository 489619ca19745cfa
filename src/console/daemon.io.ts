/** The operator's end of the console's socket: asks one question at a time, and hands on what comes. See wire.ts. */

import { createConnection, type Socket } from 'node:net';
import { Fault } from '../base/fault.ts';
import type { Completion } from './complete.ts';
import { type Answer, type Commands, type End, encode, type HalfTyped, readAnswer } from './wire.ts';

export class Daemon {
  readonly #path: string;
  readonly #socket: Socket;
  readonly #answers: AsyncGenerator<Answer, void>;
  /** What was asked last, until it is answered. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(socketPath: string) {
    this.#path = socketPath;
    this.#socket = createConnection(socketPath);
    this.#socket.setEncoding('utf8');
    this.#answers = this.#read();
  }

  /** Does commands; resolves to their end. `write` takes the text: until it resolves, the daemon is held back. */
  run(commands: Commands, write: (text: string) => Promise<void>): Promise<End> {
    return this.#inTurn(async () => {
      this.#socket.write(encode(commands));
      for (;;) {
        const answer = await this.#next();
        if ('end' in answer) return answer.end;
        if ('text' in answer) await write(answer.text);
      }
    });
  }

  /** What may stand at the end of a text; undefined if the daemon cannot tell. */
  complete(question: HalfTyped): Promise<Completion | undefined> {
    return this.#inTurn(async () => {
      this.#socket.write(encode(question));
      let completion: Completion | undefined;
      for (;;) {
        const answer = await this.#next();
        if ('end' in answer) return completion;
        if ('completion' in answer) completion = answer.completion;
      }
    });
  }

  /** Ends what is being done. */
  interrupt(): void {
    this.#socket.write(encode({ interrupt: true }));
  }

  close(): void {
    this.#socket.destroy();
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act);
    // Whoever asked is told of a failure; who asks next finds out himself.
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #next(): Promise<Answer> {
    const { done, value } = await this.#answers.next();
    if (!done) return value;
    const hint = 'It may just have ended; see its log.';
    throw new Fault('CONSOLE_LOST', 'system', 'the daemon hung up in the middle of its answer', hint);
  }

  async *#read(): AsyncGenerator<Answer, void> {
    let heard = '';
    try {
      for await (const chunk of this.#socket) {
        const lines = (heard + chunk).split('\n');
        heard = lines.pop() ?? '';
        for (const line of lines) yield readAnswer(line);
      }
    } catch (error) {
      throw error instanceof Fault ? error : notThere(this.#path, error);
    }
  }
}

const hints: Readonly<Record<string, string>> = {
  ENOENT: 'Is it running, and with the same --run?',
  ECONNREFUSED: 'It has died, or is just starting; see its log.',
  EACCES: 'Its console is for the user that it runs as, and for root.',
};

function notThere(socketPath: string, error: unknown): Fault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const words = `no daemon answers at ${socketPath}: ${code}`;
  return new Fault('CONSOLE_UNREACHABLE', 'system', words, hints[code] ?? 'See the log of the daemon.');
}
