// The housekeeping thread: the life of TUN and TAP interfaces and control's netlink requests, in the order of
// its command ring.
//
// Closing an interface blocks its caller for 20 ms whatever is done, but many can be closed together in
// little more: closings are gathered while there is other work, and performed when there is none, when enough
// have come, or when a name is wanted again.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "bounds.h"
#include "netlink.h"
#include "netlink_policy.h"
#include "passing.h"
#include "ring.h"
#include "tun.h"

namespace pptp {

class Housekeeping {
 public:
  /// False and errno if there is no routing netlink.
  bool start();
  void join() { thread_.join(); }

  Ring& commands() { return commands_; }
  Ring& events() { return events_; }

 private:
  void run();
  void perform(MessageView message);
  void open(const contract::LinkOpen& command);
  int openPort(const char* name, const char* bridge, TunInterface& made);
  void quietIpv6(uint32_t index, const char* name);
  void netlink(MessageView message);
  NetlinkResult performRequest(Octets request);
  bool closingHas(const char* name) const;
  void closeGathered();

  template <class Message>
  void say(const Message& message, Octets tail = {});

  Ring commands_{housekeepingRingBytes};
  Ring events_{eventRingBytes};
  NetlinkSocket route_;
  NetlinkSocket
      netfilter_;  // opened when it is first needed: a kernel without nftables serves who needs none
  OurInterfaces ours_;
  std::vector<CloseTun> closing_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace pptp
