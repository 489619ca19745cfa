/**
 * Commands between nodes. Enter: commands of this node to others, and what its inbox in Redis has: commands of others, and replies.
 * Leave: each command carried out once and within its time, or not at all; each answered once, after `commandMs` at the latest.
 * nodes-reader.io.ts reads the inbox. Pure: Redis is behind a board.
 */

import { toHex } from '../../base/bytes.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { commandText, nodesTally, replyText } from './nodes.ts';
import type { Board } from './nodes-board.ts';
import { commandMs, type NodeCommand, type NodeReply, type RegistryPorts } from './registry.ts';

/** What stands in an inbox: a command, or a reply, which has no sender and no deadline. */
export interface Message {
  readonly id: string;
  /** The owner to whom the reply goes. */
  readonly from?: string;
  /** Redis's time, in ms. */
  readonly deadlineMs?: number;
  readonly body: string;
}

/** Reads an inbox from its beginning, or from where it was. */
export interface InboxReader {
  /** Redis may be another one, which numbers otherwise: from the beginning again. */
  rewind(): void;
  close(): void;
}

/** Has each message of `inbox`, a key, told to `take`. */
export type OpenInbox = (inbox: string, take: (message: Message) => void) => InboxReader;

/** Later a command is not begun, in ms: the reply has a way to go too, and who asked must not be told that nothing happened. */
const performMs = commandMs - 300;
/** Commands that may wait for an answer: a server's CoA-Requests of a second and a half, hundreds each second. */
const waitingMax = 1_000;
/** Octets of a command: a kick of a thousand sessions. */
const bodyMax = 65_536;
/** Ids of commands that are kept to know them when they come twice: twice what an inbox has. */
const seenMax = 2_000;

type Answer = (reply: NodeReply) => void;
const unreachable: NodeReply = { ok: false, why: 'unreachable' };

export interface InboxOptions {
  readonly board: Board;
  readonly node: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly perform: RegistryPorts['perform'];
  /** Redis refused a command, or did not answer. */
  readonly lost: (why: unknown) => void;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #waiting = new Map<string, { readonly answer: Answer; readonly timer: Timer }>();
  readonly #seen = new Set<string>();
  #isClosed = false;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** `canSend`: whether Redis is there, without which no other node can be reached. */
  command(node: string, command: NodeCommand, canSend: boolean, answer: Answer): void {
    const body = commandText.write(command);
    if (this.#isClosed || this.#waiting.size >= waitingMax || body.length > bodyMax) {
      nodesTally.add('commandsTooMany');
      return answer({ ok: false, why: 'refused' });
    }
    const id = this.#expectReply(answer);
    if (node === this.#options.node) {
      return this.#options.perform(command, (reply) => this.#settle(id, reply));
    }
    if (!canSend) return this.#settle(id, unreachable);
    nodesTally.add('commandsSent');
    this.#options.board.send({ node, id, body }, performMs).then(
      (isSent) => isSent || this.#settle(id, unreachable),
      (error: unknown) => {
        this.#settle(id, unreachable);
        this.#options.lost(error);
      },
    );
  }

  take(message: Message): void {
    if (this.#isClosed) return;
    const { id, from, deadlineMs, body } = message;
    if (from === undefined || deadlineMs === undefined) {
      return this.#settle(id, replyText.read(body) ?? unreachable);
    }
    if (this.#seen.has(id)) return nodesTally.add('commandsRepeated');
    if (this.#options.board.isPast(deadlineMs)) return nodesTally.add('commandsExpired');
    remember(this.#seen, id, seenMax);
    this.#perform(body, (reply) => {
      // Who asks has its own clock to give up by.
      this.#options.board.answer(from, id, replyText.write(reply)).catch(this.#options.lost);
    });
  }

  /** What waits for an answer is answered. */
  close(): void {
    this.#isClosed = true;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, unreachable);
  }

  #perform(body: string, answer: Answer): void {
    const command = commandText.read(body);
    if (command === undefined) {
      nodesTally.add('unreadable');
      return answer({ ok: false, why: 'refused' });
    }
    nodesTally.add('commandsPerformed');
    let isAnswered = false;
    this.#options.perform(command, (reply) => {
      if (!isAnswered) answer(reply);
      isAnswered = true;
    });
  }

  #expectReply(answer: Answer): string {
    const id = toHex(this.#options.random(8));
    const timer = this.#options.clock.arm(commandMs, () => this.#settle(id, unreachable));
    this.#waiting.set(id, { answer, timer });
    return id;
  }

  /** Late replies find nobody waiting. */
  #settle(id: string, reply: NodeReply): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    if (reply === unreachable) nodesTally.add('commandsUnanswered');
    waiting.answer(reply);
  }
}

/** The latest `most` names. */
export function remember(names: Set<string>, name: string, most: number): void {
  names.add(name);
  if (names.size <= most) return;
  for (const oldest of names) {
    names.delete(oldest);
    return;
  }
}
