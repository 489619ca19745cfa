/**
 * This node's presence in the DNS, as the menu has it at any time: settings enter, and who keeps the name true (publisher.ts) and
 * who answers for it (responder.ts) are made, replaced and ended. What the nodes of the service are is asked through ports. Pure.
 */

import type { Ipv4 } from '../base/ip.ts';
import { defaultsOf } from '../base/setting.ts';
import { delegationOf, publicationOf } from './publication.ts';
import { Publisher, type PublisherMonitor, type PublisherPorts, publisherTally } from './publisher.ts';
import { Responder, type ResponderPorts, responderTally } from './responder.ts';
import { type PublishSettings, publishMenu } from './settings.ts';
import type { OpenLine, Transport } from './transaction.ts';

/** Where queries come to. */
export interface ListeningPlace {
  readonly address: Ipv4;
  readonly port: number;
}

export type Reply = (octets: Uint8Array, transport: Transport) => Uint8Array | undefined;

export interface PresencePorts extends Omit<PublisherPorts, 'openLine'>, ResponderPorts {
  /** Where clients reach this node if the settings do not say; undefined if nobody knows. */
  ownAddress(): Ipv4 | undefined;
  lineTo(host: string, port: number): OpenLine;
  /** Hears queries until it is closed. */
  listen(place: ListeningPlace, reply: Reply): { close(): void };
}

export class Presence {
  readonly publisherTally: ReturnType<typeof publisherTally> = publisherTally();
  readonly responderTally: ReturnType<typeof responderTally> = responderTally();
  readonly #ports: PresencePorts;
  #settings: PublishSettings = defaultsOf(publishMenu);
  #publisher: Publisher | undefined;
  #responder: Responder | undefined;
  #listener: (ListeningPlace & { close(): void }) | undefined;
  /** What follows when the publisher before has taken its address away. */
  #afterwards: (() => void) | undefined;
  #isClosed = false;

  constructor(ports: PresencePorts) {
    this.#ports = ports;
  }

  /** Undefined if no updates are sent. */
  get monitor(): PublisherMonitor | undefined {
    return this.#publisher?.monitor;
  }

  /** From now on it is as `settings` say. If they say what the last ones did, nothing happens. */
  configure(settings: PublishSettings): void {
    if (this.#isClosed || wordsOf(settings) === wordsOf(this.#settings)) return;
    this.#settings = settings;
    this.#respond();
    this.#withdraw(() => this.#publish());
  }

  /** Nobody has to call it; who knows that this node's mind or the service has changed saves a second. */
  review(): void {
    this.#publisher?.review();
  }

  /** Takes this node's address away and answers no more. `done` is called within seconds. */
  close(done: () => void): void {
    this.#isClosed = true;
    this.#listener?.close();
    this.#listener = undefined;
    this.#withdraw(done);
  }

  /** Ends the publisher, then does `afterwards`: the next one must not find an address that is just being taken away. */
  #withdraw(afterwards: () => void): void {
    const isUnderWay = this.#afterwards !== undefined;
    this.#afterwards = afterwards;
    if (isUnderWay) return;
    const over = (): void => {
      const next = this.#afterwards;
      this.#afterwards = undefined;
      next?.();
    };
    const before = this.#publisher;
    this.#publisher = undefined;
    if (before === undefined) over();
    else before.close(over);
  }

  #publish(): void {
    const publication = publicationOf(this.#settings, this.#ports.ownAddress());
    if (publication === undefined) return;
    const { place, key, server } = publication;
    const openLine = this.#ports.lineTo(server.host, server.port);
    this.#publisher = new Publisher(place, key, { ...this.#ports, openLine }, this.publisherTally);
    this.#publisher.begin();
  }

  #respond(): void {
    const delegation = delegationOf(this.#settings);
    this.#responder = delegation && new Responder(delegation, this.#ports, this.responderTally);
    const { respondAddress: address, respondPort: port } = this.#settings;
    const stays = delegation && this.#listener?.address === address && this.#listener.port === port;
    if (stays) return;
    this.#listener?.close();
    this.#listener = undefined;
    if (delegation === undefined) return;
    const reply: Reply = (octets, transport) => this.#responder?.reply(octets, transport);
    const listener = this.#ports.listen({ address, port }, reply);
    this.#listener = { address, port, close: () => listener.close() };
  }
}

function wordsOf(settings: PublishSettings): string {
  return publishMenu.settings
    .map(({ key, kind }) => kind.format(settings[key as keyof PublishSettings]))
    .join('\n');
}
