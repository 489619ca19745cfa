// Counters with one writer. The owner adds with a plain load and store; any other thread reads a whole value
// at any time. Nothing is ever reset.
#pragma once

#include <atomic>
#include <cstdint>

#include "contract.h"

namespace pptp {

class Counter {
 public:
  void add(uint64_t amount = 1) { set(value() + amount); }
  void set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

/// What is counted per call, in the words of the contract, and when something last came or passed.
struct CallCounters {
  Counter receivedOctets, receivedPackets, transmittedOctets, transmittedPackets;
  Counter receivedAtMs, networkAtMs;
  Counter receivedFrames, transmittedFrames;
  Counter duplicates, late, reordered, lost;
  Counter fragmentsLost, fragmentsLate;
  Counter malformed, undecryptable, unencrypted, dropped, shaped;

  /// Fills the counters of a `closed` or of a row.
  template <class Message>
  void describe(Message& into, uint64_t nowMs) const {
    into.receivedOctets = receivedOctets.value();
    into.transmittedOctets = transmittedOctets.value();
    into.receivedPackets = receivedPackets.value();
    into.transmittedPackets = transmittedPackets.value();
    into.shaped = shaped.value();
    into.receivedFrames = narrow(receivedFrames.value());
    into.transmittedFrames = narrow(transmittedFrames.value());
    into.duplicates = narrow(duplicates.value());
    into.late = narrow(late.value());
    into.reordered = narrow(reordered.value());
    into.lost = narrow(lost.value());
    into.fragmentsLost = narrow(fragmentsLost.value());
    into.fragmentsLate = narrow(fragmentsLate.value());
    into.malformed = narrow(malformed.value());
    into.undecryptable = narrow(undecryptable.value());
    into.unencrypted = narrow(unencrypted.value());
    into.dropped = narrow(dropped.value());
    into.silentMs = since(receivedAtMs.value(), nowMs);
    into.idleMs = since(networkAtMs.value(), nowMs);
  }

 private:
  static uint32_t narrow(uint64_t value) { return static_cast<uint32_t>(value); }
  static uint32_t since(uint64_t then, uint64_t now) { return now > then ? narrow(now - then) : 0; }
};

/// What no call can be charged with, per worker.
struct WorkerCounters {
  Counter receivedPackets, transmittedPackets;
  Counter unknownCalls, malformed, staleHandles, droppedFrames, ringFull;
};

}  // namespace pptp
