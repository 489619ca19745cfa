#include "receiver.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bcp.h"
#include "bytes.h"
#include "gre.h"
#include "invariant.h"
#include "mss.h"

namespace pptp {
namespace {

constexpr uint8_t lcpEchoRequest = 9;  // RFC 1661 section 5.8
constexpr uint8_t lcpEchoReply = 10;
constexpr size_t lcpHeader = 4;
constexpr size_t lcpMagicEnd = 8;

constexpr size_t ipv4SourceAt = 12;

/// What comes late had been counted as lost.
void countLate(Counter& late, Counter& lost) {
  late.add();
  if (lost.value() > 0) lost.set(lost.value() - 1);
}

}  // namespace

Receiver::Receiver(int socket, Shared& shared, Ring& events, Transmitter& transmitter,
                   WorkerCounters& counters, bool mergeUdp)
    : socket_(socket),
      shared_(shared),
      events_(events),
      transmitter_(transmitter),
      counters_(counters),
      coalescer_(*this, mergeUdp),
      memory_(new uint8_t[receivePlaces * packetPlaceSize]),
      places_(new Place[receivePlaces]),
      free_(new PacketReference[receivePlaces]),
      reassembled_(new uint8_t[reassembledBytes]) {
  memset(messages_, 0, sizeof messages_);
  for (size_t i = 0; i < packetBatch; i++) {
    messages_[i].msg_hdr.msg_iov = &vectors_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
  }
  for (PacketReference place = 0; place < receivePlaces; place++) free_[freeCount_++] = place;
  waiting_.reserve(contract::slotCount);
}

// --- One batch ---

/// Gives recvmmsg its places. Those that it did not use the last time stand there still.
void Receiver::supply() {
  if (freeCount_ < packetBatch - offeredCount_) {
    while (!waiting_.empty()) releaseWindow(*waiting_.back());
    finish();
  }
  invariant(freeCount_ >= packetBatch - offeredCount_, "every place is offered, waiting or free");
  while (offeredCount_ < packetBatch) {
    const PacketReference place = free_[--freeCount_];
    vectors_[offeredCount_] = {octets(place), packetPlaceSize};
    offered_[offeredCount_++] = place;
  }
}

size_t Receiver::batch(uint64_t nowUs) {
  nowUs_ = nowUs;
  supply();
  const int received = recvmmsg(socket_, messages_, packetBatch, MSG_DONTWAIT, nullptr);
  if (received <= 0) return 0;

  const auto count = static_cast<size_t>(received);
  counters_.receivedPackets.add(count);
  for (size_t i = 0; i < count; i++) arrive(offered_[i], messages_[i].msg_len);
  finish();

  // The unused ones move to the front.
  offeredCount_ -= count;
  for (size_t i = 0; i < offeredCount_; i++) {
    offered_[i] = offered_[i + count];
    vectors_[i] = vectors_[i + count];
  }
  return count;
}

/// Ends a batch: what is decrypted is delivered, what is merged is written, and only then may places be used
/// again.
void Receiver::finish() {
  decrypt();
  coalescer_.flush();
  for (size_t i = 0; i < usedCount_; i++) free_[freeCount_++] = used_[i];
  usedCount_ = reassembledUsed_ = 0;
}

void Receiver::reclaim() {
  if (usedCount_ >= packetBatch) finish();
}

// --- A packet ---

void Receiver::arrive(PacketReference place, size_t length) {
  if (!accept(place, length)) used_[usedCount_++] = place;
  reclaim();
}

/// An outer IPv4 packet as the raw socket gives it: whole, reassembled, header included. False if its place
/// is free again.
bool Receiver::accept(PacketReference place, size_t length) {
  const uint8_t* packet = octets(place);
  const size_t outer = (packet[0] & 0x0F) * size_t{4};
  GreHeader header;
  size_t payloadOffset = 0;
  if (length < outer || greParse(packet + outer, length - outer, header, payloadOffset) != GreResult::ok) {
    counters_.malformed.add();
    return false;
  }
  Call* call = shared_.calls.find(header.callId);
  if (call == nullptr || call->peerAddress != load32(packet + ipv4SourceAt)) {
    counters_.unknownCalls.add();
    return false;
  }
  call->counters.receivedAtMs.set(nowUs_ / 1000);
  if (header.hasAcknowledgment) sendAcknowledged(call->send, header.acknowledgment);
  if (!header.hasSequence || header.payloadLength == 0) return false;
  places_[place] = {call, static_cast<uint16_t>(outer + payloadOffset), header.payloadLength};
  return number(*call, place, header.sequence);
}

/// Puts the packet in order, which may set free others or keep this one. False if it goes nowhere.
bool Receiver::number(Call& call, PacketReference place, uint32_t sequence) {
  ReceiveWindow& window = call.window;
  const bool hadGap = windowWaits(window);
  const uint32_t expected = window.started ? window.next : sequence;
  Deliveries deliveries;
  const Arrival arrival = windowReceive(window, sequence, place, nowUs_, deliveries);
  count(call, arrival, hadGap);
  if (windowWaits(window) && !call.windowListed) {
    call.windowListed = true;
    waiting_.push_back(&call);
  }
  if (++call.unacknowledged == acknowledgmentEvery) acknowledging_[acknowledgingCount_++] = &call;
  deliver(call, deliveries, expected);
  return arrival != Arrival::duplicate && arrival != Arrival::stray;
}

void Receiver::count(Call& call, Arrival arrival, bool hadGap) {
  CallCounters& counters = call.counters;
  switch (arrival) {
    case Arrival::inOrder:
      if (hadGap) counters.reordered.add();
      return;
    case Arrival::early:
      return;
    case Arrival::late:
      return countLate(counters.late, counters.lost);
    case Arrival::duplicate:
      return counters.duplicates.add();
    case Arrival::stray:
      return counters.malformed.add();
  }
}

void Receiver::deliver(Call& call, const Deliveries& deliveries, uint32_t expectedBefore) {
  uint32_t inOrder = 0;
  for (const Delivery& delivery : deliveries.all()) {
    if (!delivery.late) inOrder++;
    used_[usedCount_++] = delivery.packet;
    frame(call, delivery.packet);
    reclaim();
  }
  // Numbers that were passed without a packet. A restart of the peer's numbers is no loss.
  const uint32_t passed = call.window.next - expectedBefore - inOrder;
  if (passed <= windowAhead) call.counters.lost.add(passed);
}

void Receiver::frame(Call& call, PacketReference place) {
  const Place& where = places_[place];
  uint8_t* data = octets(place) + where.offset;
  PppFrame frame;
  if (!pppParse(data, where.length, frame)) return call.counters.malformed.add();
  uint8_t* const payload = data + (frame.payload - data);
  if (frame.protocol == pppMultilink) return fragment(call, payload, frame.length);
  datagram(call, payload, frame);
}

// --- Fragments ---

void Receiver::fragment(Call& call, uint8_t* data, size_t length) {
  FragmentHeader header;
  if (call.reassembly == nullptr || !fragmentParse(data, length, header))
    return call.counters.malformed.add();
  uint8_t* frame = data + fragmentHeaderSize;
  size_t frameLength = length - fragmentHeaderSize;
  const Reassembly::Taken taken = call.reassembly->take(header, {frame, frameLength});
  call.counters.fragmentsLost.add(taken.lost);
  if (taken.isMalformed) call.counters.malformed.add();
  switch (taken.fate) {
    case FragmentFate::late:
      return countLate(call.counters.fragmentsLate, call.counters.fragmentsLost);
    case FragmentFate::kept:
    case FragmentFate::useless:
    case FragmentFate::tooLong:
      return;
    case FragmentFate::complete:
      frameLength = call.reassembly->frame().size();
      frame = keep(call.reassembly->frame());
      break;
    case FragmentFate::whole:
      break;
  }
  PppFrame inner;
  if (!pppParse(frame, frameLength, inner) || inner.protocol == pppMultilink)
    return call.counters.malformed.add();
  datagram(call, frame + (inner.payload - frame), inner);
}

/// Copies a frame to where it may stay until the end of the batch, while the call puts the next one together.
uint8_t* Receiver::keep(Octets frame) {
  if (frame.size() > reassembledBytes - reassembledUsed_) finish();
  uint8_t* const place = &reassembled_[reassembledUsed_];
  memcpy(place, frame.data(), frame.size());
  reassembledUsed_ += frame.size();
  return place;
}

/// A frame that is whole. `payload` is the frame's, to be written to.
void Receiver::datagram(Call& call, uint8_t* payload, const PppFrame& frame) {
  if (frame.protocol == pppCompressed) {
    if (!call.receiveKeyed) return call.counters.undecryptable.add();
    cipherCalls_[cipherCount_] = &call;
    ciphers_[cipherCount_++] = {&call.receiver, payload, frame.length, MppeResult::ok};
    if (cipherCount_ == packetBatch) decrypt();
    return;
  }
  if (!isData(frame.protocol)) return control(call, frame);
  const Passage& passage = frame.protocol == pppIpv4 ? call.network : call.bridging;
  if (call.receiveKeyed || passage.encryptionRequired) return call.counters.unencrypted.add();
  passUp(call, payload, frame);
}

// --- MPPE ---

void Receiver::decrypt() {
  if (cipherCount_ == 0) return;
  mppeDecrypt({ciphers_, cipherCount_});
  const size_t count = cipherCount_;
  cipherCount_ = 0;
  for (size_t i = 0; i < count; i++) decrypted(*cipherCalls_[i], ciphers_[i]);
}

void Receiver::decrypted(Call& call, const MppeCipher& cipher) {
  switch (cipher.result) {
    case MppeResult::ok:
    case MppeResult::lateOk: {
      call.sayCipherLostAtUs = 0;
      PppFrame inner;
      uint8_t* data = cipher.data + mppeHeaderSize;
      if (!pppParseProtocol(data, cipher.length - mppeHeaderSize, inner))
        return call.counters.malformed.add();
      if (!isData(inner.protocol)) return control(call, inner);
      return passUp(call, data + (inner.payload - data), inner);
    }
    case MppeResult::duplicate:
      return call.counters.duplicates.add();
    case MppeResult::lost:
      call.counters.undecryptable.add();
      return cipherLost(call);
    case MppeResult::tooFar:
    case MppeResult::malformed:
    case MppeResult::badProtocol:
      call.counters.undecryptable.add();
      if (mppeOutOfStep(call.receiver)) cipherLost(call);
      return;
  }
}

void Receiver::cipherLost(Call& call) {
  if (nowUs_ < call.sayCipherLostAtUs) return;
  if (events_.push(contract::CipherLost{call.handle})) call.sayCipherLostAtUs = nowUs_ + cipherLostPeriodUs;
}

// --- Where it goes ---

/// To the host. `payload` is the frame's, to be written to.
void Receiver::passUp(Call& call, uint8_t* payload, const PppFrame& frame) {
  if (frame.protocol == pppIpv4) return network(call, payload, frame.length);
  bridged(call, payload, frame.length);
}

void Receiver::network(Call& call, uint8_t* packet, size_t length) {
  if (!call.network.mayReceive || !call.network.isOpen()) return call.counters.dropped.add();
  if (call.receiveLimited && !admit(call, length)) return call.counters.shaped.add();
  call.counters.networkAtMs.set(nowUs_ / 1000);
  call.counters.receivedPackets.add();
  call.counters.receivedOctets.add(length + 2);
  if (call.clampMtu != 0) mssClamp(packet, length, call.clampMtu);
  coalescer_.add(contract::slotOf(call.handle), packet, length);
}

/// Past the coalescer, which would take an address for an IP header.
void Receiver::bridged(Call& call, uint8_t* information, size_t length) {
  if (!call.bridging.mayReceive || !call.bridging.isOpen()) return call.counters.dropped.add();
  std::span<const uint8_t> ethernet;
  if (!bcpParse(information, length, ethernet)) return call.counters.malformed.add();
  if (call.receiveLimited && !admit(call, ethernet.size())) return call.counters.shaped.add();
  call.counters.networkAtMs.set(nowUs_ / 1000);
  call.counters.receivedPackets.add();
  call.counters.receivedOctets.add(length + 2);
  VnetHeader none;
  const iovec pieces[] = {{&none, sizeof none}, {information + bcpHeaderSize, ethernet.size()}};
  if (writev(call.bridging.descriptor, pieces, std::size(pieces)) < 0) call.counters.dropped.add();
}

/// Whether the limits of the call let this packet pass.
bool Receiver::admit(Call& call, size_t length) {
  CallLimits& limits = call.limits;
  if (limits.quotas.isReceiveSpent(call.counters) || !limits.receive.mayPass(nowUs_)) return false;
  limits.receive.spend(length);
  return true;
}

void Receiver::write(const TunWrite& write) {
  Call* call = shared_.calls.find(static_cast<uint16_t>(write.interface));
  invariant(call != nullptr, "a call outlives its packets");
  if (writev(call->network.descriptor, write.pieces, write.pieceCount) < 0)
    call->counters.dropped.add(write.packets);
}

void Receiver::control(Call& call, const PppFrame& frame) {
  call.counters.receivedFrames.add();
  if (answeredEcho(call, frame)) return;
  if (call.frameCredit == 0) {
    counters_.droppedFrames.add();
    return call.counters.dropped.add();
  }
  call.frameCredit--;
  const contract::Frame event{call.handle, frame.protocol, static_cast<uint8_t>(call.anyFrame ? 0 : 1), {}};
  if (events_.push(event, {frame.payload, frame.length}, eventRingReserve)) {
    call.anyFrame = true;
  } else {
    counters_.ringFull.add();
    call.counters.dropped.add();
  }
}

/// While control is away the peer must not think that the line is dead.
bool Receiver::answeredEcho(Call& call, const PppFrame& frame) {
  if (frame.protocol != pppLcp || !call.hasMagic || shared_.controlAttached.load(std::memory_order_relaxed))
    return false;
  if (frame.length < lcpMagicEnd || frame.payload[0] != lcpEchoRequest) return false;
  const size_t claimed = load16(frame.payload + 2);
  if (claimed < lcpMagicEnd || claimed > frame.length) return false;

  uint8_t reply[Transmitter::frameSizeMax];
  const size_t length = std::min({claimed, size_t{call.peerMru}, sizeof reply});
  memcpy(reply, frame.payload, length);
  reply[0] = lcpEchoReply;
  store16(reply + 2, static_cast<uint16_t>(length));
  store32(reply + lcpHeader, call.ourMagic);
  transmitter_.frame(call, pppLcp, {reply, length});
  return true;
}

// --- Windows and acknowledgments ---

void Receiver::releaseWindow(Call& call) {
  if (call.windowListed) {
    call.windowListed = false;
    *std::find(waiting_.begin(), waiting_.end(), &call) = waiting_.back();
    waiting_.pop_back();
  }
  Deliveries deliveries;
  const uint32_t expected = call.window.next;
  windowRelease(call.window, deliveries);
  deliver(call, deliveries, expected);
}

uint64_t Receiver::release(uint64_t nowUs) {
  if (waiting_.empty()) return 0;
  nowUs_ = nowUs;
  uint64_t earliest = 0;
  for (size_t i = 0; i < waiting_.size();) {
    Call& call = *waiting_[i];
    const uint64_t due = call.window.waitingSinceUs + reorderWaitUs;
    if (!windowWaits(call.window) || due <= nowUs) {
      releaseWindow(call);  // moves another one to this position
      continue;
    }
    earliest = earliest == 0 ? due : std::min(earliest, due);
    i++;
  }
  finish();
  return earliest;
}

void Receiver::acknowledge() {
  for (Call* call : std::span(acknowledging_, acknowledgingCount_)) acknowledge(*call);
  acknowledgingCount_ = 0;
}

void Receiver::acknowledge(Call& call) {
  // Nothing bare before our first packet: a peer that is not listening yet would count it as a stray.
  if (call.window.acknowledgmentDue && call.peerKnown && call.send.next != 0)
    transmitter_.acknowledgment(call);
}

void Receiver::forget(Call& call) {
  acknowledge();
  releaseWindow(call);
  finish();
}

}  // namespace pptp
