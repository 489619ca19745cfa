/**
 * The guard of the fake engine before netlink: which requests it would hand to the kernel. Whole nlmsghdr messages in, what
 * is wrong with each out. It knows of rtnetlink only where a message names its interface. Pure; the kernel itself is not
 * played: what passes here has succeeded.
 */

import { Malformed } from '../base/fault.ts';
import { layout, type Of, tail, u8, u16, u32 } from '../base/layout.ts';

/** nlmsghdr (RFC 3549 section 2.3.2). */
const messageHeader = layout('little', {
  size: u32,
  type: u16,
  flags: u16,
  sequence: u32,
  port: u32,
  body: tail,
});

/** Numbers of rtnetlink(7). */
const link = { new: 16, set: 19 };
const address = { new: 20, delete: 21 };
const route = { new: 24, delete: 25 };
const neighbour = { new: 28, delete: 29 };

const indexed = layout('little', { before: u32, interfaceIndex: u32 });
const neighbourHead = layout('little', { before: u32, interfaceIndex: u32, state: u16, flags: u8, type: u8 });
const routeHead = layout('little', {
  before: u32,
  table: u8,
  protocol: u8,
  after: u16,
  flags: u32,
  attributes: tail,
});
const attributeHead = layout('little', { size: u16, type: u16, rest: tail });

/** The subsystem of nfnetlink, in the high octet of a type. */
const nftables = 10;

/** rtm_oif, the rtm_protocol of a detour, and the flag of a proxy entry. */
const outInterface = 4;
const detour = 172;
const proxy = 8;

export type Refusal = 'EPERM' | 'EINVAL';

type Message = Of<typeof messageHeader>;

/** The messages in `octets`, or why they cannot be told apart. */
export function netlinkMessages(octets: Uint8Array): readonly Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < octets.length; ) {
    const head = messageHeader.decode(octets.subarray(at));
    // What follows a broken length belongs to it: the guard refuses it as one message.
    const size = head instanceof Malformed || head.size < messageHeader.size ? octets.length - at : head.size;
    messages.push(octets.slice(at, at + size));
    at += aligned(size);
  }
  return messages;
}

/** Why `message` is not performed, where `owned` are the indices of our own interfaces; undefined if it is. */
export function refusalOf(octets: Uint8Array, owned: ReadonlySet<number>): Refusal | undefined {
  const message = messageHeader.decode(octets);
  if (message instanceof Malformed || message.size !== octets.length) return 'EINVAL';
  if (message.type >>> 8 === nftables) return undefined;
  const interfaceIndex = interfaceOf(message);
  if (interfaceIndex instanceof Malformed) return 'EINVAL';
  return interfaceIndex === anyInterface || owned.has(interfaceIndex) ? undefined : 'EPERM';
}

const anyInterface = -1;
const noInterface = 0;

function interfaceOf({ type, body }: Message): number | Malformed {
  switch (type) {
    case link.new:
    case link.set:
    case address.new:
    case address.delete: {
      const head = indexed.decode(body);
      return head instanceof Malformed ? head : head.interfaceIndex;
    }
    case neighbour.new:
    case neighbour.delete: {
      const head = neighbourHead.decode(body);
      if (head instanceof Malformed) return head;
      return head.flags & proxy ? anyInterface : head.interfaceIndex;
    }
    case route.new:
    case route.delete:
      return outInterfaceOf(body);
    default:
      return noInterface;
  }
}

function outInterfaceOf(body: Uint8Array): number | Malformed {
  const head = routeHead.decode(body);
  if (head instanceof Malformed) return head;
  // Which detours may be is not played: the fake knows of no other way than its wire.
  if (head.protocol === detour) return anyInterface;
  for (let rest = head.attributes; rest.length > 0; ) {
    const attribute = attributeHead.decode(rest);
    if (attribute instanceof Malformed) return attribute;
    if (attribute.type === outInterface) {
      const value = layout('little', { index: u32 }).decode(attribute.rest);
      return value instanceof Malformed ? value : value.index;
    }
    if (attribute.size < attributeHead.size) return new Malformed('NETLINK_BAD_SIZE', 'size', 0);
    rest = rest.subarray(aligned(attribute.size));
  }
  return noInterface;
}

function aligned(size: number): number {
  return (size + 3) & ~3;
}
