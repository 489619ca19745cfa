#include "transmitter.h"

#include <cerrno>
#include <cstring>

#include "gre.h"

namespace pptp {

Transmitter::Transmitter(int socket, WorkerCounters& counters)
    : socket_(socket), counters_(counters), places_(new uint8_t[packetBatch * packetPlaceSize]) {
  // Everything that does not change from packet to packet is written once.
  memset(envelopes_, 0, sizeof envelopes_);
  memset(messages_, 0, sizeof messages_);
  for (size_t i = 0; i < packetBatch; i++) {
    Envelope& envelope = envelopes_[i];
    envelope.peer.sin_family = AF_INET;
    msghdr& message = messages_[i].msg_hdr;
    message.msg_name = &envelope.peer;
    message.msg_namelen = sizeof envelope.peer;
    message.msg_iov = &envelope.octets;
    message.msg_iovlen = 1;
    auto* control = reinterpret_cast<cmsghdr*>(envelope.source);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  }
}

uint8_t* Transmitter::place() {
  if (count_ == packetBatch) flush();
  return &places_[count_ * packetPlaceSize + packetHeadroom];
}

void Transmitter::append(Call& call, Kind kind, uint16_t protocol, size_t length) {
  uint8_t* start = place();
  entries_[count_++] = {&call, start, start + length, protocol, kind};
}

void Transmitter::packet(Call& call, size_t length) {
  call.counters.transmittedPackets.add();
  call.counters.transmittedOctets.add(length + 2);
  if (!call.transmitKeyed) return append(call, Kind::network, pppIpv4, length);
  append(call, Kind::encrypted, pppCompressed, length);
  anyEncrypted_ = true;
}

bool Transmitter::frame(Call& call, uint16_t protocol, Octets information) {
  if (information.size() > placeSize) return false;
  if (!information.empty()) memcpy(place(), information.data(), information.size());
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
    entry.start = pppPrependProtocol(entry.start, pppIpv4, false);
    plains[count++] = {&entry.call->sender, entry.start, static_cast<size_t>(entry.end - entry.start)};
    entry.start -= mppeHeaderSize;
  }
  mppeEncrypt({plains, count});
  anyEncrypted_ = false;
}

void Transmitter::prepend(Entry& entry) {
  Call& call = *entry.call;
  GreHeader header;
  header.callId = call.peerCallId;
  header.hasAcknowledgment = call.window.acknowledgmentDue;
  if (header.hasAcknowledgment) {
    header.acknowledgment = windowAcknowledge(call.window);
    call.unacknowledged = 0;
  }
  if (entry.kind != Kind::acknowledgment) {
    entry.start = pppPrepend(entry.start, entry.protocol, call.compression);
    header.payloadLength = static_cast<uint16_t>(entry.end - entry.start);
    header.hasSequence = true;
    header.sequence = call.send.next++;
  }
  entry.start = grePrepend(entry.start, header);
}

void Transmitter::address(size_t index) {
  const Entry& entry = entries_[index];
  Envelope& envelope = envelopes_[index];
  envelope.peer.sin_addr.s_addr = htonl(entry.call->peerAddress);
  envelope.octets = {entry.start, static_cast<size_t>(entry.end - entry.start)};
  msghdr& message = messages_[index].msg_hdr;
  in_pktinfo source{};
  source.ipi_spec_dst.s_addr = htonl(entry.call->localAddress);
  memcpy(CMSG_DATA(reinterpret_cast<cmsghdr*>(envelope.source)), &source, sizeof source);
  message.msg_control = envelope.source;
  message.msg_controllen = entry.call->localAddress != 0 ? sizeof envelope.source : 0;
}

void Transmitter::flush() {
  if (count_ == 0) return;
  if (anyEncrypted_) encrypt();
  for (size_t i = 0; i < count_; i++) {
    prepend(entries_[i]);
    address(i);
  }
  send();
  count_ = 0;
}

void Transmitter::send() {
  size_t sent = 0;
  while (sent < count_) {
    const int result = sendmmsg(socket_, messages_ + sent, static_cast<unsigned>(count_ - sent),
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
    do entries_[sent++].call->counters.dropped.add();
    while (isFull && sent < count_);
  }
}

}  // namespace pptp
