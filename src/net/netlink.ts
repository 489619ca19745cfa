/**
 * The rtnetlink requests that control makes (rtnetlink(7), RFC 3549): values in, nlmsghdr messages out. Numbers of netlink are
 * in the machine's own order, little-endian on all that we run on; addresses are big-endian. Pure: the engine carries the
 * octets to the kernel, gives them their sequence numbers, and refuses what is none of control's business.
 *
 * The frame of every netlink message, header and attributes, stands here too; nftables.ts puts other requests into it.
 */

import { concat } from '../base/bytes.ts';
import { Malformed } from '../base/fault.ts';
import type { Ipv4, Ipv4Prefix } from '../base/ip.ts';
import { layout, u8, u16, u32 } from '../base/layout.ts';

/** Bring an interface up or down; its MTU with it. */
export interface LinkRequest {
  readonly request: 'set-link';
  readonly interfaceIndex: number;
  readonly up: boolean;
  readonly mtu?: number;
}

/** Our address on a point-to-point interface, and that of the other end. */
export interface AddressRequest {
  readonly request: 'add-address' | 'delete-address';
  readonly interfaceIndex: number;
  readonly local: Ipv4;
  readonly peer: Ipv4;
}

/** A route through an interface. A gateway is taken to be on it, reachable or not: on a tunnel every gateway is the other end. */
export interface RouteRequest {
  readonly request: 'add-route' | 'delete-route';
  readonly interfaceIndex: number;
  readonly destination: Ipv4Prefix;
  readonly gateway?: Ipv4;
  readonly metric: number;
}

/**
 * The way to one host that it had before a tunnel to it took the default route. Bears our mark, which the engine asks for; what
 * bears it and leads to `host` is deleted whatever way it goes.
 */
export type DetourRequest =
  | {
      readonly request: 'add-detour';
      readonly host: Ipv4;
      readonly interfaceIndex: number;
      readonly gateway?: Ipv4;
    }
  | { readonly request: 'delete-detour'; readonly host: Ipv4 };

/** Answer ARP for `address` on an interface where it is not. */
export interface ProxyRequest {
  readonly request: 'add-proxy' | 'delete-proxy';
  readonly interfaceIndex: number;
  readonly address: Ipv4;
}

export type Request = LinkRequest | AddressRequest | RouteRequest | DetourRequest | ProxyRequest;

/** nlmsghdr */
const header = layout('little', { size: u32, type: u16, flags: u16, sequence: u32, port: u32 });
/** ifinfomsg, whose first field is an octet and an octet of padding */
const linkHead = layout('little', { family: u16, device: u16, interfaceIndex: u32, flags: u32, change: u32 });
/** ifaddrmsg */
const addressHead = layout('little', {
  family: u8,
  prefixLength: u8,
  flags: u8,
  scope: u8,
  interfaceIndex: u32,
});
/** rtmsg */
const routeHead = layout('little', {
  family: u8,
  destinationLength: u8,
  sourceLength: u8,
  serviceType: u8,
  table: u8,
  protocol: u8,
  scope: u8,
  type: u8,
  flags: u32,
});
/** ndmsg, whose first field is an octet and three of padding */
const neighbourHead = layout('little', {
  family: u32,
  interfaceIndex: u32,
  state: u16,
  flags: u8,
  type: u8,
});
/** rtattr */
const attributeHead = layout('little', { size: u16, type: u16 });
const number = layout('little', { value: u32 });
const address = layout('big', { value: u32 });

/** RTM_… */
const types: Readonly<Record<Request['request'], number>> = {
  'set-link': 16,
  'add-address': 20,
  'delete-address': 21,
  'add-route': 24,
  'delete-route': 25,
  'add-detour': 24,
  'delete-detour': 25,
  'add-proxy': 28,
  'delete-proxy': 29,
};

/** NLM_F_… */
const flag = { request: 1, acknowledge: 4, replace: 0x100, exclusive: 0x200, create: 0x400, append: 0x800 };

/**
 * A route is appended: when a subscriber dials again before the old session has ended, both have the same route for a moment,
 * each through its own interface. A proxy entry may be there already for the same reason.
 */
const flags: Readonly<Record<Request['request'], number>> = {
  'set-link': 0,
  'add-address': flag.create | flag.exclusive,
  'delete-address': 0,
  'add-route': flag.create | flag.append,
  'delete-route': 0,
  'add-detour': flag.create | flag.exclusive,
  'delete-detour': 0,
  'add-proxy': flag.create | flag.replace,
  'delete-proxy': 0,
};

const internet = 2; // AF_INET
const interfaceUp = 1; // IFF_UP
const mainTable = 254; // RT_TABLE_MAIN
const byProgram = 3; // RTPROT_BOOT: made by a program, as `ip route` makes them
const byDetour = 172; // our mark; native/netlink_policy.h has the same
const scope = { universe: 0, link: 253, nowhere: 255 }; // RT_SCOPE_…
const unicast = 1; // RTN_UNICAST
const gatewayOnLink = 4; // RTNH_F_ONLINK
const permanent = 0x80; // NUD_PERMANENT
const proxy = 8; // NTF_PROXY

/** The octets of whole messages, one after the other, as the contract's `netlink` carries them. */
export function encodeRequests(requests: readonly Request[]): Uint8Array {
  return concat(...requests.map(encodeRequest));
}

function encodeRequest(request: Request): Uint8Array {
  return message(types[request.request], flags[request.request], bodyOf(request));
}

function bodyOf(request: Request): Uint8Array {
  switch (request.request) {
    case 'set-link':
      return linkBody(request);
    case 'add-address':
    case 'delete-address':
      return addressBody(request);
    case 'add-route':
    case 'delete-route':
      return routeBody(request);
    case 'add-detour':
    case 'delete-detour':
      return detourBody(request);
    case 'add-proxy':
    case 'delete-proxy':
      return proxyBody(request);
  }
}

function linkBody({ interfaceIndex, up, mtu }: LinkRequest): Uint8Array {
  const head = linkHead.encode({
    family: 0,
    device: 0,
    interfaceIndex,
    flags: up ? interfaceUp : 0,
    change: interfaceUp,
  });
  return mtu === undefined ? head : concat(head, attribute(linkMtu, number.encode({ value: mtu })));
}

function addressBody({ interfaceIndex, local, peer }: AddressRequest): Uint8Array {
  return concat(
    addressHead.encode({
      family: internet,
      prefixLength: 32,
      flags: 0,
      scope: scope.universe,
      interfaceIndex,
    }),
    attribute(addressLocal, address.encode({ value: local })),
    attribute(addressPeer, address.encode({ value: peer })),
  );
}

function routeBody({ interfaceIndex, destination, gateway, metric }: RouteRequest): Uint8Array {
  const head = routeHeadOf(destination.length, byProgram, gateway);
  const attributes = [
    attribute(routeDestination, address.encode({ value: destination.address })),
    attribute(routeInterface, number.encode({ value: interfaceIndex })),
    attribute(routePriority, number.encode({ value: metric })),
  ];
  if (gateway !== undefined) attributes.push(attribute(routeGateway, address.encode({ value: gateway })));
  return concat(head, ...attributes);
}

function detourBody(request: DetourRequest): Uint8Array {
  const destination = attribute(routeDestination, address.encode({ value: request.host }));
  // Whatever its scope: the kernel takes none for any.
  if (request.request === 'delete-detour')
    return concat(routeHead.encode({ ...routeHeadFields(32, byDetour), scope: scope.nowhere }), destination);
  const { interfaceIndex, gateway } = request;
  const attributes = [destination, attribute(routeInterface, number.encode({ value: interfaceIndex }))];
  if (gateway !== undefined) attributes.push(attribute(routeGateway, address.encode({ value: gateway })));
  return concat(routeHeadOf(32, byDetour, gateway), ...attributes);
}

function routeHeadOf(destinationLength: number, protocol: number, gateway: Ipv4 | undefined): Uint8Array {
  const fields = routeHeadFields(destinationLength, protocol);
  if (gateway === undefined) return routeHead.encode({ ...fields, scope: scope.link });
  return routeHead.encode({ ...fields, scope: scope.universe, flags: gatewayOnLink });
}

function routeHeadFields(destinationLength: number, protocol: number) {
  const plain = { sourceLength: 0, serviceType: 0, table: mainTable, type: unicast, flags: 0 };
  return { family: internet, destinationLength, protocol, ...plain };
}

function proxyBody({ interfaceIndex, address: proxied }: ProxyRequest): Uint8Array {
  return concat(
    neighbourHead.encode({ family: internet, interfaceIndex, state: permanent, flags: proxy, type: 0 }),
    attribute(neighbourDestination, address.encode({ value: proxied })),
  );
}

const linkMtu = 4; // IFLA_MTU
const addressPeer = 1; // IFA_ADDRESS
const addressLocal = 2; // IFA_LOCAL
const routeDestination = 1; // RTA_DST
const routeInterface = 4; // RTA_OIF
const routeGateway = 5; // RTA_GATEWAY
const routePriority = 6; // RTA_PRIORITY
const neighbourDestination = 1; // NDA_DST

// --- The frame of every message ---

/** A whole message that asks for an answer; `flags` are those of NLM_F_… beyond that. */
export function message(type: number, flags: number, body: Uint8Array): Uint8Array {
  const size = header.size + body.length;
  const head = { size, type, flags: flag.request | flag.acknowledge | flags, sequence: 0, port: 0 };
  return concat(header.encode(head), body);
}

/** `value` with its head, and zeros up to where the next one may begin. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const size = attributeHead.size + value.length;
  return concat(attributeHead.encode({ size, type }), value, new Uint8Array(aligned(size) - size));
}

/** The messages in what the kernel answered. */
export function messagesIn(octets: Uint8Array): readonly { type: number; body: Uint8Array }[] | Malformed {
  const messages: { type: number; body: Uint8Array }[] = [];
  for (let at = 0; at < octets.length; ) {
    const head = header.decode(octets.subarray(at));
    if (head instanceof Malformed || head.size < header.size || at + head.size > octets.length)
      return new Malformed('NETLINK_BAD_SIZE', 'size', at);
    messages.push({ type: head.type, body: octets.subarray(at + header.size, at + head.size) });
    at += aligned(head.size);
  }
  return messages;
}

/** The attributes in `octets`, by type. */
export function attributesIn(octets: Uint8Array): ReadonlyMap<number, Uint8Array> | Malformed {
  const attributes = new Map<number, Uint8Array>();
  for (let at = 0; at < octets.length; ) {
    const head = attributeHead.decode(octets.subarray(at));
    if (head instanceof Malformed || head.size < attributeHead.size || at + head.size > octets.length)
      return new Malformed('NETLINK_BAD_SIZE', 'attribute', at);
    attributes.set(head.type & typeMask, octets.subarray(at + attributeHead.size, at + head.size));
    at += aligned(head.size);
  }
  return attributes;
}

/** Of an attribute's type, what is not a flag (NLA_F_NESTED, NLA_F_NET_BYTEORDER). */
const typeMask = 0x3fff;

function aligned(size: number): number {
  return (size + 3) & ~3;
}
