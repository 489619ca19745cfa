// The first word of the header says everything about the rest: which fields follow, and whether it is ours at
// all.
#include "gre.h"

#include "bytes.h"

namespace pptp {

namespace {

// The first four octets as one word.
constexpr uint32_t keyBit = 0x2000'0000;
constexpr uint32_t sequenceBit = 0x1000'0000;
constexpr uint32_t acknowledgmentBit = 0x0080'0000;
constexpr uint32_t versionAndProtocol = 0x0007'FFFF;
constexpr uint32_t enhanced = 0x0001'880B;

}  // namespace

GreResult greParse(const uint8_t* data, size_t length, GreHeader& header, size_t& payloadOffset) {
  if (length < 4) return GreResult::truncated;
  const uint32_t first = load32(data);
  if ((first & versionAndProtocol) != enhanced) return GreResult::notEnhanced;
  if ((first & ~(sequenceBit | acknowledgmentBit)) != (keyBit | enhanced)) return GreResult::forbiddenBits;

  header.hasSequence = first & sequenceBit;
  header.hasAcknowledgment = first & acknowledgmentBit;
  const size_t size = greHeaderMin + 4 * header.hasSequence + 4 * header.hasAcknowledgment;
  if (length < size) return GreResult::truncated;

  header.payloadLength = load16(data + 4);
  header.callId = load16(data + 6);
  header.sequence = header.hasSequence ? load32(data + 8) : 0;
  header.acknowledgment = header.hasAcknowledgment ? load32(data + size - 4) : 0;
  payloadOffset = size;
  if (header.payloadLength > length - size) return GreResult::truncated;
  if (header.payloadLength > 0 && !header.hasSequence) return GreResult::withoutSequence;
  return GreResult::ok;
}

uint8_t* grePrepend(uint8_t* payload, const GreHeader& header) {
  uint32_t first = keyBit | enhanced;
  uint8_t* at = payload;
  if (header.hasAcknowledgment) {
    first |= acknowledgmentBit;
    store32(at -= 4, header.acknowledgment);
  }
  if (header.hasSequence) {
    first |= sequenceBit;
    store32(at -= 4, header.sequence);
  }
  store16(at -= 2, header.callId);
  store16(at -= 2, header.payloadLength);
  store32(at -= 4, first);
  return at;
}

}  // namespace pptp
