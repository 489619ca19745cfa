/**
 * The packet of all control protocols (RFC 1661 section 5) and the options inside four of its kinds (section 6). Bytes are
 * the information field of a PPP frame. Octets behind the length field are padding and are ignored. Knows no option's meaning.
 */

import { concat } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import { layout, tail, u8, u16 } from '../base/layout.ts';

/** RFC 1661 section 5; Identification and Time-Remaining RFC 1570; Reset-Request and Reset-Ack RFC 1962. */
export const codes = {
  configureRequest: 1,
  configureAck: 2,
  configureNak: 3,
  configureReject: 4,
  terminateRequest: 5,
  terminateAck: 6,
  codeReject: 7,
  protocolReject: 8,
  echoRequest: 9,
  echoReply: 10,
  discardRequest: 11,
  identification: 12,
  timeRemaining: 13,
  resetRequest: 14,
  resetAck: 15,
} as const;

export interface Packet {
  readonly code: number;
  readonly identifier: number;
  readonly data: Uint8Array;
}

/** An option as it stands on the wire: what its data mean is its row's business. */
export interface Option {
  readonly type: number;
  readonly data: Uint8Array;
}

const packet = layout('big', { code: u8, identifier: u8, length: u16, data: tail }, 'PPP_');

/** Octets before a packet's data. */
export const headerBytes = packet.size;

/** `PPP_SHORT`: no whole header. `PPP_LENGTH`: the length field names less than a header or more than there is. */
export function decodePacket(bytes: Uint8Array): Packet | Malformed {
  const value = packet.decode(bytes);
  if (value instanceof Malformed) return value;
  const { code, identifier, length, data } = value;
  if (length < headerBytes || length > bytes.length) return new Malformed('PPP_LENGTH', 'length', 2);
  return { code, identifier, data: data.subarray(0, length - headerBytes) };
}

export function encodePacket({ code, identifier, data }: Packet): Uint8Array {
  return packet.encode({ code, identifier, length: headerBytes + data.length, data });
}

/** `PPP_OPTION_SHORT`: one octet is left over. `PPP_OPTION_LENGTH`: an option is shorter than its header or overruns the list. */
export function decodeOptions(data: Uint8Array): readonly Option[] | Malformed {
  const options: Option[] = [];
  for (let at = 0; at < data.length; ) {
    const [type, length] = data.subarray(at);
    if (type === undefined || length === undefined) return new Malformed('PPP_OPTION_SHORT', 'option', at);
    if (length < 2 || at + length > data.length) return new Malformed('PPP_OPTION_LENGTH', 'length', at + 1);
    options.push({ type, data: data.slice(at + 2, at + length) });
    at += length;
  }
  return options;
}

/** Each option in the order given. Data longer than 253 octets is a bug. */
export function encodeOptions(options: readonly Option[]): Uint8Array {
  return concat(
    ...options.map(({ type, data }) => {
      if (data.length > 253) throw new RangeError(`option ${type} with ${data.length} octets`);
      return Uint8Array.of(type, data.length + 2, ...data);
    }),
  );
}
