// A packet is examined by itself, then held against the open flow of its addresses and ports: it is appended,
// or the flow is written and the packet opens it anew. Whatever cannot be merged first pushes out what is
// open of its flow.
#include "coalesce.h"

#include <algorithm>
#include <cstring>

#include "bytes.h"
#include "checksum.h"

namespace pptp {

namespace {

constexpr size_t ipLengthMax = 65535;
constexpr VnetHeader passed = {};

bool equal(const uint8_t* a, const uint8_t* b, size_t from, size_t to) {
  return memcmp(a + from, b + from, to - from) == 0;
}

/// IPv4: same TOS, TTL and fragment flags, and an identification that segmentation would have given:
/// `distance` later, or anything if the packet cannot be fragmented [RFC 6864]. IPv6: same traffic class,
/// flow label and hop limit.
bool sameIpHeader(const IpHeader& ip, const uint8_t* first, const uint8_t* packet, size_t distance) {
  if (ip.version == 6) return equal(first, packet, 0, 4) && first[7] == packet[7];
  const bool isWhole = packet[ipv4FragmentAt] & 0x40;
  const uint16_t due = static_cast<uint16_t>(load16(first + ipv4IdAt) + distance);
  return first[1] == packet[1] && first[8] == packet[8] &&
         equal(first, packet, ipv4FragmentAt, ipv4FragmentAt + 2) &&
         (isWhole || load16(packet + ipv4IdAt) == due);
}

/// Same acknowledgment, flags, window and options; CWR, if at all, in the first packet only.
bool sameTcpHeader(const uint8_t* first, const uint8_t* packet, size_t length) {
  constexpr uint8_t mayDiffer = tcpFin | tcpPsh | tcpCwr;
  const uint8_t flags = packet[tcpFlagsAt];
  return !((first[tcpFlagsAt] ^ flags) & ~mayDiffer) && !(flags & tcpCwr) && equal(first, packet, 8, 13) &&
         equal(first, packet, 14, 16) && equal(first, packet, tcpHeaderMin, length);
}

}  // namespace

Coalescer::Coalescer(TunSink& sink, bool mergeUdp) : sink_(sink), mergeUdp_(mergeUdp) {
  for (size_t slot = 0; slot < coalesceFlows; ++slot) order_[slot] = static_cast<uint8_t>(slot);
}

Coalescer::Kind Coalescer::examine(const uint8_t* packet, size_t length, Candidate& candidate) const {
  IpHeader& ip = candidate.ip;
  if (!ipParse(packet, length, ip)) return Kind::foreign;
  if (ip.isFragment) return Kind::barrier;
  const bool isTcp = ip.protocol == ipTcp;
  const size_t transport = isTcp ? tcpHeaderLength(packet, ip) : udpHeaderSize;
  if (!isTcp && ip.protocol != ipUdp) return Kind::foreign;
  if (transport == 0 || ip.headerLength + transport > ip.length) return Kind::foreign;

  candidate.headers = ip.headerLength + transport;
  candidate.payload = ip.length - candidate.headers;
  constexpr uint8_t carried = tcpAck | tcpPsh | tcpFin | tcpEce | tcpCwr;
  const bool isPlain = isTcp ? (packet[ip.headerLength + tcpFlagsAt] & ~carried) ||
                                   !(packet[ip.headerLength + tcpFlagsAt] & tcpAck)
                             : !mergeUdp_;
  const bool hasOptions = ip.version == 4 && ip.headerLength != ipv4HeaderMin;
  if (isPlain || hasOptions || candidate.payload == 0) return Kind::plain;
  if (ip.version == 4 && !ipv4ChecksumValid(packet, ip.headerLength)) return Kind::plain;
  return transportChecksumValid(packet, ip) ? Kind::mergeable : Kind::plain;
}

size_t Coalescer::find(uint32_t interface, const uint8_t* packet, const Candidate& candidate) const {
  const IpHeader& ip = candidate.ip;
  const size_t addressesFrom = ip.version == 4 ? 12 : 8;
  const size_t addressesTo = ip.version == 4 ? 20 : 40;
  for (size_t position = 0; position < openCount_; ++position) {
    const Flow& flow = at(position);
    if (flow.interface == interface && flow.ip.version == ip.version && flow.ip.protocol == ip.protocol &&
        equal(flow.first, packet, addressesFrom, addressesTo) &&
        memcmp(flow.first + flow.ip.headerLength, packet + ip.headerLength, 4) == 0) {
      return position;
    }
  }
  return openCount_;
}

bool Coalescer::follows(const Flow& flow, const uint8_t* packet, const Candidate& candidate) {
  if (candidate.headers != flow.headers || candidate.payload > flow.segmentSize) return false;
  if (flow.headers + flow.payload + candidate.payload > ipLengthMax) return false;
  if (!sameIpHeader(flow.ip, flow.first, packet, flow.packets)) return false;
  if (flow.ip.protocol == ipUdp) return true;
  const uint8_t* const first = flow.first + flow.ip.headerLength;
  const uint8_t* const tcp = packet + flow.ip.headerLength;
  const uint32_t due = load32(first + tcpSequenceAt) + static_cast<uint32_t>(flow.payload);
  return load32(tcp + tcpSequenceAt) == due && sameTcpHeader(first, tcp, flow.headers - flow.ip.headerLength);
}

/// Whether nothing can follow this packet in its super-packet.
bool Coalescer::isFinal(const Flow& flow, const uint8_t* packet, const Candidate& candidate) {
  if (candidate.payload < flow.segmentSize || flow.packets == coalescePackets) return true;
  return flow.ip.protocol == ipTcp && (packet[flow.ip.headerLength + tcpFlagsAt] & (tcpFin | tcpPsh));
}

void Coalescer::append(Flow& flow, uint8_t* packet, const Candidate& candidate) {
  flow.pieces[++flow.packets] = {packet + candidate.headers, candidate.payload};
  flow.payload += candidate.payload;
  if (flow.ip.protocol == ipTcp)
    flow.lastFlags = packet[flow.ip.headerLength + tcpFlagsAt] & (tcpFin | tcpPsh);
}

void Coalescer::open(uint32_t interface, uint8_t* packet, const Candidate& candidate) {
  if (openCount_ == coalesceFlows) emit(0);
  Flow& flow = at(openCount_++);
  flow.interface = interface;
  flow.ip = candidate.ip;
  flow.first = packet;
  flow.headers = candidate.headers;
  flow.segmentSize = flow.payload = candidate.payload;
  flow.packets = 1;
  flow.pieces[1] = {packet, candidate.ip.length};
}

void Coalescer::merge(uint32_t interface, size_t position, uint8_t* packet, const Candidate& candidate) {
  if (position != openCount_ && !follows(at(position), packet, candidate)) {
    emit(position);
    position = openCount_;
  }
  if (position == openCount_) {
    open(interface, packet, candidate);
    position = openCount_ - 1;
  } else {
    append(at(position), packet, candidate);
  }
  if (isFinal(at(position), packet, candidate)) emit(position);
}

void Coalescer::add(uint32_t interface, uint8_t* packet, size_t length) {
  Candidate candidate;
  const Kind kind = examine(packet, length, candidate);
  if (kind == Kind::foreign || kind == Kind::barrier) {
    if (kind == Kind::barrier) emitInterface(interface);
    return pass(interface, packet, length);
  }
  const size_t position = find(interface, packet, candidate);
  if (kind == Kind::mergeable) return merge(interface, position, packet, candidate);
  if (position != openCount_) emit(position);
  pass(interface, packet, length);
}

void Coalescer::flush() {
  while (openCount_ > 0) emit(0);
}

void Coalescer::emitInterface(uint32_t interface) {
  for (size_t position = 0; position < openCount_;) {
    if (at(position).interface == interface) {
      emit(position);
    } else {
      ++position;
    }
  }
}

/// Makes the first packet's headers those of the super-packet; the checksum becomes partial, for the kernel
/// to complete.
void Coalescer::completeHeaders(Flow& flow) {
  uint8_t* const transport = flow.first + flow.ip.headerLength;
  const size_t length = flow.headers + flow.payload;
  const size_t transportLength = length - flow.ip.headerLength;
  const bool isTcp = flow.ip.protocol == ipTcp;
  if (flow.ip.version == 4) {
    store16(flow.first + ipv4LengthAt, static_cast<uint16_t>(length));
    ipv4ChecksumStore(flow.first, flow.ip.headerLength);
  } else {
    store16(flow.first + ipv6LengthAt, static_cast<uint16_t>(length - ipv6HeaderSize));
  }
  if (isTcp) {
    transport[tcpFlagsAt] |= flow.lastFlags;
  } else {
    store16(transport + udpLengthAt, static_cast<uint16_t>(transportLength));
  }
  const uint16_t pseudo = checksumPseudo(flow.first, flow.ip, static_cast<uint32_t>(transportLength));
  const size_t checksumAt = isTcp ? tcpChecksumAt : udpChecksumAt;
  memcpy(transport + checksumAt, &pseudo, sizeof pseudo);

  flow.vnet = {
      .flags = vnetNeedsChecksum,
      .gsoType = !isTcp                 ? vnetGsoUdp
                 : flow.ip.version == 4 ? vnetGsoTcp4
                                        : vnetGsoTcp6,
      .headerLength = static_cast<uint16_t>(flow.headers),
      .gsoSize = static_cast<uint16_t>(flow.segmentSize),
      .checksumStart = flow.ip.headerLength,
      .checksumOffset = static_cast<uint16_t>(checksumAt),
  };
  if (isTcp && (transport[tcpFlagsAt] & tcpCwr)) flow.vnet.gsoType |= vnetGsoEcn;
}

void Coalescer::emit(size_t position) {
  Flow& flow = at(position);
  flow.vnet = passed;
  if (flow.packets > 1) completeHeaders(flow);
  flow.pieces[0] = {&flow.vnet, sizeof flow.vnet};
  sink_.write({flow.interface, flow.pieces, static_cast<int>(flow.packets + 1), flow.packets,
               flow.headers + flow.payload});
  std::rotate(order_ + position, order_ + position + 1, order_ + openCount_);
  --openCount_;
}

void Coalescer::pass(uint32_t interface, uint8_t* packet, size_t length) {
  VnetHeader vnet = passed;
  const iovec pieces[2] = {{&vnet, sizeof vnet}, {packet, length}};
  sink_.write({interface, pieces, 2, 1, length});
}

}  // namespace pptp
