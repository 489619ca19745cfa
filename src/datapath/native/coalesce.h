// From the tunnel to the kernel: packets of one TCP (or UDP) flow that follow each other become one
// super-packet, so that the kernel walks its stack once for dozens of them. Nothing is copied: a write is a
// list of pieces that point into the caller's buffers.
//
// Merged is only what the kernel could have sent as one: checksums verified (the write asks the kernel to
// make new ones, which would bless corruption), same addresses, ports, acknowledgment, TCP options, TOS, TTL
// and window, next in sequence, all but the last of equal size. Everything else passes as it came; packets of
// one flow never overtake each other. The first packet's headers are changed in place. Buffers must stay
// until they have been written: flush() ends that.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "ip_header.h"
#include "vnet.h"

namespace pptp {

/// Open flows. A table of one is useless as soon as two flows mix; more than a receive batch holds is useless
/// too.
inline constexpr size_t coalesceFlows = 16;

/// Packets in one super-packet: 65,535 octets hold 46 of 1,400.
inline constexpr size_t coalescePackets = 64;

/// One write to a TUN: the pieces, of which the first is the VnetHeader.
struct TunWrite {
  uint32_t interface;  // as given to add()
  const iovec* pieces;
  int pieceCount;
  size_t packets;  // how many of the tunnel's packets are in it
  size_t octets;   // length of the IP packet, without the VnetHeader
};

/// Receives the writes; called from add() and flush().
class TunSink {
 public:
  virtual void write(const TunWrite& write) = 0;

 protected:
  ~TunSink() = default;
};

class Coalescer {
 public:
  /// `mergeUdp`: whether the kernel takes UDP super-packets on a TUN (TUN_F_USO4 and TUN_F_USO6, Linux 6.2).
  Coalescer(TunSink& sink, bool mergeUdp);

  /// One IP packet for `interface`. Malformed ones pass on too: the kernel judges them.
  void add(uint32_t interface, uint8_t* packet, size_t length);

  /// Writes all that is open, oldest first.
  void flush();

 private:
  /// What a packet is to us.
  enum class Kind : uint8_t {
    foreign,  // of no flow that we know: passes at once
    barrier,  // a fragment: could be of any flow
    plain,    // of a TCP or UDP flow, but not to be merged: passes after what is open of its flow
    mergeable,
  };

  struct Candidate {
    IpHeader ip;
    size_t headers;  // IP and transport header
    size_t payload;
  };

  struct Flow {
    uint32_t interface;
    IpHeader ip;         // of the first packet
    uint8_t* first;      // the first packet; its octets are the first piece
    size_t headers;      // IP and transport header
    size_t segmentSize;  // payload of every packet but the last
    size_t payload;      // all payload so far
    size_t packets;
    uint8_t lastFlags;  // TCP: FIN and PSH of the last packet
    VnetHeader vnet;
    iovec pieces[coalescePackets + 1];
  };

  Kind examine(const uint8_t* packet, size_t length, Candidate& candidate) const;
  size_t find(uint32_t interface, const uint8_t* packet, const Candidate& candidate) const;
  static bool follows(const Flow& flow, const uint8_t* packet, const Candidate& candidate);
  static bool isFinal(const Flow& flow, const uint8_t* packet, const Candidate& candidate);
  static void append(Flow& flow, uint8_t* packet, const Candidate& candidate);
  static void completeHeaders(Flow& flow);
  void merge(uint32_t interface, size_t position, uint8_t* packet, const Candidate& candidate);
  void open(uint32_t interface, uint8_t* packet, const Candidate& candidate);
  void emit(size_t position);
  void emitInterface(uint32_t interface);
  void pass(uint32_t interface, uint8_t* packet, size_t length);
  Flow& at(size_t position) { return flows_[order_[position]]; }
  const Flow& at(size_t position) const { return flows_[order_[position]]; }

  TunSink& sink_;
  bool mergeUdp_;
  size_t openCount_ = 0;
  uint8_t order_[coalesceFlows];  // all slots of flows_: the first openCount_ are open, oldest first
  Flow flows_[coalesceFlows];
};

}  // namespace pptp
