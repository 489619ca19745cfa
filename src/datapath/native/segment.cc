// Headers are copied into each segment and then made its own; the checksums are computed while the segment is
// still in the cache.
#include "segment.h"

#include <algorithm>
#include <cstring>

#include "bytes.h"
#include "checksum.h"

namespace pptp {

namespace {

/// Length of IP and transport header of a super-packet; 0 if its type and its headers do not agree.
size_t superHeaders(const VnetHeader& vnet, const uint8_t* packet, const IpHeader& ip) {
  switch (vnet.gsoType & ~vnetGsoEcn) {
    case vnetGsoTcp4:
    case vnetGsoTcp6: {
      const uint8_t version = (vnet.gsoType & ~vnetGsoEcn) == vnetGsoTcp4 ? 4 : 6;
      const size_t tcp = ip.version == version ? tcpHeaderLength(packet, ip) : 0;
      return tcp == 0 ? 0 : ip.headerLength + tcp;
    }
    case vnetGsoUdp: {
      const size_t headers = ip.headerLength + udpHeaderSize;
      return ip.protocol == ipUdp && !ip.isFragment && headers <= ip.length ? headers : 0;
    }
    default:
      return 0;
  }
}

}  // namespace

bool Segmenter::open(const VnetHeader& vnet, const uint8_t* packet, size_t length) {
  vnet_ = vnet;
  packet_ = packet;
  length_ = length;
  headers_ = segmentSize_ = at_ = index_ = remaining_ = 0;
  if (vnet.gsoType == vnetGsoNone) {
    const bool isPartial = vnet.flags & vnetNeedsChecksum;
    if (length == 0 || (isPartial && size_t{vnet.checksumStart} + vnet.checksumOffset + 2 > length))
      return false;
    remaining_ = 1;
    return true;
  }
  if (vnet.gsoSize == 0 || !ipParse(packet, length, ip_)) return false;
  headers_ = superHeaders(vnet, packet, ip_);
  if (headers_ == 0 || headers_ == ip_.length) return false;
  length_ = ip_.length;
  segmentSize_ = vnet.gsoSize;
  remaining_ = (length_ - headers_ + segmentSize_ - 1) / segmentSize_;
  return true;
}

size_t Segmenter::largest() const {
  if (remaining_ == 0) return 0;
  return segmentSize_ == 0 ? length_ : headers_ + std::min(segmentSize_, length_ - headers_ - at_);
}

size_t Segmenter::write(uint8_t* out, size_t capacity) {
  const size_t size = largest();
  if (size == 0 || size > capacity) return 0;
  --remaining_;
  if (segmentSize_ == 0) {
    memcpy(out, packet_, length_);
    if (vnet_.flags & vnetNeedsChecksum)
      checksumComplete(out, length_, vnet_.checksumStart, vnet_.checksumOffset);
    return length_;
  }
  const size_t payload = size - headers_;
  memcpy(out, packet_, headers_);
  memcpy(out + headers_, packet_ + headers_ + at_, payload);
  finish(out, payload, index_ == 0, remaining_ == 0);
  at_ += payload;
  ++index_;
  return size;
}

void Segmenter::finish(uint8_t* out, size_t payload, bool isFirst, bool isLast) const {
  const size_t size = headers_ + payload;
  if (ip_.version == 4) {
    store16(out + ipv4LengthAt, static_cast<uint16_t>(size));
    store16(out + ipv4IdAt, static_cast<uint16_t>(load16(packet_ + ipv4IdAt) + index_));
    ipv4ChecksumStore(out, ip_.headerLength);
  } else {
    store16(out + ipv6LengthAt, static_cast<uint16_t>(size - ipv6HeaderSize));
  }

  uint8_t* const transport = out + ip_.headerLength;
  const size_t transportLength = size - ip_.headerLength;
  size_t checksumAt = udpChecksumAt;
  if (ip_.protocol == ipTcp) {
    checksumAt = tcpChecksumAt;
    store32(transport + tcpSequenceAt,
            load32(packet_ + ip_.headerLength + tcpSequenceAt) + static_cast<uint32_t>(at_));
    // What ends something belongs to the last segment; the answer to congestion is given once, in the first
    // [RFC 3168 6.1.2].
    if (!isLast) transport[tcpFlagsAt] &= static_cast<uint8_t>(~(tcpFin | tcpPsh));
    if (!isFirst) transport[tcpFlagsAt] &= static_cast<uint8_t>(~tcpCwr);
  } else {
    store16(transport + udpLengthAt, static_cast<uint16_t>(transportLength));
  }
  const uint16_t pseudo = checksumPseudo(out, ip_, static_cast<uint32_t>(transportLength));
  memcpy(transport + checksumAt, &pseudo, sizeof pseudo);
  checksumComplete(out, size, ip_.headerLength, checksumAt);
}

}  // namespace pptp
