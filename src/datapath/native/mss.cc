// TCP options are walked as RFC 9293 section 3.1 says; a broken one ends the walk.
#include "mss.h"

#include "bytes.h"
#include "checksum.h"

namespace pptp {

namespace {

constexpr uint8_t optionEnd = 0;
constexpr uint8_t optionNone = 1;
constexpr uint8_t optionMss = 2;
constexpr size_t optionMssLength = 4;

/// Finds the value of the MSS option among `length` octets of TCP options; null if there is none or an option
/// is broken before it.
uint8_t* findMss(uint8_t* options, size_t length) {
  for (size_t at = 0; at < length && options[at] != optionEnd;) {
    if (options[at] == optionNone) {
      ++at;
      continue;
    }
    if (length - at < 2) return nullptr;
    const size_t size = options[at + 1];
    if (size < 2 || size > length - at) return nullptr;
    if (options[at] == optionMss && size == optionMssLength) return options + at + 2;
    at += size;
  }
  return nullptr;
}

}  // namespace

bool mssClamp(uint8_t* packet, size_t length, uint16_t mtu) {
  IpHeader ip;
  if (!ipParse(packet, length, ip)) return false;
  const size_t tcpLength = tcpHeaderLength(packet, ip);
  uint8_t* const tcp = packet + ip.headerLength;
  if (tcpLength == 0 || !(tcp[tcpFlagsAt] & tcpSyn)) return false;
  uint8_t* const mss = findMss(tcp + tcpHeaderMin, tcpLength - tcpHeaderMin);
  if (mss == nullptr) return false;

  // An MSS counts from headers without options [RFC 6691 2].
  const size_t headers = (ip.version == 4 ? ipv4HeaderMin : ipv6HeaderSize) + tcpHeaderMin;
  const uint16_t limit = static_cast<uint16_t>(mtu > headers ? mtu - headers : 0);
  const uint16_t announced = load16(mss);
  if (announced <= limit || limit == 0) return false;

  store16(mss, limit);
  // The checksum counts 16-bit words from the start of the TCP header; after an odd number of NOPs the value
  // straddles two of them, and its octets count swapped.
  const bool isStraddling = (mss - tcp) & 1;
  const auto counted = [&](uint16_t value) { return isStraddling ? __builtin_bswap16(value) : value; };
  checksumChange16(tcp + tcpChecksumAt, counted(announced), counted(limit));
  return true;
}

}  // namespace pptp
