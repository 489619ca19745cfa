/** Sessions, uses and records for tests of accounting. */

import type { AccountingRecord, SessionFacts, Usage } from '../../../src/accounting/record.ts';
import { parseIpv4 } from '../../../src/base/ip.ts';

export function factsOf(sessionId: string, classes: readonly Uint8Array[] = []): SessionFacts {
  return {
    identity: {
      nas: { identifier: 'bras-1', address: address('192.0.2.1') },
      sessionId,
      nasPort: 513,
      nasPortId: 'pptp-513',
      peerAddress: address('198.51.100.7'),
      localAddress: address('192.0.2.1'),
      connectInfo: '100000000',
    },
    user: 'алиса',
    authentic: 'radius',
    framedAddress: address('10.1.2.3'),
    classes,
  };
}

export function usageOf(octets: number | bigint): Usage {
  const received = BigInt(octets);
  return {
    receivedOctets: received,
    transmittedOctets: 2n * received,
    receivedPackets: received / 100n,
    transmittedPackets: received / 50n,
  };
}

export function startOf(sessionId: string, atMs = 1_700_000_000_000): AccountingRecord {
  return { kind: 'start', facts: factsOf(sessionId), atMs };
}

export function interimOf(sessionId: string, octets: number | bigint, uptimeMs: number): AccountingRecord {
  const atMs = 1_700_000_000_000 + uptimeMs;
  return { kind: 'interim', facts: factsOf(sessionId), atMs, uptimeMs, usage: usageOf(octets) };
}

export function stopOf(sessionId: string, octets: number | bigint, uptimeMs: number): AccountingRecord {
  const atMs = 1_700_000_000_000 + uptimeMs;
  return {
    kind: 'stop',
    facts: factsOf(sessionId),
    atMs,
    uptimeMs,
    usage: usageOf(octets),
    terminateCause: 1,
  };
}

function address(text: string): number {
  return parseIpv4(text) ?? 0;
}
