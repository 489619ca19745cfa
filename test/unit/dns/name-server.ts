/**
 * A primary name server of one zone in memory, with RFC 2136's rules as far as A records go, and an uncertain way to it: datagrams
 * are lost and late as the seed has it. What it is asked and told is octets; test/system/dns.test.ts has the same of BIND.
 */

import type { Clock } from '../../../src/base/clock.ts';
import type { Ipv4 } from '../../../src/base/ip.ts';
import { below, type Random } from '../../../src/base/random.ts';
import {
  classes,
  emptyMessage,
  encodeMessage,
  type Message,
  opcodes,
  type ResourceRecord,
  rcodes,
} from '../../../src/dns/message.ts';
import { addressOf, addressRecord } from '../../../src/dns/record.ts';
import type { OpenLine } from '../../../src/dns/transaction.ts';
import { type Key, sign, verify } from '../../../src/dns/tsig.ts';

export class NameServer {
  readonly records = new Set<Ipv4>();
  /** The name never had nothing since it had something. */
  hasBeenEmptied = false;
  updates = 0;
  queries = 0;
  /** Datagrams of a hundred that are lost, each way. */
  lossPercent = 0;
  isDown = false;
  /** What it says to every request instead. */
  refusal: number | undefined;
  readonly #key: Key;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(key: Key, clock: Clock, random: Random) {
    this.#key = key;
    this.#clock = clock;
    this.#random = random;
  }

  readonly openLine: OpenLine = (transport, events) => {
    let isClosed = false;
    const after = (delayMs: number, then: () => void): void =>
      void this.#clock.arm(delayMs, () => isClosed || then());
    const isLost = (): boolean =>
      this.isDown || (transport === 'udp' && below(this.#random, 100) < this.lossPercent);
    if (transport === 'tcp' && this.isDown) after(1, () => events.failed('ECONNREFUSED'));
    return {
      send: (request) => {
        if (isLost()) return;
        // What is under way arrives also when its sender does not wait any more.
        this.#clock.arm(1 + below(this.#random, 50), () => {
          const reply = this.reply(request);
          if (reply !== undefined && !isLost()) {
            after(1 + below(this.#random, 50), () => events.received(reply));
          }
        });
      },
      close: () => {
        isClosed = true;
      },
    };
  };

  reply(request: Uint8Array): Uint8Array | undefined {
    const proven = verify(request, this.#key, this.#clock.wallMs());
    if (typeof proven === 'string') return undefined;
    const { message, mac } = proven;
    const reply = {
      ...emptyMessage(message.id, message.opcode),
      isResponse: true,
      questions: message.questions,
    };
    const octets = encodeMessage({ ...reply, ...this.#answer(message) });
    return sign(octets, this.#key, this.#clock.wallMs(), mac).octets;
  }

  #answer(message: Message): Partial<Message<ResourceRecord>> {
    if (this.refusal !== undefined) return { rcode: this.refusal };
    if (message.opcode === opcodes.update) return { rcode: this.#update(message) };
    this.queries += 1;
    const name = message.questions[0]?.name ?? '';
    const answers = [...this.records].map((address) => addressRecord(name, 30, address));
    return { rcode: answers.length === 0 ? rcodes.nameError : rcodes.noError, answers };
  }

  #update({ answers: prerequisites, authorities: changes }: Message): number {
    const required = new Set(prerequisites.map(addressOf));
    const isSame = required.size === this.records.size && [...this.records].every((one) => required.has(one));
    if (required.size > 0 && !isSame) return rcodes.rrsetIsNotThere;
    this.updates += 1;
    for (const change of changes) {
      const address = addressOf({ ...change, class: classes.internet });
      if (address === undefined) return rcodes.formatError;
      if (change.class === classes.none) this.records.delete(address);
      else this.records.add(address);
    }
    this.hasBeenEmptied ||= this.records.size === 0;
    return rcodes.noError;
  }
}
