// The control thread's epoll: descriptors and what they mean.
#pragma once

#include <sys/epoll.h>

#include <cerrno>
#include <cstdint>

#include "descriptor.h"
#include "invariant.h"

namespace pptp {

enum class Source : uint32_t { door, control, signals, ring, listener, connection, link };

class Poller {
 public:
  Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    invariant(bool(epoll_), "the control thread has an epoll");
  }

  void add(int descriptor, Source source, uint32_t index, uint32_t events = EPOLLIN) {
    control(EPOLL_CTL_ADD, descriptor, source, index, events);
  }
  void change(int descriptor, Source source, uint32_t index, uint32_t events) {
    control(EPOLL_CTL_MOD, descriptor, source, index, events);
  }
  void remove(int descriptor) { epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, descriptor, nullptr); }

  int wait(epoll_event* ready, int count, int timeoutMs) {
    const int found = epoll_wait(epoll_.number(), ready, count, timeoutMs);
    invariant(found >= 0 || errno == EINTR, "epoll can be waited for");
    return found < 0 ? 0 : found;
  }

  static Source source(const epoll_event& event) { return static_cast<Source>(event.data.u64 >> 32); }
  static uint32_t index(const epoll_event& event) { return static_cast<uint32_t>(event.data.u64); }

 private:
  void control(int operation, int descriptor, Source source, uint32_t index, uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = static_cast<uint64_t>(source) << 32 | index;
    invariant(epoll_ctl(epoll_.number(), operation, descriptor, &event) == 0, "epoll takes a descriptor");
  }

  Descriptor epoll_;
};

}  // namespace pptp
