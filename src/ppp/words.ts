/**
 * A control frame in words: protocol number and information field in, one line out, as pppd's `debug` and RouterOS's topic `packet`
 * have it: `LCP ConfReq id=0x1 <mru 1450> <magic 0x1f2e3d4c>`. No secret is in it: of a proof only its length is told, because a
 * challenge with its response is all that an offline guess of a password takes; a frame that was rejected is named, not repeated. Pure.
 */

import { Reader } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import { quoted } from '../base/readable.ts';
import { chapProtocol, eapProtocol, papProtocol } from './auth/method.ts';
import { hasOptionWords, optionWords } from './option-words.ts';
import { codes, decodePacket, type Packet } from './packet.ts';
import { protocolName } from './protocol.ts';

/** What is said of a packet's data. */
type Words = (packet: Packet, protocol: number) => string;

/** A code's word; of one without words the length is told. */
type Row = readonly [word: string, words?: Words];

/** The line of a frame. */
export function frameWords(protocol: number, information: Uint8Array): string {
  const name = protocolName(protocol);
  const rows = rowsOf(protocol);
  if (rows === undefined) return `${name} ${octets(information.length)}`;
  const packet = decodePacket(information);
  if (packet instanceof Malformed) return `${name} malformed: ${packet}`;
  const [word, words = lengthOf] = rows[packet.code] ?? [`code ${packet.code}`];
  return `${name} ${word} id=0x${packet.identifier.toString(16)} ${words(packet, protocol)}`.trimEnd();
}

function rowsOf(protocol: number): Readonly<Record<number, Row>> | undefined {
  if (protocol === papProtocol) return pap;
  if (protocol === chapProtocol) return chap;
  if (protocol === eapProtocol) return eap;
  return hasOptionWords(protocol) ? negotiation : undefined;
}

function octets(count: number): string {
  return count === 1 ? '1 octet' : `${count} octets`;
}

function lengthOf({ data }: Packet): string {
  return data.length === 0 ? '' : octets(data.length);
}

// ---- LCP and the network protocols

function options({ data }: Packet, protocol: number): string {
  return optionWords(protocol, data);
}

function message({ data }: Packet): string {
  return data.length === 0 ? '' : quoted(data);
}

function magic({ data }: Packet): string {
  if (data.length < 4) return 'malformed: too short';
  const rest = data.length - 4;
  return `<magic ${hexWord(data)}>${rest === 0 ? '' : ` ${octets(rest)}`}`;
}

function magicAndMessage(packet: Packet): string {
  return `${magic({ ...packet, data: packet.data.subarray(0, 4) })} ${quoted(packet.data.subarray(4))}`;
}

function magicAndSeconds({ data }: Packet): string {
  if (data.length < 8) return 'malformed: too short';
  return `<magic ${hexWord(data)}> ${new Reader(data.subarray(4)).u32()} s`;
}

/** [RFC 1661 §5.7] The frame that comes back may hold a proof: it is named only. */
function rejectedProtocol({ data }: Packet): string {
  if (data.length < 2) return 'malformed: too short';
  return `${protocolName(new Reader(data).u16())} ${octets(data.length - 2)}`;
}

/** [RFC 1661 §5.6] */
function rejectedCode({ data: [code] }: Packet): string {
  return code === undefined ? '' : (negotiation[code]?.[0] ?? `code ${code}`);
}

function hexWord(data: Uint8Array): string {
  return `0x${new Reader(data).u32().toString(16)}`;
}

const negotiation: Readonly<Record<number, Row>> = {
  [codes.configureRequest]: ['ConfReq', options],
  [codes.configureAck]: ['ConfAck', options],
  [codes.configureNak]: ['ConfNak', options],
  [codes.configureReject]: ['ConfRej', options],
  [codes.terminateRequest]: ['TermReq', message],
  [codes.terminateAck]: ['TermAck', message],
  [codes.codeReject]: ['CodeRej', rejectedCode],
  [codes.protocolReject]: ['ProtRej', rejectedProtocol],
  [codes.echoRequest]: ['EchoReq', magic],
  [codes.echoReply]: ['EchoRep', magic],
  [codes.discardRequest]: ['DiscReq', magic],
  [codes.identification]: ['Ident', magicAndMessage],
  [codes.timeRemaining]: ['TimeRem', magicAndSeconds],
  [codes.resetRequest]: ['ResetReq'],
  [codes.resetAck]: ['ResetAck'],
};

// ---- PAP, RFC 1334

/** A field that begins with its length, and what stands behind it; undefined if it is cut short. */
function counted(data: Uint8Array): readonly [field: Uint8Array, rest: Uint8Array] | undefined {
  const [length] = data;
  if (length === undefined || length >= data.length)
    return length === 0 ? [data.subarray(1), data] : undefined;
  return [data.subarray(1, 1 + length), data.subarray(1 + length)];
}

function papRequest({ data }: Packet): string {
  const [user] = counted(data) ?? [];
  return user === undefined ? 'malformed: too short' : `<user ${quoted(user)}> <password hidden>`;
}

function papMessage({ data }: Packet): string {
  // Windows sends none, and not even its length.
  return data.length < 2 ? '' : quoted(data.subarray(1));
}

const pap: Readonly<Record<number, Row>> = {
  1: ['AuthReq', papRequest],
  2: ['AuthAck', papMessage],
  3: ['AuthNak', papMessage],
};

// ---- CHAP, RFC 1994, and MS-CHAP, RFC 2433 and 2759

function chapValue(what: string): Words {
  return ({ data }) => {
    const [length] = data;
    if (length === undefined || length >= data.length + 1) return 'malformed: too short';
    return `<${what} len=${length}> <name ${quoted(data.subarray(1 + length))}>`;
  };
}

/** [RFC 2759 §5, §6] `S=` proves the server by the user's password, and can be guessed at as a response can; `C=` is a challenge. */
function chapMessage({ data }: Packet): string {
  return data.length === 0 ? '' : quoted(data).replace(/\b([SC])=[\dA-F]+/gi, '$1=hidden');
}

const chap: Readonly<Record<number, Row>> = {
  1: ['Challenge', chapValue('challenge')],
  2: ['Response', chapValue('response')],
  3: ['Success', chapMessage],
  4: ['Failure', chapMessage],
};

// ---- EAP, RFC 3748

/** [RFC 3748 §5] and the registry's. */
const eapTypes: Readonly<Record<number, string>> = {
  1: 'Identity',
  2: 'Notification',
  3: 'Nak',
  4: 'MD5-Challenge',
  5: 'OTP',
  6: 'GTC',
  13: 'TLS',
  18: 'SIM',
  21: 'TTLS',
  23: 'AKA',
  25: 'PEAP',
  26: 'MSCHAPv2',
  43: 'FAST',
};

const [identityType, notificationType, nakType] = [1, 2, 3];

/** Of the types' own data nothing is told but their length: only Identity, Notification and Nak hold no proof. */
function eapWords({ data }: Packet): string {
  const [type] = data;
  if (type === undefined) return 'malformed: too short';
  const rest = data.subarray(1);
  const name = eapTypes[type] ?? `type ${type}`;
  if (type === identityType || type === notificationType) return `${name} ${quoted(rest)}`;
  if (type === nakType)
    return `${name} <wants ${Array.from(rest, (each) => eapTypes[each] ?? each).join(' ')}>`;
  return `${name} ${octets(rest.length)}`;
}

const eap: Readonly<Record<number, Row>> = {
  1: ['Request', eapWords],
  2: ['Response', eapWords],
  3: ['Success'],
  4: ['Failure'],
};
