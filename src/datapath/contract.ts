/**
 * The contract between control and engine: every message that crosses the unix socket, in one place.
 *
 * A message is a header (octets of the whole message u32, type u16, zero u16), fields at fixed offsets, and at most one tail.
 * All numbers are little-endian; IPv4 addresses are numbers whose highest octet is the first of the dotted form.
 * native/contract.h says the same in C++; a test holds the two equal by what `pptp-engine --contract` prints.
 *
 * Handles are `generation << 16 | slot`; generation is never 0, so that 0 names nothing. One side makes each kind:
 *
 * | handle | made by | slot |
 * |---|---|---|
 * | call | control | our Call ID, the one in the GRE key; its low bits name the worker |
 * | link (an interface) | control | a free slot |
 * | connection | engine | a free slot |
 *
 * A message with a stale handle is counted (`staleHandles`) and dropped: its reply, if any, has been sent already.
 * Order: one FIFO each way. Commands for one call are performed in the order sent, frames among them, so that keys never
 * overtake the acknowledgment that announces them.
 */

import { concat } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import {
  bytes,
  type Layout,
  layout,
  type Of,
  reserved,
  tail,
  tailInPlace,
  text,
  u8,
  u16,
  u32,
  u64,
} from '../base/layout.ts';

/**
 * Both sides must be of the same version; an engine of another one is told so and left alone. What is added as the tail of an event is
 * no other version: a control of before does not read it, an engine of before leaves it empty.
 */
export const contractVersion = 5;

/** Octets before the fields of every message. */
export const headerSize = 8;

/** No message is longer: a counters table of 65,535 calls is sent in parts. A longer one is a bug and ends the process. */
export const messageBytesMax = 1 << 20;

const message = <const F extends Parameters<typeof layout>[1]>(fields: F): Layout<F> =>
  layout('little', fields, 'CONTRACT_');

/** Call-open: the peer's Call ID is known (a call that we answer); otherwise nothing is sent before call-peer. */
export const peerCallIdKnown = 1;

/**
 * Call-framing: what the peer lets us leave out, and whether it wants the short sequence numbers of RFC 1990. Protocol-field
 * compression applies to network protocols and CCP-class data only, never to LCP.
 */
export const framing = { addressControl: 1, protocolField: 2, shortSequence: 4 } as const;

/** Call-keys, call-shape: which half. `receive` is what comes from the peer. */
export const direction = { receive: 1, transmit: 2 } as const;

/** Call-attach, call-bridge: what may pass, and whether it must be encrypted both ways. */
export const attach = { receive: 1, transmit: 2, encryptionRequired: 4 } as const;

/** Call-bridge: what the peer takes beyond plain Ethernet frames: VLAN tags; BPDUs and their like; a mark on these. */
export const takes = { taggedFrames: 1, inlineManagement: 2, controlIndicator: 4 } as const;

/** Commands: control → engine. */
export const commands = {
  /** First message after connecting. The engine answers with `hello` and a snapshot of all that it holds. */
  hello: { type: 1, layout: message({ version: u16, reserved: reserved(2) }) },
  /** Listen on a TCP address; `listening` answers. `token` names the listener in `accepted` and `unlisten`. */
  listen: { type: 2, layout: message({ token: u32, address: u32, port: u16, backlog: u16 }) },
  /** Close a listener; connections that it accepted stay. */
  unlisten: { type: 3, layout: message({ token: u32 }) },
  /** Open a TCP connection; `connected` answers. A source address of 0 leaves the choice to the kernel. */
  connect: {
    type: 4,
    layout: message({
      token: u32,
      localAddress: u32,
      address: u32,
      port: u16,
      reserved: reserved(2),
      timeoutMs: u32,
    }),
  },
  /** Octets to send. What the socket does not take at once waits in a bounded backlog; past it the connection is closed (ENOBUFS). */
  'tcp-send': { type: 5, layout: message({ connection: u32, bytes: tail }) },
  /** Send what waits, then close (`abort` 0), or reset at once (1). `tcp-closed` answers. */
  'tcp-close': { type: 6, layout: message({ connection: u32, abort: u8, reserved: reserved(3) }) },

  /**
   * Hold a call: from now on GRE for our Call ID (the handle's slot) from `peerAddress` is taken.
   * Performed before any later command of the same FIFO, so an Outgoing-Call-Reply sent after it cannot be too early.
   * A slot that is held already is refused: `closed` with EEXIST.
   */
  'call-open': {
    type: 16,
    layout: message({ call: u32, localAddress: u32, peerAddress: u32, peerCallId: u16, flags: u16 }),
  },
  /** The peer's Call ID, learnt from its reply. */
  'call-peer': { type: 17, layout: message({ call: u32, peerCallId: u16, reserved: reserved(2) }) },
  /** One PPP frame to send: its protocol number and information field. Never encrypted: all of control's protocols are outside MPPE. */
  'call-frame': {
    type: 18,
    layout: message({ call: u32, protocol: u16, reserved: reserved(2), information: tail }),
  },
  /**
   * What LCP settled. The engine needs the magic numbers to answer Echo-Requests while control is away. A network packet whose
   * information field, as it would be sent, is longer than `frameBytesMax` leaves in Multilink fragments (0: none does).
   * `mrru` is the longest information field that is put together again from the peer's fragments (0: fragments are
   * malformed). Sequence numbers of fragments, both ways, begin anew.
   */
  'call-framing': {
    type: 19,
    layout: message({
      call: u32,
      flags: u16,
      peerMru: u16,
      ourMagic: u32,
      peerMagic: u32,
      frameBytesMax: u16,
      mrru: u16,
    }),
  },
  /** Start key (RFC 3079's master or start key; 8 octets and zeros for 40 and 56 bit) of one direction; `bits` 0 turns it off. */
  'call-keys': {
    type: 20,
    layout: message({
      call: u32,
      direction: u8,
      bits: u8,
      stateless: u8,
      reserved: reserved(1),
      startKey: bytes(16),
    }),
  },
  /** The peer asked to re-initialise what we send (CCP Reset-Request): the next packet carries the flushed bit. */
  'call-flush': { type: 21, layout: message({ call: u32 }) },
  /**
   * Join a call to an interface (0: none). `flags` is `attach`. `mssClamp` is the largest TCP MSS that may pass (0: any).
   * A transmit packet of a call without transmit, or without keys where encryption is required, is dropped and counted.
   */
  'call-attach': { type: 22, layout: message({ call: u32, link: u32, flags: u16, mssClamp: u16 }) },
  /** Report `silent` when nothing was received for `silentMs`, then every `probeMs`; `idle` when no network packet passed for `idleMs`. 0: never. */
  'call-watch': { type: 23, layout: message({ call: u32, silentMs: u32, probeMs: u32, idleMs: u32 }) },
  /** Octets that the engine keeps for the next control, at most `memoBytesMax`. */
  'call-memo': { type: 24, layout: message({ call: u32, memo: tail }) },
  /** Forget the call. `closed` answers, with the final counters; what was received before it has been counted. */
  'call-close': { type: 25, layout: message({ call: u32 }) },
  /**
   * The rate of one direction, in bits per second of network packets as IP counts them; a `limit` of 0 is no limit. While the
   * average over `burstTimeMs` is below `threshold`, `burst` may pass, else `limit`; no burst: `burst` not above `limit`, or
   * `burstTimeMs` 0. Takes effect at once, and begins a new average. Towards the peer packets wait their turn; from the peer
   * those beyond the rate are dropped and counted (`shaped`). Control's frames and acknowledgments are never held up.
   */
  'call-shape': {
    type: 26,
    layout: message({
      call: u32,
      direction: u8,
      reserved: reserved(3),
      limit: u64,
      burst: u64,
      threshold: u64,
      burstTimeMs: u32,
    }),
  },
  /**
   * How far the call's own counters of octets, which began with it, may go; 0: no end. Replaces what was set before. `quota`
   * says that one is used up; from then on network packets of that direction (`totalOctets`: of both) are dropped and counted
   * (`shaped`), so that nobody gets more while control is away. What follows for the session is control's decision.
   */
  'call-quota': {
    type: 27,
    layout: message({ call: u32, receiveOctets: u64, transmitOctets: u64, totalOctets: u64 }),
  },

  /**
   * Join a call to a port of a bridge (0: none): Ethernet frames pass between the two (RFC 3518), counted, limited and encrypted as
   * network packets are. `flags` is `attach`. What the peer does not take of `takes` is dropped and counted.
   */
  'call-bridge': { type: 28, layout: message({ call: u32, link: u32, flags: u16, takes: u16 }) },

  /**
   * Make an interface of this name, down and without addresses; `link-opened` answers. A TUN, for `call-attach`; or, with a
   * `bridge`, a TAP, for `call-bridge`, which is a port of that Linux bridge (ENODEV: there is none of that name;
   * EOPNOTSUPP: it is not a bridge).
   */
  'link-open': { type: 32, layout: message({ link: u32, name: text(16), bridge: text(16) }) },
  /** Remove it, with its addresses and routes; `link-closed` answers. */
  'link-close': { type: 33, layout: message({ link: u32 }) },
  /** Say `link-wanted` when the host sends a packet out of it; the packet waits in the interface. Joining a call to it takes this back. */
  'link-watch': { type: 35, layout: message({ link: u32 }) },
  /**
   * Netlink requests (whole nlmsghdr messages, one after the other), performed in order until one fails; `netlink-done` answers.
   * Messages of nftables that follow each other are one transaction: all of them or none; the engine frames it.
   */
  netlink: { type: 34, layout: message({ token: u32, messages: tail }) },

  /** `counters`, in parts if need be, and then `totals` answer. */
  'counters-get': { type: 40, layout: message({ token: u32 }) },
  /**
   * Control has done what so many octets of whole messages asked of it, in the order in which they came. What it dies with undone,
   * the next control is told, but for answers to questions, which are not its own.
   */
  heard: { type: 42, layout: message({ length: u32 }) },
  /** Close every call, interface and connection, answer for each, and exit. */
  stop: { type: 41, layout: message({}) },
} as const;

/** What is counted per call. Octets are PPP frames' (information field and protocol), as accounting counts them; never reset. */
const callCounters = {
  receivedOctets: u64,
  transmittedOctets: u64,
  receivedPackets: u64,
  transmittedPackets: u64,
  /** Network packets and bridged frames that a rate or a quota did not let pass; none of the above has them. */
  shaped: u64,
  /** Frames for control, both ways. */
  receivedFrames: u32,
  transmittedFrames: u32,
  /** GRE packets that came twice, too late, out of order but in time, or never. */
  duplicates: u32,
  late: u32,
  reordered: u32,
  lost: u32,
  /** Multilink fragments that never came, and those that came after the ones behind them and could not be used. */
  fragmentsLost: u32,
  fragmentsLate: u32,
  /** GRE or PPP that cannot be read, and protocols that are neither a network's nor control's. */
  malformed: u32,
  /** MPPE packets that decrypted to nonsense, or whose coherency count is beyond the cap. */
  undecryptable: u32,
  /** Network packets refused because they came, or would have left, in clear where encryption is required. */
  unencrypted: u32,
  /** Packets that the socket, the interface, a ring or, of bridged frames, the peer did not take. */
  dropped: u32,
  /** Milliseconds since anything was received. */
  silentMs: u32,
  /** Milliseconds since a network packet passed. */
  idleMs: u32,
} as const;

/** One row of the counters table. */
export const counterRow = layout(
  'little',
  { call: u32, reserved: reserved(4), ...callCounters },
  'CONTRACT_',
);
export type CounterRow = Of<typeof counterRow>;

/** What a worker costs, and what it was too slow for, since the engine began. */
export const workerRow = layout(
  'little',
  {
    /** Processor time of its thread, in µs. */
    processorUs: u64,
    /** Packets that the kernel threw away because its GRE socket was full; starts over after 2^32. */
    socketDrops: u32,
    reserved: reserved(4),
  },
  'CONTRACT_',
);
export type WorkerRow = Of<typeof workerRow>;

/** Events: engine → control. */
export const events = {
  /** `held` says how many connections, links and calls follow as the snapshot, before `snapshot-end`. */
  hello: { type: 129, layout: message({ version: u16, workers: u16, pid: u32, held: u32 }) },
  'connection-held': {
    type: 130,
    layout: message({ connection: u32, localAddress: u32, peerAddress: u32, localPort: u16, peerPort: u16 }),
  },
  'link-held': { type: 131, layout: message({ link: u32, interfaceIndex: u32, name: text(16) }) },
  'call-held': {
    type: 132,
    layout: message({
      call: u32,
      link: u32,
      bridgeLink: u32,
      localAddress: u32,
      peerAddress: u32,
      peerCallId: u16,
      reserved: reserved(2),
      memo: tail,
    }),
  },
  'snapshot-end': { type: 133, layout: message({}) },

  /** `port` is the one that the kernel chose when 0 was asked for. */
  listening: { type: 144, layout: message({ token: u32, errno: u32, port: u16, reserved: reserved(2) }) },
  accepted: {
    type: 145,
    layout: message({
      token: u32,
      connection: u32,
      localAddress: u32,
      peerAddress: u32,
      localPort: u16,
      peerPort: u16,
    }),
  },
  connected: {
    type: 146,
    layout: message({
      token: u32,
      errno: u32,
      connection: u32,
      localAddress: u32,
      localPort: u16,
      reserved: reserved(2),
    }),
  },
  'tcp-data': { type: 147, layout: message({ connection: u32, bytes: tail }) },
  /** The last event of a connection: the peer closed (errno 0), it broke, or `tcp-close` was performed. */
  'tcp-closed': { type: 148, layout: message({ connection: u32, errno: u32 }) },

  /** A PPP frame that is not a network packet. `first` is 1 for the first GRE packet of the call. */
  frame: {
    type: 160,
    layout: message({ call: u32, protocol: u16, first: u8, reserved: reserved(1), information: tail }),
  },
  /** Nothing was received for `silentMs` (`probe` 1), and for another `probeMs` each (2, 3, …). */
  silent: { type: 161, layout: message({ call: u32, probe: u32 }) },
  /** No network packet passed for `idleMs`. Said once. */
  idle: { type: 162, layout: message({ call: u32 }) },
  /** Stateful MPPE lost packets: CCP must send a Reset-Request. Said again each second in which packets still cannot be read: the request may be lost too, and MPPE knows no answer to it. */
  'cipher-lost': { type: 163, layout: message({ call: u32 }) },
  /** The last event of a call. errno 0: call-close was performed; else why it was refused. */
  closed: { type: 164, layout: message({ errno: u32, call: u32, reserved: reserved(4), ...callCounters }) },

  /** A quota is used up. Said once for each `call-quota`, within 100 ms. */
  quota: { type: 165, layout: message({ call: u32 }) },

  'link-opened': { type: 176, layout: message({ link: u32, errno: u32, interfaceIndex: u32 }) },
  'link-closed': { type: 177, layout: message({ link: u32 }) },
  /** What `link-watch` asked for. Said once. */
  'link-wanted': { type: 179, layout: message({ link: u32 }) },
  /** `performed` messages succeeded; if errno is not 0 the next one failed. `text`: the kernel's words about an error, or the messages that answer a question. */
  'netlink-done': { type: 178, layout: message({ token: u32, errno: u32, performed: u32, text: tail }) },

  /** Rows of `counterRow`, one after the other. */
  counters: { type: 184, layout: message({ token: u32, rows: tailInPlace }) },
  /** What no call can be charged with; ends the answer to counters-get. */
  totals: {
    type: 185,
    layout: message({
      token: u32,
      calls: u32,
      connections: u32,
      links: u32,
      receivedPackets: u64,
      transmittedPackets: u64,
      /** GRE for a Call ID that is not held, or from another address than the call's peer. */
      unknownCalls: u64,
      malformed: u64,
      staleHandles: u64,
      /** Connections refused because the table was full, frames and TCP octets dropped because control was away too long. */
      refusedConnections: u64,
      droppedFrames: u64,
      /** Commands and packets dropped because a ring was full. */
      ringFull: u64,
      /** Rows of `workerRow`, one for each worker in order; none of an engine of before there were any. */
      workers: tail,
    }),
  },
  /** A line for the log: something that an operator should know and no other event says. */
  trouble: { type: 186, layout: message({ errno: u32, text: tail }) },
} as const;

/** Octets of a call's memo. */
export const memoBytesMax = 16_384;

type Messages = Readonly<Record<string, { readonly type: number; readonly layout: Layout<never> }>>;
type UnionOf<M> = {
  [K in keyof M]: M[K] extends { readonly layout: infer L } ? { readonly kind: K } & Readonly<Of<L>> : never;
}[keyof M];

export type Command = UnionOf<typeof commands>;
export type Event = UnionOf<typeof events>;
export type EventOf<K extends Event['kind']> = Extract<Event, { kind: K }>;
export type CommandOf<K extends Command['kind']> = Extract<Command, { kind: K }>;

/** The octets of a whole message. */
export function encodeCommand(command: Command): Uint8Array {
  return encodeMessage(commands as unknown as Messages, command);
}

export function encodeEvent(event: Event): Uint8Array {
  return encodeMessage(events as unknown as Messages, event);
}

/** The message of `octets`, which are exactly one whole message, header included. */
export function decodeCommand(octets: Uint8Array): Command | Malformed {
  return decodeMessage(commandNames, commands as unknown as Messages, octets) as Command | Malformed;
}

export function decodeEvent(octets: Uint8Array): Event | Malformed {
  return decodeMessage(eventNames, events as unknown as Messages, octets) as Event | Malformed;
}

function encodeMessage(messages: Messages, value: { readonly kind: string }): Uint8Array {
  const row = messages[value.kind];
  if (row === undefined) throw new RangeError(`no message ${value.kind}`);
  const body = row.layout.encode(value as never);
  return concat(header.encode({ size: headerSize + body.length, type: row.type }), body);
}

function decodeMessage(names: ReadonlyMap<number, string>, messages: Messages, octets: Uint8Array): unknown {
  const head = header.decode(octets);
  if (head instanceof Malformed) return head;
  const name = names.get(head.type);
  const row = name === undefined ? undefined : messages[name];
  if (row === undefined) return new Malformed('CONTRACT_UNKNOWN_TYPE', 'type', 4);
  const value = row.layout.decode(octets.subarray(headerSize)) as object | Malformed;
  return value instanceof Malformed ? value : { kind: name, ...value };
}

export const header = layout('little', { size: u32, type: u16, reserved: reserved(2) }, 'CONTRACT_');

const namesOf = (messages: object): ReadonlyMap<number, string> =>
  new Map(Object.entries(messages as Messages).map(([name, { type }]) => [type, name]));
const commandNames = namesOf(commands);
const eventNames = namesOf(events);

/** The contract as plain data, in the form that `pptp-engine --contract` prints; offsets count from the header's end. */
export function describeContract(): object {
  const rows = (messages: object) =>
    Object.entries(messages as Messages).map(([name, row]) => ({
      name,
      type: row.type,
      ...fieldsOf(row.layout),
    }));
  return {
    version: contractVersion,
    commands: rows(commands),
    events: rows(events),
    counterRow: fieldsOf(counterRow),
    workerRow: fieldsOf(workerRow),
  };
}

function fieldsOf({ size, fields }: Pick<Layout<never>, 'size' | 'fields'>): object {
  return { size, fields: fields.filter(({ kind }) => !kind.startsWith('reserved')) };
}
