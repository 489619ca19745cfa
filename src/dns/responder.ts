/**
 * The authority for one delegated name (RFC 1034 section 4.3): a query enters as octets, the reply leaves as octets, or nothing
 * does. Its A records are the nodes that want callers, drawn anew for each answer (selection.ts). Nothing is asked of others, no
 * zone is transferred, nothing stands below the name.
 *
 * What cannot be read is answered with a header alone, never longer than what came; a response never gets one, so that two
 * servers do not talk for ever. No datagram is longer than 512 octets, whatever its asker says that it takes: who asks in
 * another's name sends him little.
 */

import type { Clock } from '../base/clock.ts';
import { Malformed } from '../base/fault.ts';
import { type Tally, tally } from '../base/observe.ts';
import type { Random } from '../base/random.ts';
import {
  classes,
  decodeHeader,
  decodeMessage,
  emptyMessage,
  encodeMessage,
  type Header,
  type Message,
  opcodes,
  type Question,
  type ResourceRecord,
  rcodes,
  types,
} from './message.ts';
import { type DomainName, isBelow, isSameName } from './name.ts';
import { addressRecord, authorityRecord, extensionOf, extensionRecord, nameServerRecord } from './record.ts';
import { type Member, selectAddresses } from './selection.ts';
import type { Transport } from './transaction.ts';

/** The delegated name, and what is said about it. */
export interface Delegation {
  readonly name: DomainName;
  readonly ttlMs: number;
  /** As the zone above delegates to them; at least one. */
  readonly nameServers: readonly DomainName[];
  /** Addresses that one answer names at most. */
  readonly addressesPerAnswer: number;
}

export interface ResponderPorts {
  readonly clock: Clock;
  readonly random: Random;
  /** The nodes of the service that live, this one among them. */
  members(): readonly Member[];
}

const counted = {
  answered: 'queries for the name that were answered',
  'no-data': 'queries for types of records that the name has not',
  'no-name': 'queries for names below the name',
  refused: 'queries for other names, and for what is not given away',
  truncated: 'answers that did not fit a datagram',
  malformed: 'messages that are no DNS query',
  ignored: 'responses and fragments, which are not answered',
} as const;

export type ResponderEvent = keyof typeof counted;

export const responderTally = (): Tally<ResponderEvent> => tally('dns-responder', counted);

/** [RFC 1035 §4.2.1] Every resolver takes that much. */
const datagramBytes = 512;

/** What we take ourselves, as RFC 9715 section 3.2 has it. */
const payloadBytes = 1_232;

/** [RFC 1035 §3.3.13] For secondaries, which we have none of; in seconds. RFC 1912 section 2.2's figures. */
const secondaries = { refresh: 1_200, retry: 180, expire: 1_209_600 } as const;

/** What a query gets besides the header. */
interface Reply {
  readonly event: ResponderEvent;
  readonly rcode: number;
  readonly isAuthoritative?: boolean;
  readonly answers?: readonly ResourceRecord[];
  readonly authorities?: readonly ResourceRecord[];
}

const refused: Reply = { event: 'refused', rcode: rcodes.refused };

export class Responder {
  readonly tally: Tally<ResponderEvent>;
  readonly #delegation: Delegation;
  readonly #ports: ResponderPorts;
  #serial = 0;

  constructor(delegation: Delegation, ports: ResponderPorts, counts = responderTally()) {
    this.tally = counts;
    this.#delegation = delegation;
    this.#ports = ports;
  }

  /** The reply to `octets`, whatever they are; undefined if they get none. */
  reply(octets: Uint8Array, transport: Transport): Uint8Array | undefined {
    const header = decodeHeader(octets);
    if (header instanceof Malformed || header.isResponse) {
      this.tally.add('ignored');
      return undefined;
    }
    if (header.opcode !== opcodes.query) return this.#complain(header, rcodes.notImplemented);
    const query = decodeMessage(octets);
    if (query instanceof Malformed) return this.#complain(header, rcodes.formatError);
    const [question, ...others] = query.questions;
    const extensions = query.additionals.filter(({ type }) => type === types.opt);
    if (question === undefined || others.length > 0 || extensions.length > 1) {
      return this.#complain(header, rcodes.formatError);
    }
    const [extension] = extensions;
    const isKnown = extension === undefined || extensionOf(extension).version === 0;
    const reply = isKnown ? this.#replyTo(question) : { ...refused, rcode: rcodes.badVersion };
    this.tally.add(reply.event);
    return this.#write(reply, query, extension !== undefined, transport);
  }

  /** A header that says what is wrong. */
  #complain({ id, opcode, isRecursionDesired }: Header, rcode: number): Uint8Array {
    this.tally.add('malformed');
    return encodeMessage({ ...emptyMessage(id, opcode), isResponse: true, isRecursionDesired, rcode });
  }

  #replyTo({ name, type, class: ofClass }: Question): Reply {
    const { name: own } = this.#delegation;
    const isTransfer = type === types.axfr || type === types.ixfr;
    if (ofClass !== classes.internet || isTransfer) return refused;
    if (isBelow(name, own)) return this.#nothing('no-name', rcodes.nameError);
    if (!isSameName(name, own)) return refused;
    const answers = this.#recordsOf(type);
    if (answers.length === 0) return this.#nothing('no-data', rcodes.noError);
    return { event: 'answered', rcode: rcodes.noError, isAuthoritative: true, answers };
  }

  #recordsOf(type: number): readonly ResourceRecord[] {
    const { name, nameServers, addressesPerAnswer } = this.#delegation;
    switch (type) {
      case types.a:
      // [RFC 8482 §4.1] Who asks for anything gets something.
      case types.any: {
        const { random, members } = this.#ports;
        const addresses = selectAddresses(members(), addressesPerAnswer, random);
        return addresses.map((address) => addressRecord(name, this.#ttl, address));
      }
      case types.ns:
        return nameServers.map((server) => nameServerRecord(name, this.#ttl, server));
      case types.soa:
        return [this.#authority()];
      default:
        return [];
    }
  }

  /** [RFC 2308 §3] The SOA says how long that may be remembered: as long as an address. */
  #nothing(event: ResponderEvent, rcode: number): Reply {
    return { event, rcode, isAuthoritative: true, authorities: [this.#authority()] };
  }

  #authority(): ResourceRecord {
    const { name, nameServers } = this.#delegation;
    // Seconds since 1970: it grows, also over restarts, and all nodes that answer for the name nearly agree. A clock that is
    // set back stops it and does not turn it back.
    this.#serial = Math.max(this.#serial, Math.floor(this.#ports.clock.wallMs() / 1000));
    return authorityRecord(name, this.#ttl, {
      primary: nameServers[0] ?? name,
      // Nobody reads mail about a name of tunnels.
      mailbox: '',
      serial: this.#serial % 2 ** 32,
      ...secondaries,
      minimum: this.#ttl,
    });
  }

  get #ttl(): number {
    return Math.ceil(this.#delegation.ttlMs / 1000);
  }

  #write(reply: Reply, query: Message, isExtended: boolean, transport: Transport): Uint8Array {
    const { id, opcode, isRecursionDesired, questions } = query;
    const { rcode, isAuthoritative = false } = reply;
    const bare: Message<ResourceRecord> = {
      ...emptyMessage(id, opcode),
      isResponse: true,
      isAuthoritative,
      isRecursionDesired,
      rcode,
      questions,
      additionals: isExtended ? [extensionRecord({ payloadBytes, rcode, version: 0 })] : [],
    };
    const { answers = [], authorities = [] } = reply;
    const whole = encodeMessage({ ...bare, answers, authorities });
    if (transport === 'tcp' || whole.length <= datagramBytes) return whole;
    this.tally.add('truncated');
    return encodeMessage({ ...bare, isTruncated: true });
  }
}
