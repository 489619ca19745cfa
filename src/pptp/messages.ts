/**
 * The fifteen control messages of RFC 2637 section 2: one layout each, in the RFC's order and with its names. Octets in, a
 * `Message` or `Malformed` out, and back. What a message means, and when it may come, stands in rules.ts and control.ts.
 *
 * All begin with the same header: Length, PPTP Message Type 1, Magic Cookie, Control Message Type, Reserved0.
 */

import type { Reader } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import {
  constant,
  type Field,
  type Fields,
  type Layout,
  layout,
  type Of,
  reserved,
  text,
  u8,
  u16,
  u32,
  Wrong,
} from '../base/layout.ts';
import { limits } from '../base/limits.ts';

const pptpMessageType = constant(u16, 1, 'PPTP_BAD_MESSAGE_TYPE');
const magicCookie = constant(u32, 0x1a2b3c4d, 'PPTP_BAD_COOKIE');

/** What stands before every message, read alone to learn how long it is and which one. */
const header = layout(
  'big',
  { length: u16, pptpMessageType, magicCookie, controlMessageType: u16, reserved0: reserved(2) },
  'PPTP_',
);

/** The Length field of a message of `size` octets. More is a later version's message, whose tail we do not read. */
function lengthFrom(size: number): Field<never> {
  return {
    kind: 'u16',
    size: 2,
    silent: true,
    read: (from: Reader) =>
      (u16.read(from) as number) < size ? new Wrong('PPTP_BAD_LENGTH') : (undefined as never),
    write: (into) => u16.write(into, size),
  };
}

type Header = {
  readonly length: Field<never>;
  readonly pptpMessageType: Field<never>;
  readonly magicCookie: Field<never>;
  readonly controlMessageType: Field<never>;
  readonly reserved0: Field<never>;
};

function message<const F extends Fields>(controlMessageType: number, body: F): Layout<Header & F> {
  const size = Object.values(body).reduce((sum, field) => sum + field.size, header.size);
  return layout(
    'big',
    {
      length: lengthFrom(size),
      pptpMessageType,
      magicCookie,
      controlMessageType: constant(u16, controlMessageType, 'PPTP_UNKNOWN_CONTROL_MESSAGE'),
      reserved0: reserved(2),
      ...body,
    },
    'PPTP_',
  );
}

/** The layouts. The place in the table plus one is the Control Message Type. */
export const messages = {
  /** Section 2.1, 156 octets. */
  startControlConnectionRequest: message(1, {
    protocolVersion: u16,
    reserved1: reserved(2),
    framingCapabilities: u32,
    bearerCapabilities: u32,
    maximumChannels: u16,
    firmwareRevision: u16,
    hostName: text(64),
    vendorName: text(64),
  }),
  /** Section 2.2, 156 octets. */
  startControlConnectionReply: message(2, {
    protocolVersion: u16,
    resultCode: u8,
    errorCode: u8,
    framingCapabilities: u32,
    bearerCapabilities: u32,
    maximumChannels: u16,
    firmwareRevision: u16,
    hostName: text(64),
    vendorName: text(64),
  }),
  /** Section 2.3, 16 octets. */
  stopControlConnectionRequest: message(3, { reason: u8, reserved1: reserved(1), reserved2: reserved(2) }),
  /** Section 2.4, 16 octets. */
  stopControlConnectionReply: message(4, { resultCode: u8, errorCode: u8, reserved1: reserved(2) }),
  /** Section 2.5, 16 octets. */
  echoRequest: message(5, { identifier: u32 }),
  /** Section 2.6, 20 octets. */
  echoReply: message(6, { identifier: u32, resultCode: u8, errorCode: u8, reserved1: reserved(2) }),
  /** Section 2.7, 168 octets. PNS to PAC. */
  outgoingCallRequest: message(7, {
    callId: u16,
    callSerialNumber: u16,
    minimumBps: u32,
    maximumBps: u32,
    bearerType: u32,
    framingType: u32,
    packetRecvWindowSize: u16,
    packetProcessingDelay: u16,
    phoneNumberLength: u16,
    reserved1: reserved(2),
    phoneNumber: text(64),
    subaddress: text(64),
  }),
  /** Section 2.8, 32 octets. PAC to PNS. */
  outgoingCallReply: message(8, {
    callId: u16,
    peersCallId: u16,
    resultCode: u8,
    errorCode: u8,
    causeCode: u16,
    connectSpeed: u32,
    packetRecvWindowSize: u16,
    packetProcessingDelay: u16,
    physicalChannelId: u32,
  }),
  /** Section 2.9, 220 octets. PAC to PNS. */
  incomingCallRequest: message(9, {
    callId: u16,
    callSerialNumber: u16,
    callBearerType: u32,
    physicalChannelId: u32,
    dialedNumberLength: u16,
    dialingNumberLength: u16,
    dialedNumber: text(64),
    dialingNumber: text(64),
    subaddress: text(64),
  }),
  /** Section 2.10, 24 octets. PNS to PAC. */
  incomingCallReply: message(10, {
    callId: u16,
    peersCallId: u16,
    resultCode: u8,
    errorCode: u8,
    packetRecvWindowSize: u16,
    packetTransmitDelay: u16,
    reserved1: reserved(2),
  }),
  /** Section 2.11, 28 octets. PAC to PNS. */
  incomingCallConnected: message(11, {
    peersCallId: u16,
    reserved1: reserved(2),
    connectSpeed: u32,
    packetRecvWindowSize: u16,
    packetTransmitDelay: u16,
    framingType: u32,
  }),
  /** Section 2.12, 16 octets. PNS to PAC; Call ID is the PNS's own. */
  callClearRequest: message(12, { callId: u16, reserved1: reserved(2) }),
  /** Section 2.13, 148 octets. PAC to PNS; Call ID is the PAC's own. */
  callDisconnectNotify: message(13, {
    callId: u16,
    resultCode: u8,
    errorCode: u8,
    causeCode: u16,
    reserved1: reserved(2),
    callStatistics: text(128),
  }),
  /** Section 2.14, 40 octets. PAC to PNS. */
  wanErrorNotify: message(14, {
    peersCallId: u16,
    reserved1: reserved(2),
    crcErrors: u32,
    framingErrors: u32,
    hardwareOverruns: u32,
    bufferOverruns: u32,
    timeOutErrors: u32,
    alignmentErrors: u32,
  }),
  /** Section 2.15, 24 octets. PNS to PAC. */
  setLinkInfo: message(15, {
    peersCallId: u16,
    reserved1: reserved(2),
    sendAccm: u32,
    receiveAccm: u32,
  }),
} as const;

export type MessageName = keyof typeof messages;

/** The fields of the message `Name`. */
export type MessageOf<Name extends MessageName> = { readonly name: Name } & Readonly<
  Of<(typeof messages)[Name]>
>;

/** Any control message, told apart by its name. */
export type Message = { [Name in MessageName]: MessageOf<Name> }[MessageName];

/** The names in the order of their Control Message Types, from 1. */
export const messageNames = Object.keys(messages) as readonly MessageName[];

/** Octets of the header, enough for `measure`. */
export const headerBytes: number = header.size;

/**
 * How long the message is that begins with `octets`, of which there are at least `headerBytes`. A Length that its message
 * cannot have is `Malformed` here already, so that nobody waits for octets that mean nothing.
 */
export function measure(
  octets: Uint8Array,
): { readonly name: MessageName; readonly length: number } | Malformed {
  const head = header.decode(octets);
  if (head instanceof Malformed) return head;
  const name = messageNames[head.controlMessageType - 1];
  if (name === undefined) return new Malformed('PPTP_UNKNOWN_CONTROL_MESSAGE', 'controlMessageType', 8);
  if (head.length < messages[name].size) return new Malformed('PPTP_BAD_LENGTH', 'length', 0);
  if (head.length > limits.pptpMessageBytes) return new Malformed('PPTP_BAD_LENGTH', 'length', 0);
  return { name, length: head.length };
}

/** The message in `octets`, which are one message and all of it. */
export function decode(octets: Uint8Array): Message | Malformed {
  const measured = measure(octets);
  if (measured instanceof Malformed) return measured;
  const { name } = measured;
  const fields = messages[name].decode(octets);
  return fields instanceof Malformed ? fields : ({ name, ...fields } as Message);
}

/** Which message `octets` are, that `encode` made. */
export function nameOf(octets: Uint8Array): MessageName {
  const measured = measure(octets);
  if (measured instanceof Malformed) throw new Error(`not ours: ${measured}`);
  return measured.name;
}

/** The octets of `message`, every one of them written. A number out of its field's range is a bug and throws. */
export function encode<Name extends MessageName>(message: MessageOf<Name>): Uint8Array {
  const { encode } = messages[message.name] as unknown as { encode(value: MessageOf<Name>): Uint8Array };
  return encode(message);
}
