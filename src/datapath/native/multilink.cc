#include "multilink.h"

#include <cstring>

#include "bytes.h"

namespace pptp {
namespace {

constexpr uint32_t beginsBit = 0x80000000;
constexpr uint32_t endsBit = 0x40000000;
constexpr uint32_t sequenceMask = 0x00FFFFFF;
constexpr uint32_t sequenceHalf = 0x00800000;
constexpr uint32_t shortMask = 0x0FFF;

}  // namespace

bool fragmentParse(const uint8_t* data, size_t length, FragmentHeader& header) {
  if (length < fragmentHeaderSize) return false;
  const uint32_t word = load32(data);
  header = {word & sequenceMask, (word & beginsBit) != 0, (word & endsBit) != 0};
  return true;
}

uint8_t* fragmentPrepend(uint8_t* payload, const FragmentHeader& header, bool isShort) {
  const uint32_t bits = (header.begins ? beginsBit : 0) | (header.ends ? endsBit : 0);
  if (isShort) {
    payload -= fragmentHeaderShort;
    store16(payload, static_cast<uint16_t>(bits >> 16 | (header.sequence & shortMask)));
    return payload;
  }
  payload -= fragmentHeaderSize;
  store32(payload, bits | (header.sequence & sequenceMask));
  return payload;
}

Reassembly::Reassembly(size_t frameBytesMax)
    : octets_(new uint8_t[frameBytesMax]), capacity_(frameBytesMax) {}

Reassembly::Taken Reassembly::take(const FragmentHeader& header, std::span<const uint8_t> data) {
  if (isLate(header.sequence)) return {FragmentFate::late};
  const uint32_t lost = (header.sequence - expected_) & sequenceMask;
  expected_ = (header.sequence + 1) & sequenceMask;
  if (lost > 0) isOpen_ = false;
  const bool hasNoEnd = isOpen_ && header.begins;
  const FragmentFate fate = add(header, data);
  return {fate, lost, hasNoEnd || fate == FragmentFate::tooLong};
}

/// Whether those after this number have been here. If not, it may be one to begin with.
bool Reassembly::isLate(uint32_t sequence) {
  const uint32_t ahead = (sequence - expected_) & sequenceMask;
  if (isStarted_ && ahead < sequenceHalf) {
    lateRun_ = 0;
    return false;
  }
  if (isStarted_ && ++lateRun_ < fragmentLateRun) return true;
  isStarted_ = true;
  isOpen_ = false;
  lateRun_ = 0;
  expected_ = sequence;
  return false;
}

FragmentFate Reassembly::add(const FragmentHeader& header, std::span<const uint8_t> data) {
  if (header.begins) {
    isOpen_ = !header.ends;
    length_ = 0;
    if (header.ends) return FragmentFate::whole;
  }
  if (!isOpen_) return FragmentFate::useless;
  if (data.size() > capacity_ - length_) {
    isOpen_ = false;
    return FragmentFate::tooLong;
  }
  if (!data.empty()) memcpy(octets_.get() + length_, data.data(), data.size());
  length_ += data.size();
  isOpen_ = !header.ends;
  return header.ends ? FragmentFate::complete : FragmentFate::kept;
}

}  // namespace pptp
