// An epoll: which descriptors have something, by a number of the owner's.
#pragma once

#include <sys/epoll.h>

#include <cerrno>
#include <cstdint>

#include "descriptor.h"
#include "invariant.h"

namespace pptp {

class Epoll {
 public:
  Epoll() : epoll_(epoll_create1(EPOLL_CLOEXEC)) { invariant(bool(epoll_), "there is room for an epoll"); }

  void add(int descriptor, uint64_t data, uint32_t events = EPOLLIN) {
    control(EPOLL_CTL_ADD, descriptor, data, events);
  }
  void change(int descriptor, uint64_t data, uint32_t events) {
    control(EPOLL_CTL_MOD, descriptor, data, events);
  }
  void remove(int descriptor) { epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, descriptor, nullptr); }

  /// How many of `ready` are filled: none after a signal, or when the time is up. -1: without end.
  int wait(epoll_event* ready, int count, int timeoutMs) {
    const int found = epoll_wait(epoll_.number(), ready, count, timeoutMs);
    invariant(found >= 0 || errno == EINTR, "epoll can be waited for");
    return found < 0 ? 0 : found;
  }

 private:
  void control(int operation, int descriptor, uint64_t data, uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = data;
    invariant(epoll_ctl(epoll_.number(), operation, descriptor, &event) == 0, "epoll takes a descriptor");
  }

  Descriptor epoll_;
};

}  // namespace pptp
