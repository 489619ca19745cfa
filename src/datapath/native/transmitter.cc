#include "transmitter.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "invariant.h"
#include "multilink.h"

namespace pptp {
namespace {

/// Octets of a batch's packets: as many of the usual size as a batch has, or the longest there is.
constexpr size_t memorySize = packetBatch * packetPlaceSize;
static_assert(memorySize >= packetHeadroom + 65'536);

constexpr size_t cacheLine = 64;

}  // namespace

Transmitter::Transmitter(int socket, WorkerCounters& counters)
    : socket_(socket), counters_(counters), memory_(new uint8_t[memorySize]) {
  // Everything that does not change from packet to packet is written once.
  memset(envelopes_, 0, sizeof envelopes_);
  memset(messages_, 0, sizeof messages_);
  for (size_t i = 0; i < packetBatch; i++) {
    Envelope& envelope = envelopes_[i];
    envelope.peer.sin_family = AF_INET;
    msghdr& message = messages_[i].msg_hdr;
    message.msg_name = &envelope.peer;
    message.msg_namelen = sizeof envelope.peer;
    message.msg_iov = envelope.pieces;
    auto* control = reinterpret_cast<cmsghdr*>(envelope.source);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  }
}

uint8_t* Transmitter::place(size_t size) {
  if (count_ == packetBatch || memoryUsed_ + packetHeadroom + size > memorySize) flush();
  invariant(packetHeadroom + size <= memorySize, "no packet is longer than an IP packet can be");
  return &memory_[memoryUsed_ + packetHeadroom];
}

void Transmitter::append(Call& call, Kind kind, uint16_t protocol, size_t length) {
  uint8_t* start = place(length);
  entries_[count_++] = {&call, start, start + length, protocol, kind};
  const size_t used = packetHeadroom + length;
  memoryUsed_ += (used + cacheLine - 1) / cacheLine * cacheLine;
}

void Transmitter::packet(Call& call, uint16_t protocol, size_t length) {
  call.counters.transmittedPackets.add();
  call.counters.transmittedOctets.add(length + 2);
  append(call, call.transmitKeyed ? Kind::encrypted : Kind::network, protocol, length);
  anyEncrypted_ |= call.transmitKeyed;
}

bool Transmitter::frame(Call& call, uint16_t protocol, Octets information) {
  if (information.size() > frameSizeMax) return false;
  uint8_t* start = place(information.size());
  if (!information.empty()) memcpy(start, information.data(), information.size());
  append(call, Kind::frame, protocol, information.size());
  call.counters.transmittedFrames.add();
  return true;
}

void Transmitter::acknowledgment(Call& call) { append(call, Kind::acknowledgment, 0, 0); }

void Transmitter::encrypt() {
  MppePlain plains[packetBatch];
  size_t count = 0;
  for (Entry& entry : std::span(entries_, count_)) {
    if (entry.kind != Kind::encrypted) continue;
    // Inside, the protocol field is whole whatever was negotiated: every peer reads that.
    entry.start = pppPrependProtocol(entry.start, entry.protocol, false);
    plains[count++] = {&entry.call->sender, entry.start, static_cast<size_t>(entry.end - entry.start)};
    entry.start -= mppeHeaderSize;
    entry.protocol = pppCompressed;
  }
  mppeEncrypt({plains, count});
  anyEncrypted_ = false;
}

void Transmitter::flush() {
  if (count_ == 0) return;
  if (anyEncrypted_) encrypt();
  for (const Entry& entry : std::span(entries_, count_)) {
    if (isTooLong(entry)) {
      fragments(entry);
    } else {
      whole(entry);
    }
  }
  send();
  count_ = memoryUsed_ = 0;
}

/// Whether it has to be cut, which is for packets of the network only: control keeps its frames short.
bool Transmitter::isTooLong(const Entry& entry) {
  const size_t largest = entry.call->frameBytesMax;
  const bool isNetwork = entry.kind == Kind::network || entry.kind == Kind::encrypted;
  return isNetwork && largest != 0 && static_cast<size_t>(entry.end - entry.start) > largest;
}

void Transmitter::whole(const Entry& entry) {
  Call& call = *entry.call;
  const auto length = static_cast<size_t>(entry.end - entry.start);
  uint8_t* start = entry.start;
  if (entry.kind != Kind::acknowledgment) {
    start = prepend(call, start, length, entry.protocol);
  } else {
    GreHeader header;
    acknowledge(call, header);
    start = grePrepend(start, header);
  }
  envelope(call, 1).pieces[0] = {start, static_cast<size_t>(entry.end - start)};
}

/// What is cut is the frame from its protocol field on, which is whole as inside MPPE [RFC 1990 3].
void Transmitter::fragments(const Entry& entry) {
  Call& call = *entry.call;
  const size_t most = call.frameBytesMax - (call.shortSequence ? fragmentHeaderShort : fragmentHeaderSize);
  uint8_t* const frame = pppPrependProtocol(entry.start, entry.protocol, false);
  for (uint8_t* at = frame; at != entry.end;) {
    const size_t size = std::min(most, static_cast<size_t>(entry.end - at));
    Envelope& envelope = this->envelope(call, 2);
    uint8_t* const headEnd = envelope.head + sizeof envelope.head;
    const FragmentHeader header{call.fragmentSequence++, at == frame, at + size == entry.end};
    uint8_t* head = fragmentPrepend(headEnd, header, call.shortSequence);
    head = prepend(call, head, static_cast<size_t>(headEnd - head) + size, pppMultilink);
    envelope.pieces[0] = {head, static_cast<size_t>(headEnd - head)};
    envelope.pieces[1] = {at, size};
    at += size;
  }
}

/// Says what has been received, if that is due.
void Transmitter::acknowledge(Call& call, GreHeader& header) {
  header.callId = call.peerCallId;
  header.hasAcknowledgment = call.window.acknowledgmentDue;
  if (!header.hasAcknowledgment) return;
  header.acknowledgment = windowAcknowledge(call.window);
  call.unacknowledged = 0;
}

/// Writes PPP's prefix and GRE's header in front of an information field of `length` octets, of which at
/// least the first stand at `start`.
uint8_t* Transmitter::prepend(Call& call, uint8_t* start, size_t length, uint16_t protocol) {
  uint8_t* const frame = pppPrepend(start, protocol, call.compression);
  GreHeader header;
  acknowledge(call, header);
  header.payloadLength = static_cast<uint16_t>(length + static_cast<size_t>(start - frame));
  header.hasSequence = true;
  header.sequence = call.send.next++;
  return grePrepend(frame, header);
}

/// The next message to send, addressed; its `pieces` are the caller's to fill.
Transmitter::Envelope& Transmitter::envelope(Call& call, size_t pieces) {
  if (messageCount_ == packetBatch) send();
  Envelope& envelope = envelopes_[messageCount_];
  msghdr& message = messages_[messageCount_++].msg_hdr;
  envelope.call = &call;
  envelope.peer.sin_addr.s_addr = htonl(call.peerAddress);
  in_pktinfo source{};
  source.ipi_spec_dst.s_addr = htonl(call.localAddress);
  memcpy(CMSG_DATA(reinterpret_cast<cmsghdr*>(envelope.source)), &source, sizeof source);
  message.msg_iovlen = pieces;
  message.msg_control = envelope.source;
  message.msg_controllen = call.localAddress != 0 ? sizeof envelope.source : 0;
  return envelope;
}

void Transmitter::send() {
  size_t sent = 0;
  while (sent < messageCount_) {
    const int result = sendmmsg(socket_, messages_ + sent, static_cast<unsigned>(messageCount_ - sent),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (result > 0) {
      sent += static_cast<size_t>(result);
      counters_.transmittedPackets.add(static_cast<uint64_t>(result));
      continue;
    }
    if (errno == EINTR) continue;
    // The first of the rest was refused. A full buffer refuses the others too; anything else (a firewall's
    // EPERM, no route) may be this peer's alone.
    const bool isFull = errno == EAGAIN || errno == ENOBUFS;
    do envelopes_[sent++].call->counters.dropped.add();
    while (isFull && sent < messageCount_);
  }
  messageCount_ = 0;
}

}  // namespace pptp
