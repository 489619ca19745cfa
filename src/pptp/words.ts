/**
 * A control message in words: `Outgoing-Call-Request call-id=0 call-serial-number=1 …`. The message's name and those of its fields are
 * the RFC's (RFC 2637 section 2); codes are told with their meaning, empty texts not at all. Pure.
 */

import { hyphened, quoted } from '../base/readable.ts';
import { errorCodes, named, reasons, resultCodes } from './codes.ts';
import type { Message } from './messages.ts';

/** The line of a message. */
export function messageWords({ name, ...fields }: Message): string {
  const words = Object.entries(fields).flatMap(([field, value]) => {
    const shown = shownValue(name, field, value);
    return shown === '' ? [] : [`${hyphened(field)}=${shown}`];
  });
  return [titleOf(name), ...words].join(' ');
}

/** `Outgoing-Call-Request`. */
export function titleOf(name: Message['name']): string {
  const title = hyphened(name).replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
  return title === 'Wan-Error-Notify' ? 'WAN-Error-Notify' : title;
}

function shownValue(message: Message['name'], field: string, value: string | number): string {
  if (typeof value === 'string') return value === '' ? '' : quoted(value);
  switch (field) {
    case 'resultCode':
      return named(message in resultCodes ? resultCodes[message as keyof typeof resultCodes] : {}, value);
    case 'errorCode':
      return value === errorCodes.none ? '' : named(errorCodes, value);
    case 'reason':
      return named(reasons, value);
    case 'protocolVersion':
      return `${value >> 8}.${value & 0xff}`;
    default:
      return String(value);
  }
}
