/**
 * The sender: one entry of the journal as a question to a RADIUS server, through the exchange. Before a request first goes
 * out the journal knows it, so that after a crash the very same packet goes out again, from the same port: the server knows
 * it for a copy, and no Stop stands there twice. Pure.
 */

import type { WatchSession } from '../aaa/by-radius.ts';
import type { Clock } from '../base/clock.ts';
import type { AttributeCodec } from '../radius/attribute.ts';
import { codes } from '../radius/packet.ts';
import type { Outcome, Query } from '../radius/query.ts';
import { attributesOf } from './by-radius.ts';
import type { Sender } from './delivery.ts';
import type { Ledger } from './ledger.ts';

export interface SenderPorts {
  /** The exchange's. */
  ask(query: Query, done: (outcome: Outcome) => void): void;
  readonly codec: AttributeCodec;
  readonly ledger: Pick<Ledger, 'sent'>;
  readonly clock: Clock;
  readonly watch?: WatchSession;
}

export function radiusSender({ ask, codec, ledger, clock, watch }: SenderPorts): Sender {
  return ({ number, record, sent }, done) => {
    const ageMs = clock.wallMs() - record.atMs;
    const watching = 'facts' in record ? watch?.(record.facts.identity, record.facts.user) : undefined;
    const query: Query = {
      role: 'accounting',
      code: codes.accountingRequest,
      urgency: record.kind === 'interim' ? 'patient' : 'urgent',
      attributes: ({ waitedMs }) => codec.encode(attributesOf(record, ageMs + waitedMs)),
      beforeSending: (request, go) => ledger.sent(number, request, go),
      ...(sent !== undefined && { resume: sent }),
      ...(watching && { watch: watching }),
    };
    // Anything but an Accounting-Response, such as Protocol-Error, is no acknowledgement (RFC 2866 section 4.2).
    ask(query, (outcome) =>
      done(outcome.got === 'reply' && outcome.packet.code === codes.accountingResponse),
    );
  };
}
