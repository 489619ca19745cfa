/** The control messages that came and that were sent, counted by their names, of all connections. */

import { type Tally, tally } from '../base/observe.ts';
import { type MessageName, messageNames } from './messages.ts';

const help = Object.fromEntries(messageNames.map((name) => [name, `messages ${name}`])) as Readonly<
  Record<MessageName, string>
>;

export const messageTallies: Readonly<Record<'receive' | 'transmit', Tally<MessageName>>> = {
  receive: tally('pptp-messages', help),
  transmit: tally('pptp-messages', help),
};
