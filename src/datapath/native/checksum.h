// The Internet checksum (RFC 1071) and its incremental change (RFC 1624).
//
// A "sum" is the folded one's complement sum as it stands in memory, so it can be loaded and stored without
// swapping; a "checksum" is its complement. Sums of pieces add up only if each piece but the last has even
// length.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ip_header.h"

namespace pptp {

/// Sum of `length` octets, in memory order, folded to 16 bits.
uint16_t checksumSum(const uint8_t* data, size_t length);

/// One's complement addition of two sums.
inline uint16_t checksumAdd(uint16_t a, uint16_t b) {
  const uint32_t sum = uint32_t{a} + b;
  return static_cast<uint16_t>(sum + (sum >> 16));
}

/// The checksum that stands at `at`, after a 16-bit field of the data has gone from `before` to `after` (host
/// order values).
void checksumChange16(uint8_t* at, uint16_t before, uint16_t after);

/// Sum of the TCP or UDP pseudo header of IPv4 or IPv6; `transportLength` is header and data.
uint16_t checksumPseudo(const uint8_t* packet, const IpHeader& ip, uint32_t transportLength);

/// Recomputes the header checksum of an IPv4 packet.
void ipv4ChecksumStore(uint8_t* packet, size_t headerLength);
bool ipv4ChecksumValid(const uint8_t* packet, size_t headerLength);

/// Whether the TCP or UDP checksum of an unfragmented packet is right. An IPv4 UDP checksum of zero is "none"
/// and not valid here.
bool transportChecksumValid(const uint8_t* packet, const IpHeader& ip);

/// Completes a checksum that the kernel left partial (VIRTIO_NET_HDR_F_NEEDS_CSUM): the field at start +
/// offset holds the pseudo header's sum. False if it would lie outside the packet.
bool checksumComplete(uint8_t* packet, size_t length, size_t start, size_t offset);

}  // namespace pptp
