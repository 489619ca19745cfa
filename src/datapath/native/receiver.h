// Up: what the raw socket receives becomes IP packets for TUNs, frames for control, and acknowledgments.
//
// Steps, on the worker's thread, a batch at a time: receive up to 64; find the call by our Call ID and the
// peer's address; put sequence numbers in order, and fragments together; decrypt in pairs; hand IP to the
// coalescer, which writes super-packets, bridged frames to their TAP, and everything else to the event ring.
// Packets are read where they were received, never copied, but for those that came in fragments. Early
// packets keep their places until their turn. Belongs to one worker. Whoever changes a call's keys or
// framing, or forgets the call, does it between two batches.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <vector>

#include "call.h"
#include "coalesce.h"
#include "ring.h"
#include "transmitter.h"

namespace pptp {

class Receiver : private TunSink {
 public:
  Receiver(int socket, Shared& shared, Ring& events, Transmitter& transmitter, WorkerCounters& counters,
           bool mergeUdp);

  /// Receives and handles one batch; returns how many packets it had.
  size_t batch(uint64_t nowUs);

  /// Gives up gaps that are too old. Returns when to come again, in microseconds; 0 if no window waits.
  uint64_t release(uint64_t nowUs);

  /// Sends acknowledgments for calls of which much has come in, if none could ride on data.
  void acknowledge();
  /// Sends one for this call if one is due.
  void acknowledge(Call& call);

  /// Delivers what still waits for the call and takes it out of all lists.
  void forget(Call& call);

 private:
  struct Place {
    Call* call;
    uint16_t offset;  // of the PPP frame
    uint16_t length;
  };

  uint8_t* octets(PacketReference place) { return &memory_[place * packetPlaceSize]; }
  void supply();
  void reclaim();
  void arrive(PacketReference place, size_t length);
  bool accept(PacketReference place, size_t length);
  bool number(Call& call, PacketReference place, uint32_t sequence);
  static void count(Call& call, Arrival arrival, bool hadGap);
  void deliver(Call& call, const Deliveries& deliveries, uint32_t expectedBefore);
  void frame(Call& call, PacketReference place);
  void fragment(Call& call, uint8_t* data, size_t length);
  uint8_t* keep(Octets frame);
  void datagram(Call& call, uint8_t* payload, const PppFrame& frame);
  void decrypt();
  void decrypted(Call& call, const MppeCipher& cipher);
  void passUp(Call& call, uint8_t* payload, const PppFrame& frame);
  void network(Call& call, uint8_t* packet, size_t length);
  void bridged(Call& call, uint8_t* information, size_t length);
  static bool isData(uint16_t protocol) { return protocol == pppIpv4 || protocol == pppBridging; }
  bool admit(Call& call, size_t length);
  void control(Call& call, const PppFrame& frame);
  bool answeredEcho(Call& call, const PppFrame& frame);
  void cipherLost(Call& call);
  void finish();
  void releaseWindow(Call& call);
  void write(const TunWrite& write) override;

  int socket_;
  Shared& shared_;
  Ring& events_;
  Transmitter& transmitter_;
  WorkerCounters& counters_;
  uint64_t nowUs_ = 0;
  Coalescer coalescer_;

  std::unique_ptr<uint8_t[]> memory_;
  std::unique_ptr<Place[]> places_;
  std::unique_ptr<PacketReference[]> free_;
  size_t freeCount_ = 0;
  PacketReference used_[packetBatch + windowDeliveries];  // delivered: free again after the batch
  size_t usedCount_ = 0;

  std::unique_ptr<uint8_t[]> reassembled_;  // frames of this batch
  size_t reassembledUsed_ = 0;

  PacketReference offered_[packetBatch];  // to recvmmsg
  size_t offeredCount_ = 0;
  iovec vectors_[packetBatch];
  mmsghdr messages_[packetBatch];

  MppeCipher ciphers_[packetBatch];
  Call* cipherCalls_[packetBatch];
  size_t cipherCount_ = 0;

  std::vector<Call*> waiting_;  // calls whose window holds packets
  Call* acknowledging_[packetBatch];
  size_t acknowledgingCount_ = 0;
};

}  // namespace pptp
