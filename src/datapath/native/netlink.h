// Netlink sockets: requests go to the kernel, one at a time or as a transaction, and are answered with an
// error number and, where it has one, a text. The kernel has answered when sending returns: nobody waits.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <string>
#include <vector>

#include "descriptor.h"
#include "ring.h"

namespace pptp {

struct NetlinkResult {
  int errorNumber = 0;
  std::string text = {};   // the kernel's words about an error, if it gave any; the answer to a question
  uint32_t performed = 0;  // messages; of a failed transaction those before the one that was refused
};

class NetlinkSocket {
 public:
  /// `protocol` is NETLINK_ROUTE or NETLINK_NETFILTER. False and errno on failure.
  bool open(int protocol);
  explicit operator bool() const { return bool(socket_); }

  /// One whole nlmsghdr message, a request.
  NetlinkResult perform(Octets message);

  /// One whole nlmsghdr message, a question: `text` is the messages that answer it.
  NetlinkResult ask(Octets message);

  /// Whole nlmsghdr messages of nftables, each from where the one before ends, aligned: all take effect, or
  /// none.
  NetlinkResult commit(Octets messages);

 private:
  void begin();
  void add(Octets message, uint16_t flags);
  NetlinkResult exchange(uint32_t last);
  bool read(Octets datagram, uint32_t last, NetlinkResult& result);

  Descriptor socket_;
  std::vector<uint8_t> request_;
  uint32_t first_ = 1;     // number of the first message of the request
  uint32_t sequence_ = 0;  // of the last one
};

/// A request that changes interfaces, made here: header, ifinfomsg, attributes.
class LinkRequest {
 public:
  /// `index` 0 names no interface; an attribute must.
  LinkRequest(uint16_t type, uint32_t index);

  LinkRequest& number(uint16_t attribute, uint32_t value) { return add(attribute, &value, sizeof value); }
  LinkRequest& octet(uint16_t attribute, uint8_t value) { return add(attribute, &value, sizeof value); }

  /// Attributes until end() are within this one; returns what end() needs.
  size_t begin(uint16_t attribute);
  LinkRequest& end(size_t begun);

  Octets octets() const { return {octets_, size_}; }

 private:
  LinkRequest& add(uint16_t attribute, const void* value, size_t length);

  alignas(nlmsghdr) uint8_t octets_[256] = {};
  size_t size_ = 0;
};

}  // namespace pptp
