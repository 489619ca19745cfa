// The control thread's epoll: descriptors and what they mean.
#pragma once

#include "epoll.h"

namespace pptp {

enum class Source : uint32_t { door, control, signals, ring, listener, connection, link };

class Poller {
 public:
  void add(int descriptor, Source source, uint32_t index, uint32_t events = EPOLLIN) {
    epoll_.add(descriptor, dataOf(source, index), events);
  }
  void change(int descriptor, Source source, uint32_t index, uint32_t events) {
    epoll_.change(descriptor, dataOf(source, index), events);
  }
  void remove(int descriptor) { epoll_.remove(descriptor); }

  int wait(epoll_event* ready, int count, int timeoutMs) { return epoll_.wait(ready, count, timeoutMs); }

  static Source source(const epoll_event& event) { return static_cast<Source>(event.data.u64 >> 32); }
  static uint32_t index(const epoll_event& event) { return static_cast<uint32_t>(event.data.u64); }

 private:
  static uint64_t dataOf(Source source, uint32_t index) {
    return static_cast<uint64_t>(source) << 32 | index;
  }

  Epoll epoll_;
};

}  // namespace pptp
