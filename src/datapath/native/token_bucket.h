// A rate with a burst, for one direction of one call: whether a packet may pass now, and if not, when. What
// enters: the time and the length of what passed. No clock, no queue, no memory of its own.
//
// The bucket fills with the rate up to its depth. A packet passes while there is any credit, and may take it
// below zero by its own length: the debt is one packet at most, and the rate is kept exactly however long the
// packets are. Credit counts in millionths of a bit, so that each microsecond adds a whole number.
//
// A burst as RouterOS has it: the burst time has 16 slots; at the end of each the average over the last 16
// decides whether the next one has the burst rate or the limit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pptp {

/// Bits per second. A limit of 0 is none; there is a burst if it is above the limit and has a time.
struct Rate {
  uint64_t limit = 0;
  uint64_t burst = 0;
  uint64_t threshold = 0;
  uint32_t burstTimeMs = 0;
};

/// How much may pass at once after a pause: what the rate gives in `us`, and `octets` at least.
struct BucketDepth {
  uint64_t us;
  uint64_t octets;
};

class TokenBucket {
 public:
  explicit TokenBucket(BucketDepth depth) : depth_(depth) {}

  /// From now on. A bucket that was off begins full, another keeps its debt and what credit fits; the average
  /// begins anew.
  void set(const Rate& rate, uint64_t nowUs);

  bool isOn() const { return rate_ != 0; }

  /// Whether a packet may pass; always if there is no limit. A time before the last one counts
  /// as that.
  bool mayPass(uint64_t nowUs) {
    if (!isOn()) return true;
    advance(nowUs);
    return credit_ > 0;
  }

  /// A packet has passed.
  void spend(size_t octets) {
    credit_ -= static_cast<int64_t>(octets) * perOctet;
    slotOctets_ += octets;
  }

  /// When to ask again, after mayPass() has said no.
  uint64_t dueUs() const;

  /// The rate that holds now: the limit, the burst, or 0.
  uint64_t bitsPerSecond() const { return rate_; }

 private:
  static constexpr int64_t perOctet = 8'000'000;
  static constexpr size_t slotCount = 16;

  void advance(uint64_t nowUs);
  void fill(uint64_t untilUs);
  void endSlot();
  void use(uint64_t rate);

  BucketDepth depth_;
  uint64_t rate_ = 0;
  int64_t credit_ = 0;
  int64_t creditMax_ = 0;
  uint64_t filledAtUs_ = 0;
  uint64_t fullAfterUs_ = 0;  // from the deepest debt; spares a multiplication that could overflow

  Rate terms_;
  bool hasBurst_ = false;
  uint64_t slotUs_ = 0;
  uint64_t slotEndUs_ = 0;
  uint64_t slotOctets_ = 0;       // of the slot that runs
  uint64_t thresholdOctets_ = 0;  // what the threshold's rate carries in the burst time
  uint64_t sum_ = 0;              // of slots_
  size_t oldest_ = 0;
  uint64_t slots_[slotCount] = {};
};

}  // namespace pptp
