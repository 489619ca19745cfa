/**
 * Records in RADIUS's words: the attributes of an Accounting-Request (RFC 2866, RFC 2869 section 5). A record in, attributes
 * out; who asks whom, and how often, is sender.ts's. Pure.
 */

import { identityAttributes, nasAttributes } from '../aaa/identity-attributes.ts';
import { type Attribute, attribute } from '../radius/attribute.ts';
import type { AccountingRecord, NodeRecord, SessionFacts, Usage } from './record.ts';

/** RFC 2866 section 5.1. */
const statusTypes = { start: 1, stop: 2, interim: 3, on: 7, off: 8 } as const;

/** RFC 2866 section 5.6. */
const authentic = { radius: 1, local: 2 } as const;

/** `delayMs` is the age of the event as the packet is made: Acct-Delay-Time. */
export function attributesOf(record: AccountingRecord, delayMs: number): readonly Attribute[] {
  const told = [
    attribute('Acct-Status-Type', statusTypes[record.kind]),
    attribute('Event-Timestamp', Math.floor(record.atMs / 1000)),
    attribute('Acct-Delay-Time', wholeSeconds(delayMs)),
  ];
  switch (record.kind) {
    case 'on':
    case 'off':
      return [...ofNode(record), ...told];
    case 'start':
      return [...ofSession(record.facts), ...told];
    case 'interim':
      return [...ofSession(record.facts), ...told, ...ofUse(record.uptimeMs, record.usage)];
    case 'stop':
      return [
        ...ofSession(record.facts),
        ...told,
        ...ofUse(record.uptimeMs, record.usage),
        attribute('Acct-Terminate-Cause', record.terminateCause),
      ];
  }
}

function ofNode({ nas, sessionId }: NodeRecord): readonly Attribute[] {
  return [...nasAttributes(nas), attribute('Acct-Session-Id', sessionId)];
}

function ofSession(facts: SessionFacts): readonly Attribute[] {
  return [
    ...identityAttributes(facts.identity, facts.user),
    attribute('Framed-IP-Address', facts.framedAddress),
    attribute('Acct-Authentic', authentic[facts.authentic]),
    // RFC 2865 section 5.25: unmodified, and in the server's order.
    ...facts.classes.map((octets) => attribute('Class', octets)),
  ];
}

/**
 * Gigawords always, also 0: servers that add what they find would take a missing one for the one before. Packets have no such
 * attribute, and start over after 2^32.
 */
function ofUse(uptimeMs: number, usage: Usage): readonly Attribute[] {
  const { receivedOctets, transmittedOctets, receivedPackets, transmittedPackets } = usage;
  return [
    attribute('Acct-Session-Time', wholeSeconds(uptimeMs)),
    attribute('Acct-Input-Octets', low(receivedOctets)),
    attribute('Acct-Output-Octets', low(transmittedOctets)),
    attribute('Acct-Input-Packets', low(receivedPackets)),
    attribute('Acct-Output-Packets', low(transmittedPackets)),
    attribute('Acct-Input-Gigawords', low(receivedOctets >> 32n)),
    attribute('Acct-Output-Gigawords', low(transmittedOctets >> 32n)),
  ];
}

function low(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}

/** A clock that was set back makes no negative times. */
function wholeSeconds(durationMs: number): number {
  return Math.max(0, Math.round(durationMs / 1000));
}
