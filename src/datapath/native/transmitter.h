// Down, the last steps: PPP frames of any of the worker's calls become GRE packets, and leave in one system
// call.
//
// Packets are written into places of a batch, payload first; the headers are prepended at the end: MPPE
// (pairs of packets at once), PPP, GRE with a sequence number and, if one is due, an acknowledgment [RFC
// 2637 4.1]. The peer's window is not obeyed: it would throttle without protecting anybody. What the socket
// does not take is dropped and counted; nothing ever waits here. Belongs to one worker. Whoever changes a
// call's keys, framing or peer calls flush() before.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>

#include "call.h"
#include "ring.h"

namespace pptp {

class Transmitter {
 public:
  Transmitter(int socket, WorkerCounters& counters);

  /// Where the next IP packet is to be written, and how much fits. Sends the batch first if it is full.
  uint8_t* place();
  static constexpr size_t placeSize = packetPlaceSize - packetHeadroom;

  /// The IP packet of `length` octets at place() is `call`'s next, encrypted if the call has transmit keys.
  void packet(Call& call, size_t length);

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
    uint16_t protocol;
    Kind kind;
  };

  // What one message of sendmmsg points to.
  struct alignas(CMSG_ALIGN(1)) Envelope {
    sockaddr_in peer;
    iovec octets;
    alignas(cmsghdr) uint8_t source[CMSG_SPACE(sizeof(in_pktinfo))];
  };

  void append(Call& call, Kind kind, uint16_t protocol, size_t length);
  void encrypt();
  void prepend(Entry& entry);
  void address(size_t index);
  void send();

  int socket_;
  WorkerCounters& counters_;
  size_t count_ = 0;
  bool anyEncrypted_ = false;
  Entry entries_[packetBatch];
  Envelope envelopes_[packetBatch];
  mmsghdr messages_[packetBatch];
  std::unique_ptr<uint8_t[]> places_;
};

}  // namespace pptp
