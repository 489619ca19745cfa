// A call: everything that its packets meet, hottest first. Made and freed by the control thread, which
// publishes it in the table; between call-open and `closed` every field but the counters belongs to the
// worker that its Call ID names.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "bcp.h"
#include "bounds.h"
#include "call_limits.h"
#include "contract.h"
#include "counters.h"
#include "due_heap.h"
#include "mppe.h"
#include "multilink.h"
#include "ppp_frame.h"
#include "super_packet.h"
#include "window.h"

namespace pptp {

/// An interface of the host to which a call is joined, and what may pass between the two.
struct Passage {
  uint16_t protocol;  // of the packets' PPP frames
  bool mayReceive = false;
  bool mayTransmit = false;
  bool encryptionRequired = false;
  bool isWatched = false;  // the worker's epoll has the descriptor
  int descriptor = -1;
  uint32_t link = 0;

  bool isOpen() const { return descriptor >= 0; }
};

struct alignas(64) Call {
  // Read by every packet, both ways. Addresses are numbers as in the contract.
  uint32_t handle = 0;
  uint32_t peerAddress = 0;
  uint32_t localAddress = 0;      // 0: the kernel chooses
  Passage network{pppIpv4};       // a TUN
  Passage bridging{pppBridging};  // a TAP, a port of a bridge
  uint16_t peerCallId = 0;
  uint16_t unacknowledged = 0;  // packets since our last acknowledgment
  uint16_t clampMtu = 0;        // IP length whose largest MSS may pass; 0: any
  uint16_t frameBytesMax = 0;   // octets of the longest information field that is not cut; 0: none is
  bool peerKnown = false;
  bool receiveKeyed = false;
  bool transmitKeyed = false;
  bool windowListed = false;    // in the worker's list of calls whose windows wait
  bool receiveLimited = false;  // `limits` has to be asked
  bool transmitLimited = false;
  bool shortSequence = false;  // of fragments that we send
  bool bridgingFirst = false;  // whose turn it is to send first
  BridgeTakes peerTakes;
  PppCompression compression;
  SendSequence send;
  uint32_t fragmentSequence = 0;           // of the next fragment that we send
  std::unique_ptr<Reassembly> reassembly;  // none: fragments are refused

  CallCounters counters;
  ReceiveWindow window;
  MppeReceiver receiver;
  MppeSender sender;
  CallLimits limits;
  Waiting waiting;                      // for credit, towards the peer
  std::unique_ptr<SuperPacket> unsent;  // what has been read already and waits for credit

  // Cold: control's wishes and the watch.
  uint32_t ourMagic = 0;
  uint16_t peerMru = 1500;
  uint16_t frameCredit = frameCreditMax;
  bool hasMagic = false;
  bool anyFrame = false;  // a frame has gone up: the next is not the first
  bool idleSaid = false;
  uint32_t silentMs = 0;
  uint32_t probeMs = 0;
  uint32_t idleMs = 0;
  uint32_t probesSaid = 0;
  uint64_t probeSaidAtMs = 0;
  uint64_t sayCipherLostAtUs = 0;  // or later
  uint64_t probesSinceMs = 0;      // the silence that probesSaid counts
  uint32_t position = 0;           // in the worker's list of calls
  uint32_t earlyOctets = 0;        // of `early`: call-frame messages until the peer's Call ID is known
  uint8_t early[waitingFrameBytes];
};

/// From our Call ID to the call. Written by the control thread (publish) and the owning worker (forget).
class CallTable {
 public:
  Call* find(uint16_t callId) const { return calls_[callId].load(std::memory_order_acquire); }
  void publish(uint16_t callId, Call* call) { calls_[callId].store(call, std::memory_order_release); }
  void forget(uint16_t callId) { calls_[callId].store(nullptr, std::memory_order_release); }

 private:
  std::array<std::atomic<Call*>, contract::slotCount> calls_{};
};

/// What workers and the control thread share besides rings.
struct Shared {
  CallTable calls;
  std::atomic<bool> controlAttached{false};
};

}  // namespace pptp
