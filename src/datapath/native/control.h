// The control thread: the unix socket's server, and the dispatcher between control's commands and those who
// perform them.
//
// Commands are performed in the order in which they came. If a ring has no room the command waits, and with
// it all that follow; none is dropped. One control at a time; while there is none, events wait in the outbox
// and the engine goes on forwarding. The next control gets `hello`, a snapshot, and then what has waited.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "call_registry.h"
#include "connections.h"
#include "crew.h"
#include "link_registry.h"
#include "outbox.h"
#include "poller.h"

namespace pptp {

class Control {
 public:
  /// Takes the listening unix socket and a signalfd of SIGTERM and SIGINT.
  Control(Crew& crew, Descriptor door, Descriptor signals);

  /// Serves until `stop` or a signal, and until all is closed in order.
  void run();

 private:
  void ready(const epoll_event& event);
  int patienceMs(uint64_t nowMs);

  void welcome();
  void turnAway(Descriptor guest);
  void dismiss();
  bool hasLeft() const;
  void greet(const contract::HelloCommand& command);

  void receive();
  void performAll();
  bool perform(MessageView message);
  void dispatch(MessageView message);
  void misunderstood(const char* what);
  void netlink(MessageView message);
  void totals(uint32_t token);

  void drain(Ring& events);
  void event(MessageView message);
  void sendEvents();
  void heard(size_t octets);
  void wasHeard(MessageView message);

  void end();
  bool hasEnded(uint64_t nowMs);

  Crew& crew_;
  Descriptor door_;
  Descriptor signals_;
  Descriptor control_;
  Poller poller_;
  Outbox outbox_;
  Connections connections_{poller_, outbox_};
  CallRegistry calls_{crew_, outbox_};
  LinkRegistry links_{crew_, calls_, poller_, outbox_};

  std::vector<uint8_t> commands_;  // received and not yet performed
  bool stalled_ = false;           // a ring is full
  bool greeted_ = false;
  bool wantsToSend_ = false;
  bool ending_ = false;
  uint64_t endDeadlineMs_ = 0;
  uint64_t droppedFrames_ = 0;
};

}  // namespace pptp
