// A worker: a thread that owns the calls whose Call ID's low bits name it, with the reading and writing of
// their TUNs and TAPs.
//
// It has one raw GRE socket, whose filter takes only those calls, one epoll, one ring of commands from
// control and one of events to it. A turn: commands and frames of control first, so that keepalives do not
// queue behind data; then what was received (`receiver`); then what the TUNs and TAPs have (`host_reader`);
// then acknowledgments that found nothing to ride on; then one send (`transmitter`). No locks, and no
// allocation per packet.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "bounds.h"
#include "call.h"
#include "clock.h"
#include "epoll.h"
#include "gre_socket.h"
#include "host_reader.h"
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

  /// What the thread has cost, and what it was too slow for. Asks the kernel; any thread may.
  contract::WorkerRow row() { return {processorUs(thread_.native_handle()), greDrops(gre_.number())}; }

 private:
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
  void bridge(Call& call, const AttachTap& command);
  void join(Call& call, Passage& passage, int descriptor, uint32_t link, uint16_t flags);
  void shape(Call& call, const contract::CallShape& command);
  void quota(Call& call, const contract::CallQuota& command);
  void watch(Call& call, const contract::CallWatch& command);
  void close(Call& call);
  void releaseLink(uint32_t link);

  void lookAtCalls(uint64_t nowMs);
  void lookAt(Call& call, uint64_t nowMs);

  WorkerTerms terms_;
  Descriptor gre_;
  Epoll epoll_;
  Shared& shared_;
  Ring commands_{commandRingBytes};
  Ring events_{eventRingBytes};
  WorkerCounters counters_;
  Transmitter transmitter_;
  Receiver receiver_;
  HostReader host_;
  std::vector<Call*> calls_;
  std::thread thread_;

  bool ended_ = false;
  bool spinning_ = false;
  uint64_t nowUs_ = 0;
  uint64_t busyUntilUs_ = 0;
  uint64_t nextLookMs_ = 0;
  uint64_t nextReleaseUs_ = 0;
};

}  // namespace pptp
