// Steady time, which a thread reads once per turn and passes on, and the time that threads have had.
#pragma once

#include <pthread.h>
#include <time.h>

#include <cstdint>

namespace pptp {

inline uint64_t readUs(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
}

inline uint64_t nowUs() { return readUs(CLOCK_MONOTONIC); }

inline uint64_t nowMs() { return nowUs() / 1000; }

/// What a thread that has not ended has had of processors.
inline uint64_t processorUs(pthread_t thread) {
  clockid_t clock;
  return pthread_getcpuclockid(thread, &clock) == 0 ? readUs(clock) : 0;
}

}  // namespace pptp
