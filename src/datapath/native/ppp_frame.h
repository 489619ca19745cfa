// The first octets of a PPP frame (RFC 1661 section 2, HDLC address and control of RFC 1662): read in
// whatever form the peer chose, whether it was negotiated or not, and written in the form that was.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bytes.h"

namespace pptp {

inline constexpr uint16_t pppIpv4 = 0x0021;
inline constexpr uint16_t pppBridging = 0x0031;
inline constexpr uint16_t pppMultilink = 0x003D;
inline constexpr uint16_t pppIpv6 = 0x0057;
inline constexpr uint16_t pppCompressed = 0x00FD;  // MPPE is a compression to CCP
inline constexpr uint16_t pppLcp = 0xC021;

/// A protocol field that is not compressed.
inline constexpr size_t pppProtocolSize = 2;

/// Address, control and two octets of protocol.
inline constexpr size_t pppPrefixMax = 4;

/// What the peer has agreed to receive.
struct PppCompression {
  bool addressAndControl = false;  // ACFC
  bool protocol = false;           // PFC
};

struct PppFrame {
  uint16_t protocol;
  const uint8_t* payload;
  size_t length;
};

/// Reads a protocol field of one or two octets; false if it is cut short or ends in an even octet.
inline bool pppParseProtocol(const uint8_t* data, size_t length, PppFrame& frame) {
  if (length == 0) return false;
  const bool isShort = data[0] & 1;
  const size_t size = isShort ? 1 : 2;
  if (length < size) return false;
  const uint16_t protocol = isShort ? data[0] : load16(data);
  if (!(protocol & 1)) return false;
  frame = {protocol, data + size, length - size};
  return true;
}

/// Reads a frame with or without FF 03. There is no ambiguity: the protocol 0x00FF, which alone could look
/// like an address, is reserved.
inline bool pppParse(const uint8_t* data, size_t length, PppFrame& frame) {
  const bool hasAddress = length >= 2 && data[0] == 0xFF && data[1] == 0x03;
  return hasAddress ? pppParseProtocol(data + 2, length - 2, frame) : pppParseProtocol(data, length, frame);
}

/// Writes the protocol field in front of `payload` and returns where it starts. Only numbers below 0x100 can
/// be shortened.
inline uint8_t* pppPrependProtocol(uint8_t* payload, uint16_t protocol, bool compress) {
  if (compress && protocol < 0x100) {
    *--payload = static_cast<uint8_t>(protocol);
    return payload;
  }
  payload -= 2;
  store16(payload, protocol);
  return payload;
}

/// Writes the whole prefix. LCP is never compressed, so that the peer can read it in any state [RFC
/// 1661 6.5, 6.6].
inline uint8_t* pppPrepend(uint8_t* payload, uint16_t protocol, PppCompression compression) {
  if (protocol == pppLcp) compression = {};
  payload = pppPrependProtocol(payload, protocol, compression.protocol);
  if (compression.addressAndControl) return payload;
  payload -= 2;
  store16(payload, 0xFF03);
  return payload;
}

}  // namespace pptp
