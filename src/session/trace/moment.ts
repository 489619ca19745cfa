/**
 * What can be seen of a tunnel and its calls, and how it reads: packets as they pass, states, and lines of the log. Enter: octets and
 * values as they are at hand, decoded by nobody yet. Leave: lines with RouterOS's topics. The words of packets are their protocols'. Pure.
 */

import { Malformed } from '../../base/fault.ts';
import type { Facts, Severity } from '../../base/observe.ts';
import { frameWords } from '../../ppp/words.ts';
import { decode, type Message } from '../../pptp/messages.ts';
import { messageWords } from '../../pptp/words.ts';
import type { AttributeCodec } from '../../radius/attribute.ts';
import { attributeWords, packetName } from '../../radius/words.ts';
import type { LifeState } from '../lifecycle.ts';

/** RouterOS's words. */
export type Way = 'sent' | 'rcvd';

/** `name` is that of the call in the log: `<pptp-5>`, `<pptp-bob>`; `peer` an address. */
export type Moment =
  | { readonly kind: 'message'; readonly peer: string; readonly way: 'sent'; readonly octets: Uint8Array }
  | {
      readonly kind: 'message';
      readonly peer: string;
      readonly way: 'rcvd';
      readonly message: Message | Malformed;
    }
  | {
      readonly kind: 'frame';
      readonly name: string;
      readonly way: Way;
      readonly protocol: number;
      readonly information: Uint8Array;
    }
  | { readonly kind: 'state'; readonly name: string; readonly from: LifeState; readonly to: LifeState }
  | {
      readonly kind: 'packet';
      /** RouterOS's words, with the server: `sending`, `to 10.0.0.1:1812`. */
      readonly did: string;
      readonly server: string;
      readonly code: number;
      readonly identifier: number;
      readonly attributes: Uint8Array;
    }
  /** Of a RADIUS server, about a session. */
  | { readonly kind: 'request'; readonly code: number; readonly attributes: Uint8Array }
  | { readonly kind: 'remark'; readonly topics: string; readonly text: string }
  | {
      readonly kind: 'log';
      readonly severity: Severity;
      readonly topics: string;
      readonly text: string;
      readonly facts: Facts;
    };

export interface Told {
  readonly topics: string;
  /** One line, or the first and what belongs to it. */
  readonly messages: readonly string[];
}

/** What stands below a line and belongs to it is indented, as RouterOS does. */
const indent = '    ';

/** `moment` in words. */
export function tell(moment: Moment, codec: Pick<AttributeCodec, 'decode'>): Told {
  switch (moment.kind) {
    case 'message':
      return { topics: 'pptp,debug,packet', messages: [messageLine(moment)] };
    case 'frame': {
      const { name, way, protocol, information } = moment;
      const line = `${name}: ${way} ${frameWords(protocol, information)}`;
      return { topics: 'pptp,ppp,debug,packet', messages: [line] };
    }
    case 'state':
      return { topics: 'pptp,ppp,debug', messages: [`${moment.name}: ${moment.from} -> ${moment.to}`] };
    case 'packet': {
      const { did, server, code, identifier, attributes } = moment;
      const line = `${did} ${packetName(code)} with id ${identifier} ${did === 'received' ? 'from' : 'to'} ${server}`;
      return { topics: 'radius,debug,packet', messages: [line, ...attributeLines(attributes, codec)] };
    }
    case 'request': {
      const line = `received ${packetName(moment.code)}`;
      return { topics: 'radius,debug,packet', messages: [line, ...attributeLines(moment.attributes, codec)] };
    }
    case 'remark':
      return { topics: moment.topics, messages: [moment.text] };
    case 'log': {
      const { severity, topics, text, facts } = moment;
      const detail = facts.detail ? ` (${facts.detail})` : '';
      const hint = facts.hint ? [`${indent}${facts.hint}`] : [];
      return { topics: `${topics},${severity}`, messages: [text + detail, ...hint] };
    }
  }
}

function messageLine(moment: Extract<Moment, { kind: 'message' }>): string {
  const message = moment.way === 'sent' ? decode(moment.octets) : moment.message;
  const words = message instanceof Malformed ? `malformed: ${message}` : messageWords(message);
  const [title, ...fields] = words.split(' ');
  const peer = `${moment.way === 'sent' ? 'to' : 'from'} ${moment.peer}`;
  return `${moment.way} ${[title, peer, ...fields].join(' ')}`;
}

function attributeLines(attributes: Uint8Array, codec: Pick<AttributeCodec, 'decode'>): readonly string[] {
  const read = codec.decode(attributes);
  const words = read instanceof Malformed ? [`malformed: ${read}`] : attributeWords(read);
  return words.map((word) => `${indent}${word}`);
}
