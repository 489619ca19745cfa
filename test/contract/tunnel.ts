/**
 * Two engines and a call between them, in the words of the contract: commands that tests of every kind of engine send, and
 * what they read of the answers.
 */

import { expect } from 'vitest';
import { toBytes, toText } from '../../src/base/bytes.ts';
import {
  attach,
  type CommandOf,
  type CounterRow,
  contractVersion,
  counterRow,
  direction,
  type EventOf,
  peerCallIdKnown,
  takes,
} from '../../src/datapath/contract.ts';
import { encodeRequests } from '../../src/net/netlink.ts';
import { apply } from '../../src/net/plan.ts';
import { bridgeName, type Control, inner, type Pair, portName, type Side } from './world.ts';

export const lcp = 0xc021;

/** Call IDs far apart, and a generation other than the first. */
export const leftCall = 0x0003_0007;
export const rightCall = 0x0002_4e21;
export const link = 0x0001_0004;
export const linkName = 'tunnel0';
/** The port of a bridge. */
export const port = 0x0001_0009;
export const slotOf = (handle: number): number => handle & 0xffff;

export async function greetBoth({ left, right }: Pair): Promise<void> {
  await greet(left.control);
  await greet(right.control);
}

export async function openCalls(pair: Pair): Promise<void> {
  await greetBoth(pair);
  await holdCalls(pair);
}

/** Both ends hold the call when this is done: until then GRE for it would be a stranger's. */
async function holdCalls(pair: Pair): Promise<void> {
  const { left, right } = pair;
  left.control.send(callOpen(left, leftCall, right, slotOf(rightCall)));
  right.control.send(callOpen(right, rightCall, left, slotOf(leftCall)));
  await performed(pair);
}

/** An answer comes after all that was sent before has been performed. */
export async function performed({ left, right }: Pair): Promise<void> {
  await rows(left.control);
  await rows(right.control);
}

/** A call with an interface at each end, through which the `inner` addresses reach each other. */
export async function openTunnel(pair: Pair, { required = false, greeted = false } = {}): Promise<void> {
  const { left, right } = pair;
  if (!greeted) await greetBoth(pair);
  await holdCalls(pair);
  for (const [side, call, local, remote] of [
    [left, leftCall, inner.left, inner.right],
    [right, rightCall, inner.right, inner.left],
  ] as const) {
    const { interfaceIndex } = await openLink(side.control);
    const plan = { linkName, mtu: 1400, local, remote, routes: [] };
    const messages = encodeRequests(apply(plan, interfaceIndex));
    side.control.send({ kind: 'netlink', token: 1, messages });
    const done = await side.control.next('netlink-done');
    expect(done, toText(done.text)).toMatchObject({ errno: 0, performed: 2 });
    side.control.send(attached(call, { required }));
  }
  await performed(pair);
}

/** A port of its bridge at each end, which is up and joined to the call of `openCalls` or `openTunnel`. */
export async function openBridges(pair: Pair, { required = false } = {}): Promise<void> {
  const { left, right } = pair;
  for (const [side, call] of [
    [left, leftCall],
    [right, rightCall],
  ] as const) {
    const { interfaceIndex } = await openPort(side.control);
    const up = { request: 'set-link', interfaceIndex, up: true, mtu: 1400 } as const;
    side.control.send({ kind: 'netlink', token: port, messages: encodeRequests([up]) });
    const done = await side.control.next('netlink-done', ({ token }) => token === port);
    expect(done, toText(done.text)).toMatchObject({ errno: 0, performed: 1 });
    side.control.send(bridged(call, { required }));
  }
  await performed(pair);
}

export async function setKeys(
  pair: Pair,
  terms: { bits: number; stateless: number },
  up: string,
  down: string,
): Promise<void> {
  const { left, right } = pair;
  left.control.send(keys(leftCall, direction.transmit, terms, up));
  right.control.send(keys(rightCall, direction.receive, terms, up));
  right.control.send(keys(rightCall, direction.transmit, terms, down));
  left.control.send(keys(leftCall, direction.receive, terms, down));
  await performed(pair);
}

/** Asks again until it is so: for what no event tells. */
export async function until(pair: Pair, isSo: () => Promise<boolean>): Promise<void> {
  for (let times = 0; times < 1000; times++) {
    if (await isSo()) return;
    await pair.pass();
  }
  expect.unreachable('it never became so');
}

export async function greet(control: Control) {
  control.send({ kind: 'hello', version: contractVersion });
  const hello = await control.next('hello');
  const end = control.next('snapshot-end');
  await end;
  const all = async <K extends 'connection-held' | 'link-held' | 'call-held'>(kind: K) => {
    const held: EventOf<K>[] = [];
    while (control.untaken.includes(kind)) held.push(await control.next(kind));
    return held;
  };
  return {
    hello,
    connections: await all('connection-held'),
    links: await all('link-held'),
    calls: await all('call-held'),
  };
}

export function callOpen(side: Side, call: number, peer: Side, peerCallId: number): CommandOf<'call-open'> {
  const { address: localAddress } = side;
  return {
    kind: 'call-open',
    call,
    localAddress,
    peerAddress: peer.address,
    peerCallId,
    flags: peerCallIdKnown,
  };
}

export function frame(call: number, information: Uint8Array): CommandOf<'call-frame'> {
  return { kind: 'call-frame', call, protocol: lcp, information };
}

/** What LCP may settle: frames of `frameBytesMax` octets at most (0: packets are not cut), and what is put together again. */
export function framed(
  call: number,
  { frameBytesMax = 0, mrru = 0, ...more }: Partial<Omit<CommandOf<'call-framing'>, 'kind' | 'call'>>,
): CommandOf<'call-framing'> {
  const settled = { flags: 0, peerMru: 1500, ourMagic: 1, peerMagic: 2, frameBytesMax, mrru };
  return { kind: 'call-framing', call, ...settled, ...more };
}

export function attached(call: number, { required }: { required: boolean }): CommandOf<'call-attach'> {
  const flags = attach.receive | attach.transmit | (required ? attach.encryptionRequired : 0);
  return { kind: 'call-attach', call, link, flags, mssClamp: 0 };
}

export function keys(
  call: number,
  which: number,
  { bits, stateless }: { bits: number; stateless: number },
  secret: string,
): CommandOf<'call-keys'> {
  const startKey = new Uint8Array(16);
  startKey.set(toBytes(secret).subarray(0, bits === 128 ? 16 : 8));
  return { kind: 'call-keys', call, direction: which, bits, stateless, startKey };
}

export async function openLink(control: Control): Promise<EventOf<'link-opened'>> {
  control.send({ kind: 'link-open', link, name: linkName, bridge: '' });
  return control.next('link-opened', (event) => event.link === link);
}

export async function openPort(control: Control): Promise<EventOf<'link-opened'>> {
  control.send({ kind: 'link-open', link: port, name: portName, bridge: bridgeName });
  return control.next('link-opened', (event) => event.link === port);
}

export function bridged(call: number, { required }: { required: boolean }): CommandOf<'call-bridge'> {
  const { flags } = attached(call, { required });
  return { kind: 'call-bridge', call, link: port, flags, takes: takes.taggedFrames | takes.inlineManagement };
}

let tokens = 0;

/** The counters table. As commands are performed in order, all that was sent before has been performed. */
export async function rows(control: Control): Promise<CounterRow[]> {
  return (await countersOf(control)).rows;
}

export async function totals(control: Control): Promise<EventOf<'totals'>> {
  return (await countersOf(control)).totals;
}

async function countersOf(control: Control) {
  const token = ++tokens;
  control.send({ kind: 'counters-get', token });
  const found = await control.next('totals', (event) => event.token === token);
  const table: CounterRow[] = [];
  while (control.untaken.includes('counters')) {
    const { rows: octets } = await control.next('counters');
    for (let at = 0; at < octets.length; at += counterRow.size) {
      table.push(counterRow.decode(octets.subarray(at)) as CounterRow);
    }
  }
  return { totals: found, rows: table };
}
