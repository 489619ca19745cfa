#include "token_bucket.h"

#include <algorithm>

namespace pptp {
namespace {

/// No interface is faster; the arithmetic would bear some millions times as much.
constexpr uint64_t rateMax = 1'000'000'000'000;

/// Octets of the longest packet, and so of the deepest debt.
constexpr int64_t packetMax = 65'536;

/// An hour: an average over more would be a quota.
constexpr uint32_t burstTimeMsMax = 3'600'000;

}  // namespace

void TokenBucket::set(const Rate& rate, uint64_t nowUs) {
  const bool wasOn = isOn();
  if (wasOn) advance(nowUs);
  terms_ = rate;
  terms_.limit = std::min(rate.limit, rateMax);
  terms_.burst = std::min(rate.burst, rateMax);
  hasBurst_ = terms_.limit != 0 && terms_.burst > terms_.limit && rate.burstTimeMs != 0;

  const uint32_t burstTimeMs = std::min(rate.burstTimeMs, burstTimeMsMax);
  slotUs_ = burstTimeMs * uint64_t{1000} / slotCount;
  slotEndUs_ = nowUs + slotUs_;
  thresholdOctets_ = std::min(rate.threshold, rateMax) / 8 * burstTimeMs / 1000;
  std::fill(slots_, slots_ + slotCount, 0);
  sum_ = slotOctets_ = 0;

  filledAtUs_ = nowUs;
  use(hasBurst_ && thresholdOctets_ > 0 ? terms_.burst : terms_.limit);
  credit_ = wasOn ? std::min(credit_, creditMax_) : creditMax_;
}

void TokenBucket::use(uint64_t rate) {
  if (rate == rate_) return;
  rate_ = rate;
  creditMax_ = static_cast<int64_t>(std::max(rate * depth_.us, depth_.octets * perOctet));
  fullAfterUs_ = rate == 0 ? 0 : static_cast<uint64_t>(creditMax_ + packetMax * perOctet) / rate + 1;
}

void TokenBucket::fill(uint64_t untilUs) {
  const uint64_t elapsedUs = untilUs - filledAtUs_;
  filledAtUs_ = untilUs;
  const bool isFull = elapsedUs >= fullAfterUs_;
  credit_ = isFull ? creditMax_ : std::min(creditMax_, credit_ + static_cast<int64_t>(elapsedUs * rate_));
}

void TokenBucket::endSlot() {
  sum_ += slotOctets_ - slots_[oldest_];
  slots_[oldest_] = slotOctets_;
  oldest_ = (oldest_ + 1) % slotCount;
  slotOctets_ = 0;
  slotEndUs_ += slotUs_;
  use(sum_ < thresholdOctets_ ? terms_.burst : terms_.limit);
}

void TokenBucket::advance(uint64_t nowUs) {
  if (nowUs <= filledAtUs_) return;
  if (hasBurst_) {
    for (size_t ended = 0; ended <= slotCount && nowUs >= slotEndUs_; ended++) {
      fill(slotEndUs_);
      endSlot();
    }
    // More than a whole burst time without a packet: the other slots that ended were as empty as these.
    if (nowUs >= slotEndUs_) slotEndUs_ += ((nowUs - slotEndUs_) / slotUs_ + 1) * slotUs_;
  }
  fill(nowUs);
}

uint64_t TokenBucket::dueUs() const {
  const uint64_t creditAtUs = filledAtUs_ + static_cast<uint64_t>(-credit_) / rate_ + 1;
  return hasBurst_ ? std::min(creditAtUs, slotEndUs_) : creditAtUs;  // the next slot may be faster
}

}  // namespace pptp
