#include "host_reader.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "mss.h"
#include "vnet.h"

namespace pptp {

HostReader::HostReader(Epoll& epoll, Transmitter& transmitter, size_t callsMax)
    : epoll_(epoll), transmitter_(transmitter), waiting_(callsMax), packet_(new SuperPacket) {}

void HostReader::serveReady(Call& call, uint64_t nowUs) {
  nowUs_ = nowUs;
  if (call.network.isWatched || call.bridging.isWatched) serve(call);
}

void HostReader::serveDue(uint64_t nowUs) {
  nowUs_ = nowUs;
  while (Call* call = waiting_.takeDue(nowUs)) serve(*call);
}

void HostReader::limited(Call& call, uint64_t nowUs) {
  if (!call.waiting.isOn()) return;
  nowUs_ = nowUs;
  waiting_.remove(call);
  serve(call);
}

void HostReader::serve(Call& call) {
  if (drain(call)) {
    watch(call, call.network);
    watch(call, call.bridging);
    return;
  }
  unwatch(call.network);
  unwatch(call.bridging);
  waiting_.add(call, call.limits.transmit.dueUs());
}

/// Reads what the call's turn allows. False if it has to wait for credit. Who is read first alternates:
/// neither takes all the credit.
bool HostReader::drain(Call& call) {
  if (call.unsent != nullptr && !sendUnsent(call)) return false;
  if (!call.bridging.isOpen()) return drain(call, call.network);
  call.bridgingFirst = !call.bridgingFirst;
  Passage& first = call.bridgingFirst ? call.bridging : call.network;
  Passage& second = call.bridgingFirst ? call.network : call.bridging;
  return drain(call, first) && drain(call, second);
}

bool HostReader::drain(Call& call, Passage& passage) {
  for (int reads = 0; reads < tunReadsPerTurn && passage.isOpen(); reads++) {
    if (call.transmitLimited && !call.limits.transmit.mayPass(nowUs_)) return false;
    const ssize_t length = read(passage.descriptor, packet_->octets, tunReadSize);
    if (length < 0 && errno == EBADFD) detach(call, passage);  // an operator has deleted the interface
    if (length <= static_cast<ssize_t>(sizeof(VnetHeader))) return true;
    if (!open(call, passage, static_cast<size_t>(length))) {
      call.counters.dropped.add();
    } else if (!send(call, *packet_)) {
      keepUnsent(call);
      return false;
    }
  }
  return true;
}

/// The call takes over what has been read; the next packet is read into another place.
void HostReader::keepUnsent(Call& call) {
  call.unsent = std::move(packet_);
  if (spare_.empty()) spare_.emplace_back(new SuperPacket);
  packet_ = std::move(spare_.back());
  spare_.pop_back();
}

/// Prepares what has just been read. False if it is nothing that may be sent.
bool HostReader::open(const Call& call, Passage& passage, size_t length) {
  VnetHeader vnet;
  memcpy(&vnet, packet_->octets, sizeof vnet);
  const std::span<const uint8_t> packet(packet_->octets + sizeof vnet, length - sizeof vnet);
  const bool isAgreed = passage.protocol == pppBridging ? bcpMayPass(packet, call.peerTakes)
                                                        : packet[0] >> 4 == 4;  // no peer has agreed to IPv6
  if (!isAgreed || !passage.mayTransmit || !call.peerKnown) return false;
  packet_->from = &passage;
  return packet_->segmenter.open(vnet, packet.data(), packet.size());
}

/// Cuts off packets and gives them to the transmitter, as long as the call's limits allow. False if the rest
/// has to wait.
bool HostReader::send(Call& call, SuperPacket& packet) {
  CallCounters& counters = call.counters;
  Segmenter& segmenter = packet.segmenter;
  if (!call.transmitKeyed && packet.from->encryptionRequired) {
    counters.unencrypted.add(segmenter.remaining());
    return true;
  }
  while (segmenter.remaining() > 0) {
    if (call.transmitLimited) {
      if (!call.limits.transmit.mayPass(nowUs_)) return false;
      if (call.limits.quotas.isTransmitSpent(counters)) {
        counters.shaped.add(segmenter.remaining());
        return true;
      }
    }
    sendNext(call, packet);
  }
  return true;
}

void HostReader::sendNext(Call& call, SuperPacket& packet) {
  const uint16_t protocol = packet.from->protocol;
  const size_t before = protocol == pppBridging ? bcpHeaderSize : 0;
  const size_t largest = packet.segmenter.largest();
  uint8_t* const information = transmitter_.place(before + largest);
  uint8_t* const place = information + before;
  const size_t size = packet.segmenter.write(place, largest);
  if (protocol == pppBridging) {
    bcpPrepend(place, call.peerTakes);
  } else if (call.clampMtu != 0) {
    mssClamp(place, size, call.clampMtu);
  }
  if (call.transmitLimited) call.limits.transmit.spend(size);
  call.counters.networkAtMs.set(nowUs_ / 1000);
  transmitter_.packet(call, protocol, before + size);
}

bool HostReader::sendUnsent(Call& call) {
  if (!call.unsent->from->mayTransmit) {
    call.counters.dropped.add(call.unsent->segmenter.remaining());
  } else if (!send(call, *call.unsent)) {
    return false;
  }
  spare_.push_back(std::move(call.unsent));
  return true;
}

void HostReader::watch(const Call& call, Passage& passage) {
  if (passage.isWatched || !passage.isOpen()) return;
  passage.isWatched = true;
  epoll_.add(passage.descriptor, contract::slotOf(call.handle));
}

void HostReader::unwatch(Passage& passage) {
  if (!passage.isWatched) return;
  passage.isWatched = false;
  epoll_.remove(passage.descriptor);
}

// --- Whose packets are read ---

void HostReader::attach(Call& call, Passage& passage, int descriptor) {
  if (passage.descriptor == descriptor) return;
  detach(call, passage);
  passage.descriptor = descriptor;
  if (!call.waiting.isOn()) watch(call, passage);
}

void HostReader::detach(Call& call, Passage& passage) {
  if (!passage.isOpen()) return;
  unwatch(passage);
  passage.descriptor = -1;
  passage.link = 0;
  const bool isAnyLeft = call.network.isOpen() || call.bridging.isOpen();
  if (!isAnyLeft && call.waiting.isOn()) waiting_.remove(call);
  if (call.unsent == nullptr || call.unsent->from != &passage) return;
  call.counters.dropped.add(call.unsent->segmenter.remaining());
  spare_.push_back(std::move(call.unsent));
}

}  // namespace pptp
