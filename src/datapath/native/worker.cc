#include "worker.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "clock.h"
#include "invariant.h"
#include "mss.h"
#include "segment.h"

namespace pptp {
namespace {

// What epoll gives back: one of these, or the slot of the call whose TUN has something.
constexpr uint64_t greReady = 1 << 16;
constexpr uint64_t commandsReady = 1 << 17;

constexpr int eventsPerTurn = 64;

void listenTo(int epoll, int descriptor, uint64_t data) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = data;
  invariant(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll takes a descriptor");
}

}  // namespace

Worker::Worker(WorkerTerms terms, Descriptor gre, Shared& shared)
    : terms_(terms),
      gre_(std::move(gre)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      shared_(shared),
      transmitter_(gre_.number(), counters_),
      receiver_(gre_.number(), shared, events_, transmitter_, counters_, terms.mergeUdp),
      tunBuffer_(new uint8_t[tunReadSize]) {
  calls_.reserve(contract::slotCount / terms.count);
  listenTo(epoll_.number(), gre_.number(), greReady);
  listenTo(epoll_.number(), commands_.wakeDescriptor(), commandsReady);
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
  const int count = epoll_wait(epoll_.number(), ready, eventsPerTurn, spinning_ ? 0 : sleepMs(nowUs_));
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
    if (call != nullptr && call->tun >= 0) readTun(*call);
  }
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
  const uint64_t due = nextReleaseUs_ != 0 ? std::min(lookUs, nextReleaseUs_) : lookUs;
  return due > nowUs ? static_cast<int>((due - nowUs + 999) / 1000) : 0;
}

// --- From the TUN ---

void Worker::readTun(Call& call) {
  for (int reads = 0; reads < tunReadsPerTurn; reads++) {
    const ssize_t length = read(call.tun, tunBuffer_.get(), tunReadSize);
    if (length < 0 && errno == EBADFD) return detach(call);  // an operator has deleted the interface
    if (length <= static_cast<ssize_t>(sizeof(VnetHeader))) return;
    segment(call, static_cast<size_t>(length));
  }
}

void Worker::segment(Call& call, size_t length) {
  const uint8_t* packet = tunBuffer_.get() + sizeof(VnetHeader);
  const bool isIpv4 = packet[0] >> 4 == 4;  // no peer has agreed to IPv6
  if (!isIpv4 || !call.mayTransmit || !call.peerKnown) return call.counters.dropped.add();
  if (!call.transmitKeyed && call.encryptionRequired) return call.counters.unencrypted.add();
  call.counters.networkAtMs.set(nowUs_ / 1000);

  VnetHeader vnet;
  memcpy(&vnet, tunBuffer_.get(), sizeof vnet);
  Segmenter segmenter;
  if (!segmenter.open(vnet, packet, length - sizeof vnet)) return call.counters.dropped.add();
  while (segmenter.remaining() > 0) {
    uint8_t* place = transmitter_.place();
    const size_t size = segmenter.write(place, Transmitter::placeSize);
    if (size == 0) return call.counters.dropped.add(segmenter.remaining());
    if (call.clampMtu != 0) mssClamp(place, size, call.clampMtu);
    transmitter_.packet(call, size);
  }
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
    case CallWatch::type:
      return watch(*call, message.as<CallWatch>());
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
  if (octets.size() > sizeof call.waiting - call.waitingOctets) return call.counters.dropped.add();
  memcpy(call.waiting + call.waitingOctets, octets.data(), octets.size());
  call.waitingOctets += static_cast<uint32_t>(octets.size());
}

void Worker::sendWaiting(Call& call) {
  const uint32_t end = call.waitingOctets;
  call.waitingOctets = 0;
  for (uint32_t at = 0; at < end;) {
    const MessageView message{call.waiting + at};
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
  transmitter_.flush();
  if (call.tun != command.tun) {
    detach(call);
    call.tun = command.tun;
    if (call.tun >= 0) listenTo(epoll_.number(), call.tun, contract::slotOf(call.handle));
  }
  call.link = command.link;
  call.mayReceive = (command.flags & contract::attachReceive) != 0;
  call.mayTransmit = (command.flags & contract::attachTransmit) != 0;
  call.encryptionRequired = (command.flags & contract::attachEncryptionRequired) != 0;
  // mssClamp() takes the IP length that a segment of this MSS fills: 40 octets of IPv4 and TCP headers.
  call.clampMtu = command.mssClamp == 0 ? 0 : static_cast<uint16_t>(std::min(command.mssClamp + 40, 0xFFFF));
}

void Worker::detach(Call& call) {
  if (call.tun < 0) return;
  epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, call.tun, nullptr);
  call.tun = -1;
  call.link = 0;
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
  detach(call);
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
    if (call->link == link) detach(*call);
  invariant(events_.push(LinkReleased{link}), "performCommands() has looked for room");
}

}  // namespace pptp
