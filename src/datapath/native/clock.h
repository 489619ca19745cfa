// Steady time. A thread reads the clock once per turn and passes the value on.
#pragma once

#include <time.h>

#include <cstdint>

namespace pptp {

inline uint64_t nowUs() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
}

inline uint64_t nowMs() { return nowUs() / 1000; }

}  // namespace pptp
