#include "bcp.h"

#include <cstring>

#include "bytes.h"

namespace pptp {
namespace {

constexpr uint8_t hasCheckSequence = 0x80;  // F
constexpr uint8_t reservedFlag = 0x40;      // once the LAN Identification of RFC 1220
constexpr uint8_t isBridgeControl = 0x10;   // B
constexpr uint8_t padsMask = 0x0F;

constexpr uint8_t macTypeEthernet = 1;  // IEEE 802.3 and Ethernet, canonical addresses

constexpr size_t checkSequenceSize = 4;
constexpr size_t typeAt = 12;
constexpr uint16_t typeTagged = 0x8100;  // IEEE 802.1Q

/// 01-80-C2-00-00-00 to -2F: BPDUs and what else no bridge forwards, and GARP.
bool isForBridges(const uint8_t* frame) {
  constexpr uint8_t group[] = {0x01, 0x80, 0xC2, 0x00, 0x00};
  return memcmp(frame, group, sizeof group) == 0 && frame[sizeof group] <= 0x2F;
}

}  // namespace

bool bcpBegins(const uint8_t* data, size_t length) {
  return length >= bcpHeaderSize && (data[0] & reservedFlag) == 0 && data[1] == macTypeEthernet;
}

bool bcpParse(const uint8_t* data, size_t length, std::span<const uint8_t>& frame) {
  if (!bcpBegins(data, length)) return false;
  const size_t behind = (data[0] & padsMask) + ((data[0] & hasCheckSequence) != 0 ? checkSequenceSize : 0);
  if (length < bcpHeaderSize + ethernetHeaderSize + behind) return false;
  frame = {data + bcpHeaderSize, length - bcpHeaderSize - behind};
  return true;
}

bool bcpMayPass(std::span<const uint8_t> frame, BridgeTakes takes) {
  if (frame.size() < ethernetHeaderSize) return false;
  if (!takes.taggedFrames && load16(frame.data() + typeAt) == typeTagged) return false;
  return takes.inlineManagement || !isForBridges(frame.data());
}

void bcpPrepend(uint8_t* frame, BridgeTakes takes) {
  const bool isMarked = takes.controlIndicator && isForBridges(frame);
  frame[-2] = isMarked ? isBridgeControl : 0;
  frame[-1] = macTypeEthernet;
}

}  // namespace pptp
