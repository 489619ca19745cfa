// Down, the last steps: PPP frames of any of the worker's calls become GRE packets, and leave in one system
// call.
//
// Packets are written into the memory of a batch, one after the other, payload first; the headers are
// prepended at the end: MPPE (pairs of packets at once), PPP, GRE with a sequence number and, if one is due,
// an acknowledgment [RFC 2637 4.1]. A packet that is too long for the link leaves in fragments, which point
// into it: their headers stand beside, and nothing is copied. The peer's window is not obeyed: it would
// throttle without protecting anybody. What the socket does not take is dropped and counted; nothing ever
// waits here. Belongs to one worker. Whoever changes a call's keys, framing or peer calls flush() before.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>

#include "call.h"
#include "gre.h"
#include "ring.h"

namespace pptp {

class Transmitter {
 public:
  Transmitter(int socket, WorkerCounters& counters);

  /// Where the next network packet is to be written, of at most `size` octets (65,536 always fit). Sends the
  /// batch first if there is no room.
  uint8_t* place(size_t size);

  /// The packet of `length` octets at place(), of the network or a bridged frame, is `call`'s next, encrypted
  /// if the call has transmit keys.
  void packet(Call& call, uint16_t protocol, size_t length);

  /// Octets of the longest frame of control.
  static constexpr size_t frameSizeMax = packetPlaceSize - packetHeadroom;

  /// One frame of a control protocol, in clear. False if it is too long.
  bool frame(Call& call, uint16_t protocol, Octets information);

  /// A packet without payload: only the acknowledgment.
  void acknowledgment(Call& call);

  void flush();

 private:
  enum class Kind : uint8_t { network, encrypted, frame, acknowledgment };

  struct Entry {
    Call* call;
    uint8_t* start;
    uint8_t* end;
    uint16_t protocol;  // of what was given to us, not of what hides it
    Kind kind;
  };

  // What one message of sendmmsg points to: a packet with its headers, or the headers of a fragment and,
  // apart, the fragment.
  struct alignas(CMSG_ALIGN(1)) Envelope {
    Call* call;
    sockaddr_in peer;
    iovec pieces[2];
    alignas(cmsghdr) uint8_t source[CMSG_SPACE(sizeof(in_pktinfo))];
    uint8_t head[packetHeadroom];
  };

  void append(Call& call, Kind kind, uint16_t protocol, size_t length);
  void encrypt();
  static bool isTooLong(const Entry& entry);
  void whole(const Entry& entry);
  void fragments(const Entry& entry);
  static void acknowledge(Call& call, GreHeader& header);
  static uint8_t* prepend(Call& call, uint8_t* start, size_t length, uint16_t protocol);
  Envelope& envelope(Call& call, size_t pieces);
  void send();

  int socket_;
  WorkerCounters& counters_;
  size_t count_ = 0;
  bool anyEncrypted_ = false;
  Entry entries_[packetBatch];
  size_t messageCount_ = 0;
  Envelope envelopes_[packetBatch];
  mmsghdr messages_[packetBatch];
  std::unique_ptr<uint8_t[]> memory_;
  size_t memoryUsed_ = 0;
};

}  // namespace pptp
