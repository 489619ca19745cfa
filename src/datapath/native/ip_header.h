// Where things stand in an IP packet: one bounds-checked look at the IPv4 or IPv6 header and at the TCP or
// UDP header after it, shared by checksums, segmentation, coalescing and the MSS clamp. IPv6 extension
// headers are not followed: such a packet has no transport for us and passes unchanged.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pptp {

inline constexpr uint8_t ipTcp = 6;
inline constexpr uint8_t ipUdp = 17;

struct IpHeader {
  uint8_t version;        // 4 or 6
  uint8_t protocol;       // of what follows the IP header
  bool isFragment;        // any fragment, the first one too
  uint16_t headerLength;  // of IP: where the transport starts
  uint32_t length;        // of the whole packet as the header says; never more than has come
};

/// Reads the IP header; false if it is not whole, not IPv4 or IPv6, or claims more than `available` octets.
bool ipParse(const uint8_t* packet, size_t available, IpHeader& ip);

/// Length of the TCP header with its options; 0 if the packet is not unfragmented TCP or its header is not
/// whole.
size_t tcpHeaderLength(const uint8_t* packet, const IpHeader& ip);

// Offsets within a TCP header and its flags (RFC 9293 section 3.1, RFC 3168 for the last two).
inline constexpr size_t tcpSequenceAt = 4;
inline constexpr size_t tcpFlagsAt = 13;
inline constexpr size_t tcpChecksumAt = 16;
inline constexpr size_t tcpHeaderMin = 20;
inline constexpr uint8_t tcpFin = 0x01;
inline constexpr uint8_t tcpSyn = 0x02;
inline constexpr uint8_t tcpRst = 0x04;
inline constexpr uint8_t tcpPsh = 0x08;
inline constexpr uint8_t tcpAck = 0x10;
inline constexpr uint8_t tcpUrg = 0x20;
inline constexpr uint8_t tcpEce = 0x40;
inline constexpr uint8_t tcpCwr = 0x80;

inline constexpr size_t udpLengthAt = 4;
inline constexpr size_t udpChecksumAt = 6;
inline constexpr size_t udpHeaderSize = 8;

inline constexpr size_t ipv4HeaderMin = 20;
inline constexpr size_t ipv4LengthAt = 2;
inline constexpr size_t ipv4IdAt = 4;
inline constexpr size_t ipv4FragmentAt = 6;
inline constexpr size_t ipv4ChecksumAt = 10;
inline constexpr size_t ipv6HeaderSize = 40;
inline constexpr size_t ipv6LengthAt = 4;

}  // namespace pptp
