// What the control thread knows of the calls: who is held, with which memo, and the memory that the workers
// use meanwhile. A call stays in the snapshot until control has been told `closed`. Used by the control
// thread alone; only the counters of a call are read while a worker writes them.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "crew.h"
#include "outbox.h"

namespace pptp {

class CallRegistry {
 public:
  CallRegistry(Crew& crew, Outbox& outbox) : crew_(crew), outbox_(outbox) {}

  void open(MessageView message, uint64_t nowMs);
  /// Passes a command on to the call's worker.
  void pass(MessageView message);
  void peer(MessageView message);
  void memo(MessageView message);
  /// `tun` and `link` as the link registry knows them; -1 and 0 for none.
  void attach(const contract::CallAttach& command, int tun);
  void bridge(const contract::CallBridge& command, int tap);
  /// The interface is about to go.
  void detach(uint32_t link);
  void close(MessageView message);

  /// The worker has forgotten the call.
  void closed(MessageView event);
  /// Control has been told: the slot may be used again.
  void release(uint32_t handle);
  void snapshot(Outbox& into) const;
  void counters(uint32_t token, uint64_t nowMs);
  /// Closes calls as long as there is room for the order. True if none is left.
  bool closeSome();

  uint32_t held() const { return held_; }
  uint64_t staleHandles() const { return staleHandles_; }

 private:
  enum class State : uint8_t { open, closing, gone };

  struct Record {
    uint32_t handle;
    uint32_t link;
    uint32_t bridgeLink;
    uint32_t localAddress;
    uint32_t peerAddress;
    uint16_t peerCallId;
    State state;
    std::unique_ptr<Call> call;  // none once gone
    std::vector<uint8_t> memo;
  };

  /// The open call of this handle; null, and counted, if there is none.
  Record* find(uint32_t handle);
  void take(uint32_t link, uint32_t before, uint32_t call);
  void refuse(uint32_t handle, int errorNumber);

  Crew& crew_;
  Outbox& outbox_;
  std::array<std::unique_ptr<Record>, contract::slotCount> records_;
  std::array<uint16_t, contract::slotCount>
      callOfLink_{};  // by slot; the call's record says whether it still is
  uint32_t held_ = 0;
  uint32_t closeFrom_ = 0;
  uint64_t staleHandles_ = 0;
};

}  // namespace pptp
