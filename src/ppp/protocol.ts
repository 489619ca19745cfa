/**
 * The protocol numbers that a PPP frame may begin with (RFC 1661 section 2, and the documents named by each row), with the
 * names that logs use. Knows nothing of what travels behind them.
 */

/** `control`: negotiated here. `authentication`: a proof, before all but LCP. `data`: the engine's, never answered by a Protocol-Reject. `foreign`: known, not spoken. */
export type ProtocolKind = 'control' | 'authentication' | 'data' | 'foreign';

const rows = [
  { number: 0x0021, name: 'IP', kind: 'data' },
  { number: 0x0031, name: 'Bridging', kind: 'data' },
  { number: 0x003d, name: 'Multilink', kind: 'data' },
  { number: 0x0057, name: 'IPv6', kind: 'data' },
  { number: 0x00fb, name: 'Compressed link datagram', kind: 'data' },
  { number: 0x00fd, name: 'Compressed datagram', kind: 'data' },
  { number: 0x8021, name: 'IPCP', kind: 'control' },
  { number: 0x802b, name: 'IPXCP', kind: 'foreign' },
  { number: 0x8031, name: 'BCP', kind: 'control' },
  { number: 0x803f, name: 'NBFCP', kind: 'foreign' },
  { number: 0x8057, name: 'IPV6CP', kind: 'foreign' },
  { number: 0x80fb, name: 'Link CCP', kind: 'foreign' },
  { number: 0x80fd, name: 'CCP', kind: 'control' },
  { number: 0x8235, name: 'ACSP', kind: 'foreign' },
  { number: 0xc021, name: 'LCP', kind: 'control' },
  { number: 0xc023, name: 'PAP', kind: 'authentication' },
  { number: 0xc025, name: 'LQR', kind: 'foreign' },
  { number: 0xc02b, name: 'BACP', kind: 'foreign' },
  { number: 0xc02d, name: 'BAP', kind: 'foreign' },
  { number: 0xc223, name: 'CHAP', kind: 'authentication' },
  { number: 0xc227, name: 'EAP', kind: 'authentication' },
] as const satisfies readonly { number: number; name: string; kind: ProtocolKind }[];

type ProtocolName = (typeof rows)[number]['name'];

const byNumber: ReadonlyMap<number, (typeof rows)[number]> = new Map(rows.map((row) => [row.number, row]));
const byName = Object.fromEntries(rows.map((row) => [row.name, row.number])) as Record<ProtocolName, number>;

export const lcpProtocol = byName.LCP;
export const ipcpProtocol = byName.IPCP;
export const bcpProtocol = byName.BCP;
export const ccpProtocol = byName.CCP;

/** The protocol's name, or its number in four digits. */
export function protocolName(number: number): string {
  return byNumber.get(number)?.name ?? `0x${number.toString(16).padStart(4, '0')}`;
}

/** Whose a protocol is; a number that stands in no row is foreign. */
export function protocolKind(number: number): ProtocolKind {
  return byNumber.get(number)?.kind ?? 'foreign';
}
