// What the control thread knows of the interfaces: who is held, and how far its opening or closing has come.
//
// Closing takes three steps, so that nobody reads from a descriptor that is somebody else's by then: every
// worker lets go of the interface; the last one to say so has housekeeping remove it; `link-closed` tells
// control. Used by the control thread alone.
#pragma once

#include <array>
#include <memory>

#include "call_registry.h"
#include "crew.h"
#include "outbox.h"
#include "poller.h"

namespace pptp {

class LinkRegistry {
 public:
  LinkRegistry(Crew& crew, CallRegistry& calls, Poller& poller, Outbox& outbox)
      : crew_(crew), calls_(calls), poller_(poller), outbox_(outbox) {}

  void open(MessageView message);
  void close(uint32_t handle);
  /// Control wants to know of the first packet, which waits in the interface for a call.
  void watch(uint32_t handle);
  /// A packet waits in the interface of `slot`.
  void ready(uint32_t slot);
  void attachCall(const contract::CallAttach& command);
  void bridgeCall(const contract::CallBridge& command);

  void opened(const TunOpened& event);
  /// A worker has let go.
  void released(uint32_t handle);
  void closed(MessageView event);
  /// Control has been told: the slot may be used again.
  void release(uint32_t handle);
  void snapshot(Outbox& into) const;
  /// Closes interfaces as long as there is room for the order. True if none is left.
  bool closeSome();

  uint32_t held() const { return held_; }
  uint64_t staleHandles() const { return staleHandles_; }

 private:
  enum class State : uint8_t { opening, open, closing, gone };

  struct Record {
    uint32_t handle;
    State state = State::opening;
    bool closeWanted = false;
    bool watched = false;
    bool isPort = false;  // of a bridge: a TAP
    int tun = -1;
    uint32_t interfaceIndex = 0;
    size_t workersLeft = 0;  // that have not let go
    char name[16] = {};
  };

  Record* find(uint32_t handle);
  Record* joinable(uint32_t handle, bool isPort);
  void startClosing(Record& record);
  void unwatch(Record& record);

  Crew& crew_;
  CallRegistry& calls_;
  Poller& poller_;
  Outbox& outbox_;
  std::array<std::unique_ptr<Record>, contract::slotCount> records_;
  uint32_t held_ = 0;
  uint32_t closeFrom_ = 0;
  uint64_t staleHandles_ = 0;
};

}  // namespace pptp
