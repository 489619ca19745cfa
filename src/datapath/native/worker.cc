#include "worker.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>

#include "clock.h"
#include "invariant.h"

namespace pptp {
namespace {

// What epoll gives back: one of these, or the slot of the call whose TUN or TAP has something.
constexpr uint64_t greReady = 1 << 16;
constexpr uint64_t commandsReady = 1 << 17;

constexpr int eventsPerTurn = 64;

}  // namespace

Worker::Worker(WorkerTerms terms, Descriptor gre, Shared& shared)
    : terms_(terms),
      gre_(std::move(gre)),
      shared_(shared),
      transmitter_(gre_.number(), counters_),
      receiver_(gre_.number(), shared, events_, transmitter_, counters_, terms.mergeUdp),
      host_(epoll_, transmitter_, contract::slotCount / terms.count) {
  calls_.reserve(contract::slotCount / terms.count);
  epoll_.add(gre_.number(), greReady);
  epoll_.add(commands_.wakeDescriptor(), commandsReady);
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::run() {
  pthread_setname_np(pthread_self(), "worker");
  while (!ended_) {
    const bool worked = turn();
    nowUs_ = nowUs();
    if (worked) busyUntilUs_ = nowUs_ + spinUs;
    spinning_ = nowUs_ < busyUntilUs_;
  }
}

/// One round of everything that is ready. True if packets moved.
bool Worker::turn() {
  epoll_event ready[eventsPerTurn];
  const int count = epoll_.wait(ready, eventsPerTurn, spinning_ ? 0 : sleepMs(nowUs_));
  nowUs_ = nowUs();

  bool greHas = false;
  bool commandsHas = false;
  for (int i = 0; i < count; i++) {
    if (ready[i].data.u64 == greReady) greHas = true;
    if (ready[i].data.u64 == commandsReady) commandsHas = true;
  }
  if (commandsHas) {
    commands_.quiet();
    performCommands();
  }
  if (greHas) receiver_.batch(nowUs_);
  for (int i = 0; i < count; i++) {
    if (ready[i].data.u64 >= greReady) continue;
    // Commands of this turn may have closed the call or taken its interface.
    Call* call = shared_.calls.find(static_cast<uint16_t>(ready[i].data.u64));
    if (call != nullptr) host_.serveReady(*call, nowUs_);
  }
  host_.serveDue(nowUs_);
  nextReleaseUs_ = receiver_.release(nowUs_);
  if (nowUs_ / 1000 >= nextLookMs_) lookAtCalls(nowUs_ / 1000);
  receiver_.acknowledge();
  transmitter_.flush();
  events_.ring();
  return count > 0;
}

int Worker::sleepMs(uint64_t nowUs) const {
  if (calls_.empty()) return -1;
  const uint64_t lookUs = nextLookMs_ * 1000;
  uint64_t due = nextReleaseUs_ != 0 ? std::min(lookUs, nextReleaseUs_) : lookUs;
  due = std::min(due, host_.dueUs());
  return due > nowUs ? static_cast<int>((due - nowUs + 999) / 1000) : 0;
}

// --- The watch ---

void Worker::lookAtCalls(uint64_t nowMs) {
  nextLookMs_ = nowMs + watchPeriodMs;
  for (Call* call : calls_) {
    lookAt(*call, nowMs);
    receiver_.acknowledge(*call);
  }
}

/// An event that the ring does not take is said at the next look.
void Worker::lookAt(Call& call, uint64_t nowMs) {
  call.frameCredit = std::min<uint16_t>(frameCreditMax, call.frameCredit + frameCreditPerPeriod);

  const uint64_t receivedAt = call.counters.receivedAtMs.value();
  if (call.probesSinceMs != receivedAt) {
    call.probesSinceMs = receivedAt;
    call.probesSaid = 0;
  }
  const bool isFirst = call.probesSaid == 0;
  const uint64_t wait = isFirst ? call.silentMs : call.probeMs;
  const uint64_t since = isFirst ? receivedAt : call.probeSaidAtMs;
  if (call.silentMs != 0 && wait != 0 && nowMs >= since + wait &&
      events_.push(contract::Silent{call.handle, call.probesSaid + 1}, {}, eventRingReserve)) {
    call.probesSaid++;
    call.probeSaidAtMs = nowMs;
  }

  const uint64_t idle = nowMs - call.counters.networkAtMs.value();
  if (call.idleMs != 0 && !call.idleSaid && idle >= call.idleMs)
    call.idleSaid = events_.push(contract::Idle{call.handle}, {}, eventRingReserve);

  Quotas& quotas = call.limits.quotas;
  if (!quotas.said && quotas.isAnySpent(call.counters))
    quotas.said = events_.push(contract::Quota{call.handle}, {}, eventRingReserve);
}

// --- Commands ---

/// Performs what control wants, as long as every answer has room: what cannot be answered now waits in the
/// ring.
void Worker::performCommands() {
  constexpr size_t answerRoom = 4096;
  for (MessageView message = commands_.front(); message.at != nullptr; message = commands_.front()) {
    if (events_.claim(answerRoom) == nullptr) {
      counters_.ringFull.add();
      return commands_.wakeAgain();
    }
    perform(message);
    commands_.pop(message);
  }
}

void Worker::perform(MessageView message) {
  using namespace contract;
  const uint16_t type = message.type();
  if (type == EndThread::type) {
    ended_ = true;
    return;
  }
  if (type == ReleaseLink::type) return releaseLink(message.as<ReleaseLink>().link);

  // All others begin with the call. Control has checked the handle, but a call that is closing has been
  // forgotten here.
  const uint32_t handle = message.as<CallClose>().call;
  Call* call = shared_.calls.find(slotOf(handle));
  if (call == nullptr || call->handle != handle) return counters_.staleHandles.add();
  switch (type) {
    case CallOpen::type:
      return open(*call);
    case CallPeer::type:
      return peer(*call, message.as<CallPeer>());
    case CallFrame::type:
      return frame(*call, message);
    case CallFraming::type:
      return framing(*call, message.as<CallFraming>());
    case CallKeys::type:
      return keys(*call, message.as<CallKeys>());
    case CallFlush::type: {
      transmitter_.flush();
      if (call->transmitKeyed) mppeFlush(call->sender);
      return;
    }
    case AttachTun::type:
      return attach(*call, message.as<AttachTun>());
    case AttachTap::type:
      return bridge(*call, message.as<AttachTap>());
    case CallWatch::type:
      return watch(*call, message.as<CallWatch>());
    case CallShape::type:
      return shape(*call, message.as<CallShape>());
    case CallQuota::type:
      return quota(*call, message.as<CallQuota>());
    case CallClose::type:
      return close(*call);
  }
  invariant(false, "control passes on only what a worker knows");
}

void Worker::open(Call& call) {
  call.position = static_cast<uint32_t>(calls_.size());
  calls_.push_back(&call);
}

void Worker::peer(Call& call, const contract::CallPeer& command) {
  transmitter_.flush();
  call.peerCallId = command.peerCallId;
  call.peerKnown = true;
  sendWaiting(call);
}

void Worker::frame(Call& call, MessageView message) {
  if (call.peerKnown) {
    const auto command = message.as<contract::CallFrame>();
    if (!transmitter_.frame(call, command.protocol, message.tail<contract::CallFrame>()))
      call.counters.dropped.add();
    return;
  }
  const Octets octets = message.octets();
  if (octets.size() > sizeof call.early - call.earlyOctets) return call.counters.dropped.add();
  memcpy(call.early + call.earlyOctets, octets.data(), octets.size());
  call.earlyOctets += static_cast<uint32_t>(octets.size());
}

void Worker::sendWaiting(Call& call) {
  const uint32_t end = call.earlyOctets;
  call.earlyOctets = 0;
  for (uint32_t at = 0; at < end;) {
    const MessageView message{call.early + at};
    frame(call, message);
    at += message.header().size;
  }
}

void Worker::framing(Call& call, const contract::CallFraming& command) {
  transmitter_.flush();
  call.compression.addressAndControl = (command.flags & contract::framingAddressControl) != 0;
  call.compression.protocol = (command.flags & contract::framingProtocolField) != 0;
  call.peerMru = command.peerMru;
  call.ourMagic = command.ourMagic;
  call.hasMagic = true;
  const bool hasRoom = command.frameBytesMax > fragmentHeaderSize;
  call.frameBytesMax = hasRoom ? command.frameBytesMax : 0;
  call.shortSequence = (command.flags & contract::framingShortSequence) != 0;
  call.fragmentSequence = 0;
  call.reassembly.reset(command.mrru == 0 ? nullptr : new Reassembly(command.mrru + pppProtocolSize));
}

void Worker::keys(Call& call, const contract::CallKeys& command) {
  transmitter_.flush();
  const bool isOn = command.bits == 40 || command.bits == 56 || command.bits == 128;
  const MppeStrength strength = command.bits == 40   ? MppeStrength::bits40
                                : command.bits == 56 ? MppeStrength::bits56
                                                     : MppeStrength::bits128;
  const MppeTerms terms{strength, command.stateless != 0};
  if (command.direction == contract::directionReceive) {
    call.receiveKeyed = isOn;
    call.sayCipherLostAtUs = 0;
    if (isOn) mppeInstall(call.receiver, terms, command.startKey);
  } else {
    call.transmitKeyed = isOn;
    if (isOn) mppeInstall(call.sender, terms, command.startKey);
  }
}

void Worker::attach(Call& call, const AttachTun& command) {
  join(call, call.network, command.tun, command.link, command.flags);
  // mssClamp() takes the IP length that a segment of this MSS fills: 40 octets of IPv4 and TCP headers.
  call.clampMtu = command.mssClamp == 0 ? 0 : static_cast<uint16_t>(std::min(command.mssClamp + 40, 0xFFFF));
}

void Worker::bridge(Call& call, const AttachTap& command) {
  join(call, call.bridging, command.tap, command.link, command.flags);
  call.peerTakes = {.taggedFrames = (command.takes & contract::takesTaggedFrames) != 0,
                    .inlineManagement = (command.takes & contract::takesInlineManagement) != 0,
                    .controlIndicator = (command.takes & contract::takesControlIndicator) != 0};
}

void Worker::join(Call& call, Passage& passage, int descriptor, uint32_t link, uint16_t flags) {
  transmitter_.flush();
  host_.attach(call, passage, descriptor);
  passage.link = link;
  passage.mayReceive = (flags & contract::attachReceive) != 0;
  passage.mayTransmit = (flags & contract::attachTransmit) != 0;
  passage.encryptionRequired = (flags & contract::attachEncryptionRequired) != 0;
}

void Worker::shape(Call& call, const contract::CallShape& command) {
  const Rate rate{command.limit, command.burst, command.threshold, command.burstTimeMs};
  if (command.direction == contract::directionReceive) {
    call.limits.receive.set(rate, nowUs_);
    call.receiveLimited = call.limits.isReceiveLimited();
    return;
  }
  call.limits.transmit.set(rate, nowUs_);
  call.transmitLimited = call.limits.isTransmitLimited();
  host_.limited(call, nowUs_);
}

void Worker::quota(Call& call, const contract::CallQuota& command) {
  const auto end = [](uint64_t octets) { return octets == 0 ? Quotas::none : octets; };
  call.limits.quotas = {end(command.receiveOctets), end(command.transmitOctets), end(command.totalOctets)};
  call.receiveLimited = call.limits.isReceiveLimited();
  call.transmitLimited = call.limits.isTransmitLimited();
}

void Worker::watch(Call& call, const contract::CallWatch& command) {
  call.silentMs = command.silentMs;
  call.probeMs = command.probeMs;
  call.idleMs = command.idleMs;
  call.probesSaid = 0;
  call.idleSaid = false;
}

/// From here on the call's GRE is unknown. The control thread frees the call when it reads `closed`.
void Worker::close(Call& call) {
  receiver_.forget(call);
  transmitter_.flush();
  host_.detach(call, call.network);
  host_.detach(call, call.bridging);
  shared_.calls.forget(contract::slotOf(call.handle));
  Call* last = calls_.back();
  calls_[call.position] = last;
  last->position = call.position;
  calls_.pop_back();

  contract::Closed closed;
  closed.call = call.handle;
  call.counters.describe(closed, nowUs_ / 1000);
  invariant(events_.push(closed), "performCommands() has looked for room");
}

void Worker::releaseLink(uint32_t link) {
  transmitter_.flush();
  for (Call* call : calls_)
    for (Passage* passage : {&call->network, &call->bridging})
      if (passage->link == link) host_.detach(*call, *passage);
  invariant(events_.push(LinkReleased{link}), "performCommands() has looked for room");
}

}  // namespace pptp
