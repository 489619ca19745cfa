// TCP for control: listeners, connections both ways, and what waits to be sent. Used by the control thread
// alone.
//
// Octets are never lost while a connection lives: when control is slow or away, connections are not read, and
// TCP's own window tells the peer. While control is away, new connections wait in the listener's backlog, and
// PPTP Echo-Requests are answered here. A connection stays in the snapshot until control has been told of its
// end.
#pragma once

#include <netinet/in.h>

#include <memory>
#include <vector>

#include "bounds.h"
#include "contract.h"
#include "descriptor.h"
#include "outbox.h"
#include "poller.h"
#include "pptp_stream.h"

namespace pptp {

class Connections {
 public:
  Connections(Poller& poller, Outbox& outbox);

  void listen(const contract::Listen& command);
  void unlisten(uint32_t token);
  void connect(const contract::Connect& command, uint64_t nowMs);
  void send(uint32_t handle, Octets octets);
  void close(uint32_t handle, bool abort, uint64_t nowMs);

  void listenerReady(uint32_t index);
  void connectionReady(uint32_t slot, uint32_t events);
  /// Performs what is due. Returns milliseconds until it is to be called again; -1: never.
  int expire(uint64_t nowMs);
  /// The outbox has room again.
  void resume();

  void controlCame();
  void controlWent();
  void snapshot(Outbox& into) const;
  /// Control has been told of the end: the slot may be used again.
  void release(uint32_t handle);
  /// No more connections; those that are there are closed.
  void end(uint64_t nowMs);

  /// After end(): whether every connection is closed.
  bool areEnded() const;

  /// Whether there is an open connection to that port of that host.
  bool isConnectedTo(uint32_t address, uint16_t port) const;

  uint32_t held() const { return held_; }
  uint64_t refused() const { return refused_; }
  uint64_t staleHandles() const { return staleHandles_; }

 private:
  enum class State : uint8_t { free, connecting, open, closing, gone };

  struct Connection {
    Descriptor socket;
    uint32_t slot = 0;
    uint16_t generation = 0;
    State state = State::free;
    bool paused = false;
    bool finished = false;  // closing: all is sent and the peer knows
    uint32_t token = 0;     // connecting
    sockaddr_in local{};
    sockaddr_in peer{};
    uint64_t deadlineMs = 0;  // connecting, closing
    size_t keptOctets = 0;    // for the next control
    std::vector<uint8_t> backlog;
    PptpStream stream;

    uint32_t handle() const { return static_cast<uint32_t>(generation) << 16 | slot; }
  };

  struct Listener {
    Descriptor socket;
    uint32_t token = 0;
    sockaddr_in address{};
    bool claimed = false;  // by the present control
  };

  Connection* find(uint32_t handle);
  Connection* take();
  void accept(Listener& listener);
  bool shedOne(int listener);
  void connected(Connection& connection, int errorNumber);
  void read(Connection& connection, bool isBroken);
  void receive(Connection& connection, Octets octets);
  void sendNow(Connection& connection, Octets octets);
  void flush(Connection& connection);
  void finishSending(Connection& connection);
  void setDeadline(Connection& connection, uint64_t deadlineMs);
  void watch(Connection& connection);
  void finish(Connection& connection, int errorNumber);
  void free(Connection& connection);
  bool mayRead(const Connection& connection) const;

  Poller& poller_;
  Outbox& outbox_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<uint32_t> free_;
  std::vector<Listener> listeners_;  // by index; without a socket: unused
  Descriptor spare_;  // given up to accept, and so refuse, a connection when descriptors have run out
  bool controlIsThere_ = false;
  bool anyPaused_ = false;
  static constexpr uint64_t never = ~uint64_t{0};
  uint64_t earliestMs_ = never;  // no deadline is before this
  uint32_t held_ = 0;
  uint64_t refused_ = 0;
  uint64_t staleHandles_ = 0;
};

}  // namespace pptp
