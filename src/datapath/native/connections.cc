#include "connections.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "clock.h"

namespace pptp {
namespace {

constexpr uint64_t connectTimeoutMs = 10'000;  // if control names none
constexpr size_t readSize = 16 << 10;

sockaddr_in socketAddress(uint32_t address, uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(address);
  result.sin_port = htons(port);
  return result;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }
uint32_t addressOf(const sockaddr_in& address) { return ntohl(address.sin_addr.s_addr); }
uint16_t portOf(const sockaddr_in& address) { return ntohs(address.sin_port); }

sockaddr_in localOf(int socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
  return address;
}

/// Control messages are short and waited for.
void sendAtOnce(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int pendingError(int socket) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

Descriptor spareDescriptor() { return Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Connections::Connections(Poller& poller, Outbox& outbox)
    : poller_(poller), outbox_(outbox), listeners_(listenersMax), spare_(spareDescriptor()) {}

// --- Slots ---

Connections::Connection* Connections::find(uint32_t handle) {
  const uint32_t slot = contract::slotOf(handle);
  if (slot < connections_.size()) {
    Connection& connection = *connections_[slot];
    if (connection.handle() == handle &&
        (connection.state == State::open || connection.state == State::closing))
      return &connection;
  }
  staleHandles_++;
  return nullptr;
}

Connections::Connection* Connections::take() {
  uint32_t slot;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
  } else if (connections_.size() < connectionsMax) {
    slot = static_cast<uint32_t>(connections_.size());
    connections_.push_back(std::make_unique<Connection>());
  } else {
    return nullptr;
  }
  const uint16_t last = connections_[slot]->generation;
  *connections_[slot] = Connection{};
  connections_[slot]->slot = slot;
  connections_[slot]->generation = last == 0xFFFF ? 1 : static_cast<uint16_t>(last + 1);
  held_++;
  return connections_[slot].get();
}

void Connections::free(Connection& connection) {
  connection.socket.reset();
  connection.state = State::free;
  free_.push_back(connection.slot);
  held_--;
}

void Connections::release(uint32_t handle) {
  const uint32_t slot = contract::slotOf(handle);
  if (slot < connections_.size() && connections_[slot]->handle() == handle &&
      connections_[slot]->state == State::gone)
    free(*connections_[slot]);
}

// --- Listening ---

void Connections::listen(const contract::Listen& command) {
  const sockaddr_in address = socketAddress(command.address, command.port);
  const auto answer = [&](int errorNumber, uint16_t port) {
    outbox_.push(contract::Listening{command.token, static_cast<uint32_t>(errorNumber), port, {}});
  };

  // A listener of a control that has gone is taken over with what waits in its backlog.
  for (Listener& listener : listeners_) {
    if (!listener.socket || listener.claimed || command.port == 0 ||
        portOf(listener.address) != command.port || addressOf(listener.address) != command.address)
      continue;
    listener.claimed = true;
    listener.token = command.token;
    poller_.change(listener.socket.number(), Source::listener,
                   static_cast<uint32_t>(&listener - listeners_.data()), EPOLLIN);
    return answer(0, command.port);
  }

  const auto unused =
      std::find_if(listeners_.begin(), listeners_.end(), [](const Listener& l) { return !l.socket; });
  if (unused == listeners_.end()) return answer(ENOSPC, 0);
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return answer(errno, 0);
  const int on = 1;
  setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(socket.number(), generic(address), sizeof address) < 0 ||
      ::listen(socket.number(), command.backlog) < 0)
    return answer(errno, 0);
  *unused = {std::move(socket), command.token, address, true};
  unused->address = localOf(unused->socket.number());
  poller_.add(unused->socket.number(), Source::listener, static_cast<uint32_t>(unused - listeners_.begin()));
  answer(0, portOf(unused->address));
}

void Connections::unlisten(uint32_t token) {
  for (Listener& listener : listeners_)
    if (listener.socket && listener.claimed && listener.token == token) listener = {};
}

void Connections::listenerReady(uint32_t index) {
  if (listeners_[index].socket && listeners_[index].claimed) accept(listeners_[index]);
}

void Connections::accept(Listener& listener) {
  for (int i = 0; i < acceptsPerTurn; i++) {
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    Descriptor socket(accept4(listener.socket.number(), reinterpret_cast<sockaddr*>(&peer), &length,
                              SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket && (errno == EMFILE || errno == ENFILE)) {
      if (shedOne(listener.socket.number())) continue;
      return;
    }
    if (!socket && errno == ECONNABORTED) continue;
    if (!socket) return;
    Connection* connection = take();
    if (connection == nullptr) {
      refused_++;
      continue;
    }
    sendAtOnce(socket.number());
    connection->socket = std::move(socket);
    connection->state = State::open;
    connection->peer = peer;
    connection->local = localOf(connection->socket.number());
    poller_.add(connection->socket.number(), Source::connection, connection->slot);
    outbox_.push(contract::Accepted{listener.token, connection->handle(), addressOf(connection->local),
                                    addressOf(peer), portOf(connection->local), portOf(peer)});
  }
}

/// Descriptors have run out: without this, the listener would be ready for ever and the thread busy for
/// nothing.
bool Connections::shedOne(int listener) {
  if (!spare_) return false;
  spare_.reset();
  Descriptor refused(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  const bool didRefuse = bool(refused);
  if (didRefuse) refused_++;
  refused.reset();
  spare_ = spareDescriptor();
  return didRefuse;
}

// --- Connecting ---

void Connections::connect(const contract::Connect& command, uint64_t nowMs) {
  Connection* connection = take();
  if (connection == nullptr) return outbox_.push(contract::Connected{command.token, ENFILE, 0, 0, 0, {}});
  connection->token = command.token;
  connection->state = State::connecting;
  connection->peer = socketAddress(command.address, command.port);
  setDeadline(*connection, nowMs + (command.timeoutMs != 0 ? command.timeoutMs : connectTimeoutMs));
  connection->socket.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int socket = connection->socket.number();
  if (socket < 0) return connected(*connection, errno);
  sendAtOnce(socket);
  const sockaddr_in local = socketAddress(command.localAddress, 0);
  if (command.localAddress != 0 && bind(socket, generic(local), sizeof local) < 0)
    return connected(*connection, errno);
  const bool isStarted =
      ::connect(socket, generic(connection->peer), sizeof connection->peer) == 0 || errno == EINPROGRESS;
  if (!isStarted) return connected(*connection, errno);
  poller_.add(socket, Source::connection, connection->slot, EPOLLOUT);
}

void Connections::connected(Connection& connection, int errorNumber) {
  if (errorNumber != 0) {
    outbox_.push(contract::Connected{connection.token, static_cast<uint32_t>(errorNumber), 0, 0, 0, {}});
    return free(connection);
  }
  connection.state = State::open;
  connection.deadlineMs = 0;
  connection.local = localOf(connection.socket.number());
  watch(connection);
  outbox_.push(contract::Connected{
      connection.token, 0, connection.handle(), addressOf(connection.local), portOf(connection.local), {}});
}

bool Connections::isConnectedTo(uint32_t address, uint16_t port) const {
  return std::any_of(connections_.begin(), connections_.end(), [&](const auto& connection) {
    return connection->state == State::open && addressOf(connection->peer) == address &&
           portOf(connection->peer) == port;
  });
}

// --- Octets in ---

bool Connections::mayRead(const Connection& connection) const {
  if (connection.state == State::closing) return true;
  return outbox_.backlog() < eventBacklogBytes &&
         (controlIsThere_ || connection.keptOctets < octetsWhileAway);
}

void Connections::connectionReady(uint32_t slot, uint32_t events) {
  Connection& connection = *connections_[slot];
  if (connection.state == State::connecting)
    return connected(connection, pendingError(connection.socket.number()));
  if (connection.state != State::open && connection.state != State::closing) return;
  const bool isBroken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  if ((events & EPOLLIN) != 0 || isBroken) read(connection, isBroken);
  if (connection.socket && (events & EPOLLOUT) != 0) flush(connection);
}

void Connections::read(Connection& connection, bool isBroken) {
  if (!isBroken && !mayRead(connection)) {
    connection.paused = true;
    anyPaused_ = true;
    return watch(connection);
  }
  uint8_t octets[readSize];
  const ssize_t length = recv(connection.socket.number(), octets, sizeof octets, MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length > 0) return receive(connection, {octets, static_cast<size_t>(length)});

  const int errorNumber = length < 0 ? errno : 0;
  if (connection.state == State::closing) return finish(connection, 0);
  const Octets rest = connection.stream.rest();
  if (!rest.empty()) outbox_.push(contract::TcpData{connection.handle()}, rest);
  finish(connection, errorNumber);
}

void Connections::receive(Connection& connection, Octets octets) {
  if (connection.state == State::closing) return;  // nobody wants it any more
  std::vector<uint8_t> forward;
  std::vector<uint8_t> replies;
  connection.stream.take(octets, !controlIsThere_, forward, replies);
  if (!forward.empty()) outbox_.push(contract::TcpData{connection.handle()}, forward);
  if (!controlIsThere_) connection.keptOctets += forward.size();
  if (!replies.empty()) sendNow(connection, replies);
}

void Connections::resume() {
  if (!anyPaused_ || outbox_.backlog() > eventBacklogBytes / 2) return;
  anyPaused_ = false;
  for (const auto& connection : connections_) {
    if (!connection->paused) continue;
    connection->paused = !mayRead(*connection);
    if (!connection->paused) watch(*connection);
    anyPaused_ = anyPaused_ || connection->paused;
  }
}

// --- Octets out ---

void Connections::send(uint32_t handle, Octets octets) {
  Connection* connection = find(handle);
  if (connection != nullptr && connection->state == State::open) sendNow(*connection, octets);
}

void Connections::sendNow(Connection& connection, Octets octets) {
  if (connection.backlog.size() + octets.size() > sendBacklogBytes) return finish(connection, ENOBUFS);
  connection.backlog.insert(connection.backlog.end(), octets.begin(), octets.end());
  flush(connection);
}

/// An error here is left to the reader, who sees it after what the peer has still said.
void Connections::flush(Connection& connection) {
  std::vector<uint8_t>& backlog = connection.backlog;
  const ssize_t taken =
      ::send(connection.socket.number(), backlog.data(), backlog.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  const bool isBroken = taken < 0 && errno != EAGAIN && errno != EINTR;
  if (taken > 0) backlog.erase(backlog.begin(), backlog.begin() + taken);
  if (isBroken) backlog.clear();
  if (connection.state == State::closing && backlog.empty()) finishSending(connection);
  watch(connection);
}

void Connections::watch(Connection& connection) {
  const uint32_t events = (connection.paused ? 0U : EPOLLIN) | (connection.backlog.empty() ? 0U : EPOLLOUT);
  poller_.change(connection.socket.number(), Source::connection, connection.slot, events);
}

// --- Ends ---

void Connections::close(uint32_t handle, bool abort, uint64_t nowMs) {
  Connection* connection = find(handle);
  if (connection == nullptr) return;
  if (abort) {
    const linger reset{1, 0};
    setsockopt(connection->socket.number(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    return finish(*connection, 0);
  }
  if (connection->state == State::closing) return;
  connection->state = State::closing;
  setDeadline(*connection, nowMs + closePatienceMs);
  connection->paused = false;
  if (connection->backlog.empty()) finishSending(*connection);
  watch(*connection);
}

/// All is sent; now the peer closes too, or loses our patience.
void Connections::finishSending(Connection& connection) {
  if (connection.finished) return;
  connection.finished = true;
  shutdown(connection.socket.number(), SHUT_WR);
}

void Connections::finish(Connection& connection, int errorNumber) {
  connection.socket.reset();
  connection.backlog = {};
  connection.deadlineMs = 0;
  connection.state = State::gone;
  outbox_.push(contract::TcpClosed{connection.handle(), static_cast<uint32_t>(errorNumber)});
}

void Connections::setDeadline(Connection& connection, uint64_t deadlineMs) {
  connection.deadlineMs = deadlineMs;
  earliestMs_ = std::min(earliestMs_, deadlineMs);
}

int Connections::expire(uint64_t nowMs) {
  if (nowMs < earliestMs_) return earliestMs_ == never ? -1 : static_cast<int>(earliestMs_ - nowMs);
  earliestMs_ = never;
  for (const auto& held : connections_) {
    Connection& connection = *held;
    if (connection.state != State::connecting && connection.state != State::closing) continue;
    if (connection.deadlineMs > nowMs) {
      earliestMs_ = std::min(earliestMs_, connection.deadlineMs);
    } else if (connection.state == State::connecting) {
      connected(connection, ETIMEDOUT);
    } else {
      finish(connection, 0);
    }
  }
  return earliestMs_ == never ? -1 : static_cast<int>(earliestMs_ - nowMs);
}

void Connections::end(uint64_t nowMs) {
  for (Listener& listener : listeners_) listener = {};
  for (const auto& connection : connections_) {
    if (connection->state == State::connecting) free(*connection);
    if (connection->state == State::open) close(connection->handle(), false, nowMs);
  }
}

bool Connections::areEnded() const {
  return std::all_of(connections_.begin(), connections_.end(), [](const auto& connection) {
    return connection->state == State::free || connection->state == State::gone;
  });
}

// --- Control comes and goes ---

void Connections::controlCame() {
  controlIsThere_ = true;
  for (const auto& connection : connections_) connection->keptOctets = 0;
  resume();
}

void Connections::controlWent() {
  controlIsThere_ = false;
  for (Listener& listener : listeners_) {
    if (!listener.socket) continue;
    listener.claimed = false;
    poller_.change(listener.socket.number(), Source::listener,
                   static_cast<uint32_t>(&listener - listeners_.data()), 0);
  }
  for (const auto& connection : connections_)
    if (connection->state == State::connecting) free(*connection);
}

void Connections::snapshot(Outbox& into) const {
  for (const auto& connection : connections_)
    if (connection->state != State::free)
      into.push(contract::ConnectionHeld{connection->handle(), addressOf(connection->local),
                                         addressOf(connection->peer), portOf(connection->local),
                                         portOf(connection->peer)});
}

}  // namespace pptp
