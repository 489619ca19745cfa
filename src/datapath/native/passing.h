// Messages that pass between the engine's own threads beside those of the contract. They never reach the
// socket.
#pragma once

#include "contract.h"

namespace pptp {

inline constexpr uint16_t ownMessages = 0x8000;  // types from here on

#pragma pack(push, 1)

/// Control to worker: call-attach with the interface's descriptor (-1: none).
struct AttachTun {
  static constexpr uint16_t type = ownMessages + 1;
  static constexpr size_t size = 16;
  uint32_t call;
  uint32_t link;
  int32_t tun;
  uint16_t flags;
  uint16_t mssClamp;
};

/// Control to worker: call-bridge, likewise.
struct AttachTap {
  static constexpr uint16_t type = ownMessages + 7;
  static constexpr size_t size = 16;
  uint32_t call;
  uint32_t link;
  int32_t tap;
  uint16_t flags;
  uint16_t takes;
};

/// Control to worker: no call may use this interface any more. LinkReleased answers.
struct ReleaseLink {
  static constexpr uint16_t type = ownMessages + 2;
  static constexpr size_t size = 4;
  uint32_t link;
};

/// Worker to control.
struct LinkReleased {
  static constexpr uint16_t type = ownMessages + 3;
  static constexpr size_t size = 4;
  uint32_t link;
};

/// Control to a worker or to housekeeping: end the thread.
struct EndThread {
  static constexpr uint16_t type = ownMessages + 4;
  static constexpr size_t size = 0;
};

/// Housekeeping to control: the answer to link-open, with the descriptor.
struct TunOpened {
  static constexpr uint16_t type = ownMessages + 5;
  static constexpr size_t size = 16;
  uint32_t link;
  uint32_t errorNumber;
  uint32_t interfaceIndex;
  int32_t tun;
};

/// Control to housekeeping: remove an interface that no worker uses. link-closed answers.
struct CloseTun {
  static constexpr uint16_t type = ownMessages + 6;
  static constexpr size_t size = 28;
  uint32_t link;
  uint32_t interfaceIndex;
  int32_t tun;
  char name[16];
};

#pragma pack(pop)

}  // namespace pptp
