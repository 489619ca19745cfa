/** Services on ports of loopback, over the console's world: real sockets and protocols, a clock that is moved by hand. */

import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import type { Log } from '../../../../src/base/observe.ts';
import { systemRandom } from '../../../../src/base/random.io.ts';
import { itemsOf } from '../../../../src/config/tree.ts';
import { apiServer } from '../../../../src/console/services/api.io.ts';
import { encodeSentence, type Sentence, SentenceStream } from '../../../../src/console/services/api-words.ts';
import { restServer } from '../../../../src/console/services/rest.io.ts';
import { Service } from '../../../../src/console/services/services.io.ts';
import { Services } from '../../../../src/console/services/services.ts';
import { serviceMenu, userMenu } from '../../../../src/console/services/settings.ts';
import { freePort } from '../../../system/free-port.io.ts';
import { World } from '../world.ts';

export interface LogLine {
  readonly severity: string;
  readonly text: string;
}

/** Users of all groups, each with the password `secret`, and `admin`, who has none. */
const users = ['full', 'write', 'read']
  .map((group) => `add name=${group} group=${group} password=secret`)
  .join('\n');

export class ServicesWorld {
  readonly world = new World();
  readonly lines: LogLine[] = [];
  readonly #services: Services;
  #script = '';
  readonly #waits = new Set<() => void>();

  constructor() {
    const log: Log = (severity, _, text) => {
      this.lines.push({ severity, text });
      for (const look of this.#waits) look();
    };
    const { clock, services } = this.world;
    const loop = { nowMs: () => performance.now(), soon: (act: () => void) => void setImmediate(act) };
    this.#services = new Services({
      clock,
      log,
      faces: services.faces,
      store: services.store,
      commit: (candidate, answer) =>
        services.commit(candidate, (fault) => {
          this.#apply();
          answer(fault);
        }),
      door: (name, gate, desk) => {
        const ports = { log, gate, desk, random: systemRandom, loop };
        const makeServer = name.startsWith('api') ? apiServer : restServer;
        return new Service({ clock, log, makeServer: (credentials) => makeServer(ports, credentials) });
      },
    });
  }

  /** Opens `service` on a port that is free, which it gives back; `more` are further properties of it. */
  async open(service: string, more = ''): Promise<number> {
    const port = await freePort();
    this.configure(`/user\n${users}\n/ip service set ${service} port=${port} disabled=no ${more}`);
    await this.line(new RegExp(`^service ${service} listens`));
    return port;
  }

  /** Adds `script` to the configuration. */
  configure(script: string): void {
    this.#script += `${script}\n`;
    this.world.configure(this.#script);
    this.#apply();
  }

  close(): void {
    this.#services.close();
  }

  /** The first line of the log that fits, now or later. */
  async line(pattern: RegExp): Promise<LogLine> {
    return await new Promise((found) => {
      const look = () => {
        const line = this.lines.find(({ text }) => pattern.test(text));
        if (line === undefined) return;
        this.#waits.delete(look);
        found(line);
      };
      this.#waits.add(look);
      look();
    });
  }

  #apply(): void {
    const { tree } = this.world.store.current;
    this.#services.configure(
      itemsOf(tree, serviceMenu).map(({ values }) => values),
      itemsOf(tree, userMenu).map(({ values }) => values),
    );
  }
}

/** A program that speaks the API word by word. */
export class Speaker {
  readonly socket: Socket;
  readonly #stream = new SentenceStream();
  readonly #heard: Sentence[] = [];
  #wake: () => void = () => {};

  constructor(port: number) {
    this.socket = createConnection(port, '127.0.0.1');
    this.socket.on('data', (octets) => {
      this.#heard.push(...this.#stream.push(octets).sentences);
      this.#wake();
    });
  }

  say(...words: readonly string[]): void {
    this.socket.write(encodeSentence(words));
  }

  /** The next sentence. */
  async hear(): Promise<Sentence> {
    for (;;) {
      const next = this.#heard.shift();
      if (next !== undefined) return next;
      await new Promise<void>((woken) => {
        this.#wake = woken;
      });
    }
  }

  /** What `words` bring, up to the sentence that ends it. */
  async ask(...words: readonly string[]): Promise<Sentence[]> {
    this.say(...words);
    const heard: Sentence[] = [];
    for (;;) {
      const sentence = await this.hear();
      heard.push(sentence);
      if (sentence[0] === '!done' || sentence[0] === '!fatal') return heard;
    }
  }

  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, 'close');
  }
}

/** One that has logged in. */
export async function speakerAt(port: number, user: string): Promise<Speaker> {
  const speaker = new Speaker(port);
  await speaker.ask('/login', `=name=${user}`, '=password=secret');
  return speaker;
}
