/**
 * The memo of a call: what the engine keeps of a session for a control process after this one (`call-memo` of datapath/contract.ts).
 * A session goes in, octets come out, and the other way round. Whoever takes control next reads whose call it is and over which
 * connection it came, and while the session is up all that it takes to go on with it: what LCP, CCP, IPCP and BCP have agreed, who
 * the user is and what he was granted; or which client has dialled it.
 *
 * It is read by other releases than the one that wrote it. So its parts are added to and never change their meaning: one that an older
 * release did not write may be missing, one that a newer release wrote is let pass unread. A memo that does not fit has its session
 * ended in order, and accounted for. MPPE's start keys are in it, as they are in the engine beside it; it is never logged. Pure.
 */

import type { Filters, Grant, Limits, Quota, Rate, Rates } from '../aaa/grant.ts';
import type { Route } from '../aaa/route.ts';
import {
  type Form,
  flag,
  type Json,
  listOf,
  mapOf,
  maybe,
  objectOf,
  octets,
  optional,
  rounded,
  text,
  whole,
  word,
} from '../accounting/form.ts';
import type { SessionFacts } from '../accounting/record.ts';
import { factsForm } from '../accounting/record-form.ts';
import { toBytes, toText } from '../base/bytes.ts';
import type { Ipv4, Ipv4Prefix } from '../base/ip.ts';
import type { AddressOrPool } from '../base/kind.ts';
import { memoBytesMax } from '../datapath/contract.ts';
import type { Plan, PlannedRoute } from '../net/plan.ts';
import { methodsByStrength, passwordMethodsByStrength } from '../ppp/auth/method.ts';
import type { MppeBits, MppeKeys } from '../ppp/auth/mppe-keys.ts';
import type { BridgeTakes } from '../ppp/bcp/options.ts';
import type { StandingNetwork } from '../ppp/bundle.ts';
import { type Mppe, mppeBits } from '../ppp/ccp/options.ts';
import type { LcpSides } from '../ppp/lcp/lcp.ts';
import type { LcpSide } from '../ppp/lcp/options.ts';
import type { CallKind } from '../pptp/effects.ts';
import type { StandingPhase } from './network.ts';
import type { StandingRestraint } from './restraint.ts';
import type { StandingSession } from './session.ts';
import type { StandingSubscriber } from './subscriber.ts';

export interface Memo {
  /** Acct-Session-Id; none before a subscriber's session has been up, and none of a tunnel that this node has dialled. */
  readonly sessionId?: string | undefined;
  /** Of a subscriber's session. Undefined while it is not up: nobody can go on with it. */
  readonly standing: StandingCaller | undefined;
  /** Of a tunnel that this node has dialled. */
  readonly dialled?: DialledCall | undefined;
  /** Where `standing` does not say it. Older releases did not either. */
  readonly line?: Line | undefined;
}

/** How a call came, or was placed. */
export interface Line {
  /** The engine's handle of its control connection. */
  readonly connection: number;
  readonly kind: CallKind;
}

/** A session of the server's that is up. */
export interface StandingCaller extends Line {
  readonly facts: SessionFacts;
  readonly interimMs: number;
  /** Since 1970. */
  readonly startedAtMs: number;
  readonly subscriber: StandingSubscriber;
  readonly session: StandingSession;
}

/** A call that a client of ours has placed. */
export interface DialledCall {
  /** The client's entry as it was then: the text of each property, by its key. */
  readonly entry: ReadonlyMap<string, string>;
  /** Undefined while the session is not up. */
  readonly standing: StandingTunnel | undefined;
}

/** A tunnel of a client of ours that is up. */
export interface StandingTunnel {
  /** What its profile gave it. */
  readonly grant: Grant;
  /** Of its port in a bridge, since there was one. */
  readonly portName?: string | undefined;
  /** The other end of its interface while no tunnel stands, of a client that dials on demand. */
  readonly gateway?: Ipv4 | undefined;
  readonly session: StandingSession;
}

/** One that is too long for the engine says only whose it is. */
export function memoOctets(memo: Memo): Uint8Array {
  const octets = octetsOf(memo);
  if (octets.length <= memoBytesMax) return octets;
  const { dialled, line = memo.standing } = memo;
  return octetsOf({
    ...memo,
    standing: undefined,
    dialled: dialled && { ...dialled, standing: undefined },
    line,
  });
}

/** Undefined if there is nothing in it that can be read: the session was not up, or the memo is none. */
export function memoIn(written: Uint8Array): Memo | undefined {
  if (written.length === 0) return undefined;
  let json: Json;
  try {
    json = JSON.parse(toText(written)) as Json;
  } catch {
    return undefined;
  }
  const memo = memoForm.read(json);
  if (memo !== undefined) return memo;
  // Whose it is can be said of more memos than can be gone on with.
  const owner = ownerForm.read(json);
  return owner && { ...owner, standing: undefined };
}

/** Over which connection the call came, if the memo says it. */
export function lineIn({ line, standing }: Memo): Line | undefined {
  return line ?? standing;
}

function octetsOf(memo: Memo): Uint8Array {
  return toBytes(JSON.stringify(memoForm.write(memo)));
}

const bits: Form<MppeBits> = {
  write: (value) => value,
  read: (json) => mppeBits.find((each) => each === json),
};

const prefix = objectOf<Ipv4Prefix>({ address: whole, length: whole });

const addressOrPool: Form<AddressOrPool> = {
  write: (wish) => ('pool' in wish ? wish.pool : wish.address),
  read(json) {
    const [pool, address] = [text.read(json), whole.read(json)];
    if (pool !== undefined) return { pool };
    return address === undefined ? undefined : { address };
  },
};

const rate = objectOf<Rate>({ limit: rounded, burst: rounded, threshold: rounded, burstTimeMs: rounded });

const limits = objectOf<Limits>({
  sessionTimeoutMs: maybe(rounded),
  idleTimeoutMs: maybe(rounded),
  rates: maybe(
    objectOf<Rates>({
      receive: rate,
      transmit: rate,
      priority: optional(whole),
      minimum: optional(objectOf<NonNullable<Rates['minimum']>>({ receive: rounded, transmit: rounded })),
    }),
  ),
  quota: objectOf<Quota>({
    receiveOctets: maybe(rounded),
    transmitOctets: maybe(rounded),
    totalOctets: maybe(rounded),
  }),
  filters: objectOf<Filters>({ incoming: maybe(text), outgoing: maybe(text) }),
  addressLists: listOf(text),
});

const strengths: Form<ReadonlySet<MppeBits>> = {
  write: (set) => [...set],
  read(json) {
    const list = listOf(bits).read(json);
    return list && new Set(list);
  },
};

const grant = objectOf<Grant>({
  profile: text,
  localAddress: maybe(addressOrPool),
  remoteAddress: maybe(addressOrPool),
  bridge: optional(text),
  dnsServer: listOf(whole),
  winsServer: listOf(whole),
  routes: listOf(objectOf<Route>({ destination: prefix, gateway: whole, metric: whole })),
  useEncryption: word('no', 'yes', 'required'),
  encryptionBits: maybe(strengths),
  useCompression: flag,
  changeTcpMss: flag,
  onlyOne: flag,
  portLimit: maybe(whole),
  mtu: maybe(whole),
  limits,
});

const subscriber = objectOf<StandingSubscriber>({
  user: text,
  interfaceName: text,
  portName: optional(text),
  local: whole,
  remote: whole,
  grant,
  source: word('local', 'radius'),
  method: maybe(word(...methodsByStrength)),
});

const side = {
  mru: whole,
  accm: whole,
  magic: whole,
  protocolFieldCompression: flag,
  addressAndControlFieldCompression: flag,
  mrru: maybe(whole),
  shortSequenceNumbers: flag,
};

const lcp = objectOf<LcpSides>({
  ours: objectOf<LcpSide>({ ...side, authentication: maybe(word(...methodsByStrength)) }),
  peers: objectOf<LcpSides['peers']>({ ...side, authentication: maybe(word(...passwordMethodsByStrength)) }),
});

const network = objectOf<StandingPhase>({
  keys: maybe(objectOf<MppeKeys>({ send: octets, receive: octets, shortSend: octets, shortReceive: octets })),
  packetBytesMax: whole,
  agreed: objectOf<StandingNetwork>({
    local: whole,
    remote: maybe(whole),
    dns: listOf(whole),
    mppe: maybe(objectOf<Mppe>({ bits, stateless: flag })),
  }),
  mtu: whole,
  plan: objectOf<Plan>({
    linkName: text,
    mtu: whole,
    local: whole,
    remote: whole,
    routes: listOf(objectOf<PlannedRoute>({ destination: prefix, gateway: optional(whole), metric: whole })),
    defaultRoute: optional(objectOf<{ distance: number }>({ distance: whole })),
  }),
  bridge: optional(
    objectOf<BridgeTakes>({ taggedFrames: flag, inlineManagement: flag, controlIndicator: flag }),
  ),
});

const session = objectOf<StandingSession>({
  upSinceMs: rounded,
  lcp,
  packetBytesMax: whole,
  network,
  restraint: objectOf<StandingRestraint>({ limits, countsFromMs: rounded }),
});

const line = { connection: whole, kind: word('outgoing', 'incoming') };

const dialled = objectOf<DialledCall>({
  entry: mapOf(text),
  standing: maybe(
    objectOf<StandingTunnel>({
      grant,
      portName: optional(text),
      gateway: optional(whole),
      session,
    }),
  ),
});

const memoForm = objectOf<Memo>({
  sessionId: optional(text),
  standing: maybe(
    objectOf<StandingCaller>({
      ...line,
      facts: factsForm,
      interimMs: rounded,
      startedAtMs: rounded,
      subscriber,
      session,
    }),
  ),
  dialled: optional(dialled),
  line: optional(objectOf<Line>(line)),
});

/** Of any release's memo. */
const ownerForm = objectOf<Pick<Memo, 'sessionId'>>({ sessionId: text });
