/**
 * Nodes that deliver accounting through Redis, for tests: `startNode` is one in this process, `ChildNode` one in a process of
 * its own, which can be killed. Who starts one is its journal and its RADIUS server.
 */

import { randomBytes } from 'node:crypto';
import { bullmqDrains } from '../../src/accounting/bullmq.io.ts';
import type { Entry, Rest, Sender } from '../../src/accounting/delivery.ts';
import { RedisHeir } from '../../src/accounting/heir.io.ts';
import { customaryTerms, Mirror, ownerOf, type Terms } from '../../src/accounting/mirror.ts';
import { recordForm } from '../../src/accounting/record-form.ts';
import { type Pace, SharedDelivery } from '../../src/accounting/shared.io.ts';
import { systemClock } from '../../src/base/clock.io.ts';
import { silent } from '../../src/base/observe.ts';
import { systemRandom } from '../../src/base/random.io.ts';
import type { Random } from '../../src/base/random.ts';
import { type RedisAddress, RedisClient } from '../../src/base/redis.io.ts';
import { Forked } from './forked.io.ts';

export interface NodeOptions {
  readonly address: RedisAddress;
  readonly node: string;
  readonly service?: string;
  readonly pace?: Partial<Pace>;
  readonly terms?: Partial<Terms>;
  readonly rest?: Rest;
  readonly lockMs?: number;
}

export interface NodePorts {
  readonly send: Sender;
  readonly sendInherited?: Sender;
  done(number: number): void;
  readonly random?: Random;
}

export interface LocalNode {
  readonly delivery: SharedDelivery;
  readonly redis: RedisClient;
}

/** A node that has not begun yet. */
export function startNode(options: NodeOptions, ports: NodePorts): LocalNode {
  const { address, node, service = 'test', pace, terms, rest, lockMs = 1_000 } = options;
  const log = process.env.ACCOUNTING_LOG === undefined ? silent : console.log;
  const redis = new RedisClient(address, log);
  const resting = rest === undefined ? {} : { rest };
  const openDrains = bullmqDrains({
    address,
    redis,
    service,
    boot: randomBytes(4).toString('hex'),
    log,
    lockMs,
    ...resting,
  });
  const { send, sendInherited = send } = ports;
  const mirror = new Mirror(redis, systemClock, service, ownerOf(node, 'first'), {
    ...customaryTerms,
    ...terms,
  });
  const heir = new RedisHeir({ mirror, openDrains, send: sendInherited, clock: systemClock, log });
  const delivery = new SharedDelivery(
    { redis, mirror, openDrains, heir, ...resting, ...(pace === undefined ? {} : { pace }) },
    { random: systemRandom, clock: systemClock, log, ...ports },
  );
  return { delivery, redis };
}

/** What a child is told, and what it says. */
type ToChild =
  | { readonly is: 'start'; readonly options: NodeOptions }
  | { readonly is: 'deliver'; readonly number: number; readonly record: ReturnType<typeof recordForm.write> }
  | { readonly is: 'answer'; readonly question: number; readonly delivered: boolean };
type FromChild =
  | { readonly is: 'begun' }
  | { readonly is: 'done'; readonly number: number }
  | {
      readonly is: 'question';
      readonly question: number;
      readonly number: number;
      readonly record: ReturnType<typeof recordForm.write>;
    };

/** A node in a process of its own. */
export class ChildNode extends Forked {
  readonly #begun: Promise<void>;

  constructor(options: NodeOptions, ports: NodePorts) {
    super(import.meta.url);
    this.#begun = new Promise((begun) => {
      this.process.on('message', (message: FromChild) => {
        if (message.is === 'begun') begun();
        else if (message.is === 'done') ports.done(message.number);
        else {
          const record = recordForm.read(message.record);
          if (record === undefined) throw new Error('a record that cannot be read');
          ports.send({ number: message.number, record }, (delivered) =>
            this.#say({ is: 'answer', question: message.question, delivered }),
          );
        }
      });
    });
    this.#say({ is: 'start', options });
  }

  /** Resolves when it has met Redis. */
  begun(): Promise<void> {
    return this.#begun;
  }

  deliver({ number, record }: Entry): void {
    this.#say({ is: 'deliver', number, record: recordForm.write(record) });
  }

  #say(message: ToChild): void {
    if (this.process.connected) this.process.send(message);
  }
}

/** The other side of `ChildNode`. */
function beChild(): void {
  const say = (message: FromChild): void => void process.send?.(message);
  const questions = new Map<number, (delivered: boolean) => void>();
  let asked = 0;
  let delivery: SharedDelivery | undefined;
  process.on('message', (message: ToChild) => {
    if (message.is === 'answer') {
      questions.get(message.question)?.(message.delivered);
      questions.delete(message.question);
    } else if (message.is === 'deliver') {
      const record = recordForm.read(message.record);
      if (record === undefined) throw new Error('a record that cannot be read');
      delivery?.deliver({ number: message.number, record });
    } else {
      delivery = startNode(message.options, {
        send: ({ number, record }, done) => {
          asked += 1;
          questions.set(asked, done);
          say({ is: 'question', question: asked, number, record: recordForm.write(record) });
        },
        done: (number) => say({ is: 'done', number }),
      }).delivery;
      void delivery.begin().then(() => say({ is: 'begun' }));
    }
  });
  process.once('disconnect', () => process.exit(0));
}

if (process.argv[2] === 'child' && process.send !== undefined) beChild();
