// The threads that work for control: the workers and housekeeping, as one thing to give orders to. Used by
// the control thread.
#pragma once

#include <memory>
#include <vector>

#include "call.h"
#include "housekeeping.h"
#include "worker.h"

namespace pptp {

struct Crew {
  Shared shared;
  std::vector<std::unique_ptr<Worker>> workers;
  Housekeeping housekeeping;

  Worker& owner(uint32_t call) { return *workers[contract::slotOf(call) & (workers.size() - 1)]; }

  /// Whether every ring takes a message of `size` octets. If not, control waits; commands are never dropped.
  bool hasRoom(size_t size) {
    for (const auto& worker : workers)
      if (worker->commands().claim(size) == nullptr) return false;
    return housekeeping.commands().claim(size) != nullptr;
  }

  /// Wakes those who were given something.
  void ring() {
    for (const auto& worker : workers) worker->commands().ring();
    housekeeping.commands().ring();
  }

  void end() {
    for (const auto& worker : workers)
      invariant(worker->commands().push(EndThread{}), "an idle worker has room");
    invariant(housekeeping.commands().push(EndThread{}), "idle housekeeping has room");
    ring();
    for (const auto& worker : workers) worker->join();
    housekeeping.join();
  }
};

}  // namespace pptp
