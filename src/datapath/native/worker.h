// A worker: a thread that owns the calls whose Call ID's low bits name it, with their TUNs' reading
// and writing.
//
// It has one raw GRE socket, whose filter takes only those calls, one epoll, one ring of commands from
// control and one of events to it. A turn: commands and frames of control first, so that keepalives do not
// queue behind data; then what was received; then what the TUNs have; then acknowledgments that found nothing
// to ride on; then one send. No locks, and no allocation per packet.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "bounds.h"
#include "call.h"
#include "passing.h"
#include "receiver.h"
#include "ring.h"
#include "transmitter.h"

namespace pptp {

struct WorkerTerms {
  uint16_t index;
  uint16_t count;  // of workers: a power of two
  bool mergeUdp;
};

class Worker {
 public:
  /// Takes the socket of greOpen().
  Worker(WorkerTerms terms, Descriptor gre, Shared& shared);

  void start();
  void join() { thread_.join(); }

  Ring& commands() { return commands_; }
  Ring& events() { return events_; }
  const WorkerCounters& counters() const { return counters_; }

 private:
  struct Ready;

  void run();
  bool turn();
  int sleepMs(uint64_t nowUs) const;

  void performCommands();
  void perform(MessageView message);
  void open(Call& call);
  void peer(Call& call, const contract::CallPeer& command);
  void frame(Call& call, MessageView message);
  void sendWaiting(Call& call);
  void framing(Call& call, const contract::CallFraming& command);
  void keys(Call& call, const contract::CallKeys& command);
  void attach(Call& call, const AttachTun& command);
  void detach(Call& call);
  void watch(Call& call, const contract::CallWatch& command);
  void close(Call& call);
  void releaseLink(uint32_t link);

  void readTun(Call& call);
  void segment(Call& call, size_t length);
  void lookAtCalls(uint64_t nowMs);
  void lookAt(Call& call, uint64_t nowMs);

  WorkerTerms terms_;
  Descriptor gre_;
  Descriptor epoll_;
  Shared& shared_;
  Ring commands_{commandRingBytes};
  Ring events_{eventRingBytes};
  WorkerCounters counters_;
  Transmitter transmitter_;
  Receiver receiver_;
  std::vector<Call*> calls_;
  std::unique_ptr<uint8_t[]> tunBuffer_;
  std::thread thread_;

  bool ended_ = false;
  bool spinning_ = false;
  uint64_t nowUs_ = 0;
  uint64_t busyUntilUs_ = 0;
  uint64_t nextLookMs_ = 0;
  uint64_t nextReleaseUs_ = 0;
};

}  // namespace pptp
