/**
 * `/log`: the lines that were told last, as RouterOS shows them: time, topics, message. Stands in the way of the log and lets every
 * line through; keeps a bounded number, in memory alone. Times are UTC, as in the lines themselves. Pure.
 */

import { text } from '../base/kind.ts';
import type { Facts, Log } from '../base/observe.ts';
import { menu, type Row } from '../base/setting.ts';
import type { Face, Shown } from './face.ts';

/** Lines that are kept: RouterOS's default. */
const linesMax = 1000;

interface Line {
  readonly number: number;
  readonly wallMs: number;
  readonly topics: string;
  readonly message: string;
  /** Whom it is about, if it is about one session. */
  readonly user: string;
  readonly sessionId: string;
}

/** The last lines of a log. */
export class LogRing {
  readonly #wallMs: () => number;
  /** As a ring: the line of number n stands at n modulo `linesMax`. */
  readonly #lines: Line[] = [];
  #count = 0;
  readonly #followers = new Set<(line: Line) => void>();

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** `log`, with all lines but those for debugging kept on the way. */
  before(log: Log): Log {
    return (severity, topics, message, facts) => {
      if (severity !== 'debug') this.#keep(`${topics},${severity}`, message, facts);
      log(severity, topics, message, facts);
    };
  }

  /** Oldest first. */
  get lines(): readonly Line[] {
    const oldest = this.#count % linesMax;
    return this.#count <= linesMax
      ? [...this.#lines]
      : [...this.#lines.slice(oldest), ...this.#lines.slice(0, oldest)];
  }

  /** Tells of each line to come; gives back how to stop that. */
  follow(see: (line: Line) => void): () => void {
    this.#followers.add(see);
    return () => this.#followers.delete(see);
  }

  #keep(topics: string, message: string, { user = '', sessionId = '' }: Facts = {}): void {
    const about = { user: String(user), sessionId: String(sessionId) };
    const line = { number: this.#count, wallMs: this.#wallMs(), topics, message, ...about };
    this.#lines[this.#count % linesMax] = line;
    this.#count += 1;
    for (const see of this.#followers) see(line);
  }
}

function shown(help: string): Row<string> {
  return { kind: text, default: '', applies: 'live', readOnly: true, help };
}

const logMenu = menu({
  path: '/log',
  kind: 'list',
  help: 'What happened last.',
  rows: {
    time: shown('When, in UTC.'),
    topics: shown('What it is about, and how grave it is.'),
    message: shown('What happened.'),
    user: shown('User whom it is about; for `where`.'),
    sessionId: shown('Acct-Session-Id that it is about; for `where`.'),
  },
});

/** `/log`, of which there is `print` alone. */
export function logFace(ring: LogRing): Face {
  return {
    menu: logMenu,
    configured: undefined,
    columns: ['time', 'topics', 'message'],
    isLines: true,
    live: {
      items: (_, answer) => answer({ items: ring.lines.map(itemOf) }),
      follow: (see) => ring.follow((line) => see(itemOf(line))),
    },
  };
}

function itemOf({ number, wallMs, topics, message, user, sessionId }: Line): Shown {
  // 2026-11-21T14:03:33.123Z, of which RouterOS shows seconds.
  const time = new Date(wallMs).toISOString().replace('T', ' ').slice(0, 19);
  return {
    id: `*${(number + 1).toString(16).toUpperCase()}`,
    flags: '',
    values: { time, topics, message, ...(user && { user }), ...(sessionId && { sessionId }) },
    isConfigured: false,
  };
}
