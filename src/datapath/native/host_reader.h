// Down: what TUNs and TAPs have becomes packets for the transmitter.
//
// A read gives a packet or a super-packet, which is cut into packets as far as the call's credit goes. A call
// whose rate towards the peer is used up is not read: its TUN and TAP leave the epoll, and its packets wait
// in their queues in the kernel, until the bucket has credit again. If that was in the middle of a
// super-packet, the call keeps the rest, with the memory that it was read into; the next read is into
// another, which is made only if more calls keep one than ever before. Belongs to one worker.
#pragma once

#include <memory>
#include <vector>

#include "call.h"
#include "epoll.h"
#include "transmitter.h"

namespace pptp {

class HostReader {
 public:
  /// The epoll gives back a call's slot when its TUN or TAP has something.
  HostReader(Epoll& epoll, Transmitter& transmitter, size_t callsMax);

  /// Reads what this call's turn allows, if it is watched: it may have been closed since the epoll spoke.
  void serveReady(Call& call, uint64_t nowUs);
  /// Reads for the calls that have credit again.
  void serveDue(uint64_t nowUs);
  /// When the first of those that wait has some; none if no call waits.
  uint64_t dueUs() const { return waiting_.isEmpty() ? none : waiting_.dueUs(); }
  static constexpr uint64_t none = UINT64_MAX;

  /// Reads the call's packets from this descriptor from now on.
  void attach(Call& call, Passage& passage, int descriptor);
  /// What had been read of it and waits is dropped, and counted.
  void detach(Call& call, Passage& passage);
  /// The call has other limits: what waits is neither lost nor held to those that were.
  void limited(Call& call, uint64_t nowUs);

 private:
  void serve(Call& call);
  bool drain(Call& call);
  bool drain(Call& call, Passage& passage);
  bool open(const Call& call, Passage& passage, size_t length);
  bool send(Call& call, SuperPacket& packet);
  void sendNext(Call& call, SuperPacket& packet);
  void keepUnsent(Call& call);
  bool sendUnsent(Call& call);
  void watch(const Call& call, Passage& passage);
  void unwatch(Passage& passage);

  Epoll& epoll_;
  Transmitter& transmitter_;
  DueHeap<Call> waiting_;  // for credit
  std::unique_ptr<SuperPacket> packet_;
  std::vector<std::unique_ptr<SuperPacket>> spare_;
  uint64_t nowUs_ = 0;
};

}  // namespace pptp
