/** A peer made by hand: packets in and out as short text, `Configure-Request 1 0304c023`, the data in hexadecimal. */

import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { decodePacket, encodePacket } from '../../../src/ppp/packet.ts';
import { protocolName } from '../../../src/ppp/protocol.ts';

const names = [
  '',
  'Configure-Request',
  'Configure-Ack',
  'Configure-Nak',
  'Configure-Reject',
  'Terminate-Request',
  'Terminate-Ack',
  'Code-Reject',
  'Protocol-Reject',
  'Echo-Request',
  'Echo-Reply',
  'Discard-Request',
  'Identification',
  'Time-Remaining',
  'Reset-Request',
  'Reset-Ack',
];

/** The octets of `Configure-Request 1 0304c023`. */
export function packet(text: string): Uint8Array {
  const [name = '', identifier = '0', ...data] = text.split(' ');
  const code = names.indexOf(name);
  if (code < 1) throw new Error(`no code is called ${name}`);
  return encodePacket({ code, identifier: Number(identifier), data: fromHex(data.join('')) });
}

interface AnyEffect {
  readonly do: string;
  readonly protocol?: number;
  readonly bytes?: Uint8Array;
}

/** The frames among the effects: `LCP Configure-Ack 1 0304c023`. */
export function sent(effects: readonly AnyEffect[]): readonly string[] {
  return effects.flatMap((effect) => {
    if (effect.do !== 'send' || effect.bytes === undefined) return [];
    const read = decodePacket(effect.bytes);
    if (read instanceof Malformed) throw new Error(read.code);
    const data = toHex(read.data);
    const text = `${protocolName(effect.protocol ?? 0)} ${names[read.code]} ${read.identifier}`;
    return [data === '' ? text : `${text} ${data}`];
  });
}

/** The effects with a certain verb. */
export function those<E extends AnyEffect, Verb extends E['do']>(
  effects: readonly E[],
  verb: Verb,
): readonly Extract<E, { do: Verb }>[] {
  return effects.filter((effect): effect is Extract<E, { do: Verb }> => effect.do === verb);
}
