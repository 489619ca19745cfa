// Enhanced GRE (RFC 2637 section 4.1): version 1, protocol type 0x880B, key present.
//
//   0                   1                   2                   3
//   |C|R|K|S|s|Recur|A| Flags | Ver |         Protocol Type         |
//   |     Key (HW) Payload Length   |       Key (LW) Call ID        |
//   |                  Sequence Number (optional)                   |
//   |               Acknowledgment Number (optional)                |
//
// Parsing reads nothing beyond `length`; building writes backwards in front of a payload that already stands
// in place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pptp {

inline constexpr size_t greHeaderMin = 8;
inline constexpr size_t greHeaderMax = 16;

struct GreHeader {
  uint16_t callId = 0;  // of the packet's receiver
  uint16_t payloadLength = 0;
  bool hasSequence = false;
  bool hasAcknowledgment = false;
  uint32_t sequence = 0;
  uint32_t acknowledgment = 0;
};

enum class GreResult : uint8_t {
  ok,
  truncated,        // ends inside its header, or says more payload than has come
  notEnhanced,      // another version or protocol type: not PPTP's
  forbiddenBits,    // checksum, routing, strict source route, recursion or reserved flags set, or no key
  withoutSequence,  // carries payload but no sequence number
};
inline constexpr size_t greResultCount = 5;

/// Reads the header at `data`. `payloadOffset` is where the payload starts; octets after `payloadLength` are
/// padding of a link and to be ignored. A packet without payload is a pure acknowledgment.
GreResult greParse(const uint8_t* data, size_t length, GreHeader& header, size_t& payloadOffset);

/// Writes the header so that it ends where `payload` begins, and returns where it starts: 8, 12 or 16 octets
/// before.
uint8_t* grePrepend(uint8_t* payload, const GreHeader& header);

}  // namespace pptp
