// Every length that a header claims is held against what has come, before anything behind it is read.
#include "ip_header.h"

#include "bytes.h"

namespace pptp {

namespace {

bool parseIpv4(const uint8_t* packet, size_t available, IpHeader& ip) {
  if (available < ipv4HeaderMin) return false;
  ip.headerLength = static_cast<uint16_t>((packet[0] & 0x0F) * 4);
  ip.length = load16(packet + ipv4LengthAt);
  ip.protocol = packet[9];
  ip.isFragment = load16(packet + ipv4FragmentAt) & 0x3FFF;  // More Fragments or an offset
  return ip.headerLength >= ipv4HeaderMin && ip.headerLength <= ip.length && ip.length <= available;
}

bool parseIpv6(const uint8_t* packet, size_t available, IpHeader& ip) {
  if (available < ipv6HeaderSize) return false;
  ip.headerLength = ipv6HeaderSize;
  ip.length = ipv6HeaderSize + uint32_t{load16(packet + ipv6LengthAt)};
  ip.protocol = packet[6];
  ip.isFragment = ip.protocol == 44;  // a fragment header follows
  return ip.length <= available;
}

}  // namespace

bool ipParse(const uint8_t* packet, size_t available, IpHeader& ip) {
  if (available == 0) return false;
  ip.version = packet[0] >> 4;
  if (ip.version == 4) return parseIpv4(packet, available, ip);
  return ip.version == 6 && parseIpv6(packet, available, ip);
}

size_t tcpHeaderLength(const uint8_t* packet, const IpHeader& ip) {
  if (ip.protocol != ipTcp || ip.isFragment || ip.length < ip.headerLength + tcpHeaderMin) return 0;
  const size_t length = (packet[ip.headerLength + 12] >> 4) * size_t{4};
  return length >= tcpHeaderMin && ip.headerLength + length <= ip.length ? length : 0;
}

}  // namespace pptp
