/**
 * Sees whether our node is cordoned (`kubectl cordon`, `kubectl drain`), and tells each change once. Enter: what the API server replies.
 * Leave: requests, and the news. The object is listed, then watched from there; a watch that ends goes on where it ended; if the API
 * server has forgotten that point (410), the object is listed again. What fails is tried again, ever more seldom, and while it does
 * the last that was seen holds: an API server that is away neither drains a node nor takes it back. Pure but for its ports.
 */

import type { Clock, Timer } from '../base/clock.ts';
import { Malformed } from '../base/fault.ts';
import { type Log, tally } from '../base/observe.ts';
import { below, type Random } from '../base/random.ts';
import { eventOf } from '../session/events.ts';
import { ListText, type WatchEvent, WatchText } from './node-object.ts';

/** What becomes of a request; nothing is told before `Ask` returns, nor after `close`. */
export interface ReplyEvents {
  /** The HTTP status. */
  answered(status: number): void;
  /** Of the body. */
  received(octets: Uint8Array): void;
  /** The body is whole. */
  ended(): void;
  /** Nothing, or nothing more, will come. `code` is the error's name, such as `ECONNREFUSED`. */
  failed(code: string, text: string): void;
}

export interface Asking {
  close(): void;
}

/** GETs `path` of the API server. */
export type Ask = (path: string, events: ReplyEvents) => Asking;

export interface CordonWatchPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly ask: Ask;
  /** Told of each change; before the first the node is not cordoned. */
  cordoned(isCordoned: boolean): void;
}

export const kubernetesTally = tally('kubernetes', {
  lists: 'times that this node’s object was listed',
  watches: 'times that a watch of this node’s object was begun or gone on with',
  expired: 'watches that could not go on where they had ended, so that the object was listed again',
  failed: 'requests that the API server refused, did not answer, or answered with what cannot be read',
  cordons: 'times that the node was cordoned',
});

/** How long the API server may take for a list, in ms: it gives itself no more under load either. */
const answerMs = 60_000;

/** How long a watch lasts, in s: with the patience above, so long may a connection that has silently died hide a cordon. */
const watchSeconds = 120;

/** Before the next request, in ms, twice as long after each failure: a cordon is noticed a minute after the API server is back. */
const pauseMs = { first: 1_000, longest: 60_000 } as const;

/** What an operator can do about a failure. */
const hints: Readonly<Record<string, string>> = {
  ENOENT: 'The pod has no token: it needs a serviceAccountName, and automountServiceAccountToken: true.',
  EACCES:
    'The token is not readable for the user of control: the pod needs the fsGroup of deploy/kubernetes.',
  HTTP_401: 'The API server does not take the token: is the ServiceAccount still there?',
  HTTP_403:
    'The ServiceAccount of the pod needs a ClusterRoleBinding to a ClusterRole with list and watch on nodes: see deploy/kubernetes/base.',
  NO_SUCH_NODE: 'NODE_NAME of the pod must be spec.nodeName, by the downward API.',
};
const otherHint = 'Until it is mended a cordon drains nothing: use /system drain.';

export class CordonWatch {
  readonly #node: string;
  readonly #ports: CordonWatchPorts;
  #asking: Asking | undefined;
  /** Of the patience with a request, or of the pause before the next one. */
  #timer: Timer | undefined;
  /** From where to watch; undefined: the object is to be listed. */
  #version: string | undefined;
  #isCordoned = false;
  /** In a row. */
  #failures = 0;
  /** What the log has last been told: the code of a failure, or that all is well. */
  #told: string | undefined;

  /** `node` is the name of the Node object. */
  constructor(node: string, ports: CordonWatchPorts) {
    this.#node = node;
    this.#ports = ports;
  }

  begin(): void {
    if (this.#version === undefined) this.#list();
    else this.#watch(this.#version);
  }

  /** Nothing is told any more. */
  close(): void {
    this.#asking?.close();
    this.#timer?.cancel();
  }

  #list(): void {
    kubernetesTally.add('lists');
    const text = new ListText();
    this.#ask({}, answerMs, {
      received: (octets) => {
        const wrong = text.push(octets);
        if (wrong !== undefined) this.#malformed(wrong);
      },
      ended: () => {
        const list = text.read();
        if (list instanceof Malformed) return this.#malformed(list);
        if (list.isCordoned === undefined) return this.#failed('NO_SUCH_NODE', 'there is no such node');
        this.close();
        this.#seen(list.isCordoned);
        this.#watch(list.version);
      },
    });
  }

  #watch(version: string): void {
    kubernetesTally.add('watches');
    this.#version = version;
    const text = new WatchText();
    const query = {
      watch: 'true',
      resourceVersion: version,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(watchSeconds),
    };
    const asking = this.#ask(query, watchSeconds * 1_000 + answerMs, {
      received: (octets) => {
        for (const event of text.push(octets)) {
          // The event before may have ended it.
          if (this.#asking !== asking) return;
          if (event instanceof Malformed) this.#malformed(event);
          else this.#obey(event);
        }
      },
      ended: () => {
        this.#failures = 0;
        this.#pause();
      },
    });
  }

  #obey(event: WatchEvent): void {
    switch (event.kind) {
      case 'expired':
        return this.#expired();
      case 'error':
        return this.#refused(event.status);
      case 'node':
        this.#seen(event.isCordoned);
    }
    this.#version = event.version;
    this.#failures = 0;
  }

  #ask(
    query: Readonly<Record<string, string>>,
    patienceMs: number,
    body: Pick<ReplyEvents, 'received' | 'ended'>,
  ): Asking {
    const { clock, ask } = this.#ports;
    const parameters = new URLSearchParams({ fieldSelector: `metadata.name=${this.#node}`, ...query });
    this.#timer = clock.arm(patienceMs, () => this.#failed('SILENT', 'the API server does not answer'));
    this.#asking = ask(`/api/v1/nodes?${parameters}`, {
      ...body,
      answered: (status) => {
        if (status === 410) this.#expired();
        else if (status !== 200) this.#refused(status);
        else if ('watch' in query) this.#well();
      },
      failed: (code, text) => this.#failed(code, text),
    });
    return this.#asking;
  }

  #seen(isCordoned: boolean): void {
    if (isCordoned === this.#isCordoned) return;
    this.#isCordoned = isCordoned;
    if (isCordoned) kubernetesTally.add('cordons');
    const text = isCordoned ? 'is cordoned' : 'is cordoned no more';
    this.#ports.log('info', 'system', `Kubernetes: ${this.#node} ${text}`, eventOf('cordon'));
    this.#ports.cordoned(isCordoned);
  }

  /** No failure of anybody; but one after the other would be, so it is not forgiven those before. */
  #expired(): void {
    kubernetesTally.add('expired');
    this.#version = undefined;
    this.#pause();
    this.#failures += 1;
  }

  /** The whole object is asked for again. */
  #malformed(wrong: Malformed): void {
    this.#version = undefined;
    this.#failed(wrong.code, `the reply cannot be read: ${wrong}`);
  }

  #refused(status: number): void {
    this.#failed(`HTTP_${status}`, `the API server replies ${status}`);
  }

  /** Said once for each reason. */
  #failed(code: string, text: string): void {
    kubernetesTally.add('failed');
    this.#pause();
    this.#failures += 1;
    if (this.#told === code) return;
    this.#told = code;
    this.#ports.log('warning', 'system', `cannot see whether Kubernetes cordons ${this.#node}: ${text}`, {
      ...eventOf('cordon-unwatched'),
      code,
      hint: hints[code] ?? otherHint,
    });
  }

  #well(): void {
    if (this.#told === 'well') return;
    this.#told = 'well';
    const text = `a cordon of ${this.#node} in Kubernetes drains it softly`;
    this.#ports.log('info', 'system', text, eventOf('cordon-watched'));
  }

  /** Ends what is under way. All nodes lose an API server at once: they come back one after the other. */
  #pause(): void {
    this.close();
    this.#asking = undefined;
    const { clock, random } = this.#ports;
    const longest = Math.min(pauseMs.first * 2 ** Math.min(this.#failures, 10), pauseMs.longest);
    this.#timer = clock.arm(longest / 2 + below(random, longest / 2), () => this.begin());
  }
}
