#include "control.h"

#include <sys/signalfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "clock.h"
#include "netlink_policy.h"

namespace pptp {

using namespace contract;

namespace {

constexpr int eventsPerTurn = 128;
constexpr size_t readSize = 256 << 10;
constexpr int stallMs = 1;  // how soon a full ring is tried again
constexpr int endStepMs = 5;
constexpr uint16_t pptpPort = 1723;

/// Fields that a command must have whole; -1 for a type that is no command.
int fieldsSize(uint16_t type) {
  switch (type) {
#define PPTP_CASE(name, text, number, fields) \
  case name::type:                            \
    return static_cast<int>(name::size);
    PPTP_COMMANDS(PPTP_CASE)
#undef PPTP_CASE
    default:
      return -1;
  }
}

Octets textOctets(const char* text) { return {reinterpret_cast<const uint8_t*>(text), strlen(text)}; }

}  // namespace

Control::Control(Crew& crew, Descriptor door, Descriptor signals)
    : crew_(crew), door_(std::move(door)), signals_(std::move(signals)) {
  poller_.add(door_.number(), Source::door, 0);
  poller_.add(signals_.number(), Source::signals, 0);
  for (uint32_t i = 0; i < crew_.workers.size(); i++)
    poller_.add(crew_.workers[i]->events().wakeDescriptor(), Source::ring, i);
  poller_.add(crew_.housekeeping.events().wakeDescriptor(), Source::ring,
              static_cast<uint32_t>(crew_.workers.size()));
}

void Control::run() {
  epoll_event ready[eventsPerTurn];
  for (;;) {
    const int count = poller_.wait(ready, eventsPerTurn, patienceMs(nowMs()));
    for (int i = 0; i < count; i++) this->ready(ready[i]);
    for (const auto& worker : crew_.workers) drain(worker->events());
    drain(crew_.housekeeping.events());
    performAll();
    crew_.ring();
    sendEvents();
    connections_.resume();
    if (ending_ && hasEnded(nowMs())) return;
  }
}

void Control::ready(const epoll_event& event) {
  const uint32_t index = Poller::index(event);
  switch (Poller::source(event)) {
    case Source::door:
      return welcome();
    case Source::control:
      if (control_ && (event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) receive();
      return;
    case Source::signals: {
      signalfd_siginfo signal;
      if (read(signals_.number(), &signal, sizeof signal) > 0) end();
      return;
    }
    case Source::ring: {
      const bool isWorker = index < crew_.workers.size();
      (isWorker ? crew_.workers[index]->events() : crew_.housekeeping.events()).quiet();
      return;
    }
    case Source::listener:
      return connections_.listenerReady(index);
    case Source::connection:
      return connections_.connectionReady(index, event.events);
    case Source::link:
      return links_.ready(index);
  }
}

/// How long the next wait may be.
int Control::patienceMs(uint64_t nowMs) {
  int patience = connections_.expire(nowMs);
  const auto atMost = [&](int limit) { patience = patience < 0 ? limit : std::min(patience, limit); };
  if (stalled_) atMost(stallMs);
  if (ending_) atMost(endStepMs);
  if (outbox_.unsent() > 0 && greeted_ && !wantsToSend_) atMost(0);
  return patience;
}

// --- Who is there ---

void Control::welcome() {
  Descriptor guest(accept4(door_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!guest) return;
  if (control_ && hasLeft()) dismiss();
  if (control_) return turnAway(std::move(guest));
  control_ = std::move(guest);
  poller_.add(control_.number(), Source::control, 0);
}

void Control::turnAway(Descriptor guest) {
  Outbox refusal;
  refusal.push(Trouble{EBUSY}, textOctets("another control is connected to this engine"));
  refusal.send(guest.number());
}

/// Control may have died without our having come to read it.
bool Control::hasLeft() const {
  uint8_t octet;
  return recv(control_.number(), &octet, sizeof octet, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void Control::dismiss() {
  crew_.shared.controlAttached.store(false, std::memory_order_relaxed);
  if (greeted_) connections_.controlWent();
  control_.reset();
  greeted_ = false;
  stalled_ = false;
  wantsToSend_ = false;
  commands_.clear();
  outbox_.rewind();
}

void Control::greet(const HelloCommand& command) {
  Outbox greeting;
  const uint32_t held = connections_.held() + links_.held() + calls_.held();
  greeting.push(HelloEvent{version, static_cast<uint16_t>(crew_.workers.size()),
                           static_cast<uint32_t>(getpid()), held});
  if (command.version != version) {
    greeting.send(control_.number());
    return dismiss();
  }
  connections_.snapshot(greeting);
  links_.snapshot(greeting);
  calls_.snapshot(greeting);
  greeting.push(SnapshotEnd{});
  greeting.append(outbox_);
  outbox_ = std::move(greeting);
  greeted_ = true;
  connections_.controlCame();
  crew_.shared.controlAttached.store(true, std::memory_order_relaxed);
}

// --- Commands ---

void Control::receive() {
  if (stalled_) return;
  const size_t before = commands_.size();
  commands_.resize(before + readSize);
  const ssize_t length = recv(control_.number(), commands_.data() + before, readSize, MSG_DONTWAIT);
  commands_.resize(before + static_cast<size_t>(std::max<ssize_t>(length, 0)));
  if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) {
    performAll();  // what came before the end was meant
    dismiss();
  }
}

void Control::performAll() {
  if (ending_) return commands_.clear();
  size_t at = 0;
  stalled_ = false;
  while (control_ && commands_.size() - at >= headerSize) {
    const MessageView message{commands_.data() + at};
    const Header header = message.header();
    if (header.size < headerSize || header.size > messageBytesMax)
      return misunderstood("a command has an impossible length");
    if (commands_.size() - at < header.size) break;
    const int fields = fieldsSize(header.type);
    if (fields < 0) return misunderstood("a command is of an unknown type");
    if (header.size < headerSize + static_cast<size_t>(fields))
      return misunderstood("a command is too short");
    if (!perform(message)) {
      stalled_ = bool(control_);
      break;
    }
    at += header.size;
  }
  if (control_) commands_.erase(commands_.begin(), commands_.begin() + static_cast<ptrdiff_t>(at));
}

/// Control has a bug: nothing that it says can be trusted to be what it means.
void Control::misunderstood(const char* what) {
  outbox_.push(Trouble{EPROTO}, textOctets(what));
  outbox_.send(control_.number());
  dismiss();
}

/// False if the command has to wait for room in a ring.
bool Control::perform(MessageView message) {
  constexpr size_t besides = 4096;  // what one command may cause beside itself
  if (!crew_.hasRoom(message.header().size + besides)) return false;
  dispatch(message);
  return true;
}

void Control::dispatch(MessageView message) {
  switch (message.type()) {
    case HelloCommand::type:
      return greet(message.as<HelloCommand>());
    case Listen::type:
      return connections_.listen(message.as<Listen>());
    case Unlisten::type:
      return connections_.unlisten(message.as<Unlisten>().token);
    case Connect::type:
      return connections_.connect(message.as<Connect>(), nowMs());
    case TcpSend::type:
      return connections_.send(message.as<TcpSend>().connection, message.tail<TcpSend>());
    case TcpClose::type: {
      const auto command = message.as<TcpClose>();
      return connections_.close(command.connection, command.abort != 0, nowMs());
    }
    case CallOpen::type:
      return calls_.open(message, nowMs());
    case CallPeer::type:
      return calls_.peer(message);
    case CallFrame::type:
    case CallFraming::type:
    case CallKeys::type:
    case CallFlush::type:
    case CallWatch::type:
    case CallShape::type:
    case CallQuota::type:
      return calls_.pass(message);
    case CallAttach::type:
      return links_.attachCall(message.as<CallAttach>());
    case CallBridge::type:
      return links_.bridgeCall(message.as<CallBridge>());
    case CallMemo::type:
      return calls_.memo(message);
    case CallClose::type:
      return calls_.close(message);
    case LinkOpen::type:
      return links_.open(message);
    case LinkClose::type:
      return links_.close(message.as<LinkClose>().link);
    case LinkWatch::type:
      return links_.watch(message.as<LinkWatch>().link);
    case contract::Netlink::type:
      return netlink(message);
    case CountersGet::type:
      calls_.counters(message.as<CountersGet>().token, nowMs());
      return totals(message.as<CountersGet>().token);
    case Heard::type:
      return heard(message.as<Heard>().length);
    case Stop::type:
      return end();
  }
  invariant(false, "fieldsSize() knows the same commands");
}

/// Housekeeping knows which interfaces are ours; which servers are, is known here.
void Control::netlink(MessageView message) {
  const auto isServer = [this](uint32_t address) { return connections_.isConnectedTo(address, pptpPort); };
  if (detoursAllowed(message.tail<contract::Netlink>(), isServer)) {
    crew_.housekeeping.commands().push(message);
    return;
  }
  constexpr const char* refusal = "a detour is only for a server that is connected";
  outbox_.push(NetlinkDone{message.as<contract::Netlink>().token, EPERM, 0}, textOctets(refusal));
}

void Control::totals(uint32_t token) {
  Totals totals;
  totals.token = token;
  totals.calls = calls_.held();
  totals.connections = connections_.held();
  totals.links = links_.held();
  totals.refusedConnections = connections_.refused();
  totals.staleHandles = calls_.staleHandles() + links_.staleHandles() + connections_.staleHandles();
  totals.droppedFrames = droppedFrames_;
  std::vector<uint8_t> rows;
  for (const auto& worker : crew_.workers) {
    const WorkerCounters& counters = worker->counters();
    totals.receivedPackets += counters.receivedPackets.value();
    totals.transmittedPackets += counters.transmittedPackets.value();
    totals.unknownCalls += counters.unknownCalls.value();
    totals.malformed += counters.malformed.value();
    totals.staleHandles += counters.staleHandles.value();
    totals.droppedFrames += counters.droppedFrames.value();
    totals.ringFull += counters.ringFull.value();
    const WorkerRow row = worker->row();
    const auto* octets = reinterpret_cast<const uint8_t*>(&row);
    rows.insert(rows.end(), octets, octets + WorkerRow::size);
  }
  outbox_.push(totals, rows);
}

// --- Events ---

void Control::drain(Ring& events) {
  constexpr size_t orderRoom = 64;
  for (MessageView message = events.front(); message.at != nullptr; message = events.front()) {
    // Housekeeping will have room soon: it never waits for a worker.
    if (message.type() == LinkReleased::type && crew_.housekeeping.commands().claim(orderRoom) == nullptr) {
      stalled_ = true;
      return;
    }
    event(message);
    events.pop(message);
  }
}

void Control::event(MessageView message) {
  switch (message.type()) {
    case TunOpened::type:
      return links_.opened(message.as<TunOpened>());
    case LinkReleased::type:
      return links_.released(message.as<LinkReleased>().link);
    case LinkClosed::type:
      return links_.closed(message);
    case Closed::type:
      return calls_.closed(message);
    case Frame::type:
      if (outbox_.backlog() < eventBacklogBytes) return outbox_.push(message);
      droppedFrames_++;
      return;
    case Silent::type:
    case NetlinkDone::type:
      // Of no use to a later control: the first comes again, the second was not its question.
      if (greeted_) outbox_.push(message);
      return;
    default:
      return outbox_.push(message);
  }
}

void Control::sendEvents() {
  if (!greeted_) return;
  if (outbox_.send(control_.number()) != 0) return dismiss();
  const bool wants = outbox_.unsent() > 0;
  if (wants == wantsToSend_) return;
  wantsToSend_ = wants;
  poller_.change(control_.number(), Source::control, 0, EPOLLIN | (wants ? EPOLLOUT : 0U));
}

void Control::heard(size_t octets) {
  if (!outbox_.heard(octets, [this](MessageView message) { wasHeard(message); }))
    misunderstood("more was heard than was said");
}

/// Control knows of an end: the slot may be used again.
void Control::wasHeard(MessageView message) {
  switch (message.type()) {
    case TcpClosed::type:
      return connections_.release(message.as<TcpClosed>().connection);
    case Closed::type:
      return calls_.release(message.as<Closed>().call);
    case LinkClosed::type:
      return links_.release(message.as<LinkClosed>().link);
  }
}

// --- The end ---

void Control::end() {
  if (ending_) return;
  ending_ = true;
  endDeadlineMs_ = nowMs() + endPatienceMs;
  connections_.end(nowMs());
}

/// Goes on with the end: calls first, for their final counters; then their interfaces; then all must have
/// been told.
bool Control::hasEnded(uint64_t nowMs) {
  const bool areCallsClosed = calls_.closeSome();
  const bool areLinksClosed = areCallsClosed && links_.closeSome();
  crew_.ring();
  if (nowMs >= endDeadlineMs_) return true;
  const bool isToldAll = !greeted_ || outbox_.unsent() == 0;
  return areLinksClosed && connections_.areEnded() && isToldAll;
}

}  // namespace pptp
