// Routing netlink: one request at a time, each answered by the kernel with an error number and, where it has
// one, a text.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <string>

#include "descriptor.h"
#include "ring.h"

namespace pptp {

struct NetlinkResult {
  int errorNumber = 0;
  std::string text = {};  // the kernel's, if it gave one
};

class NetlinkSocket {
 public:
  /// False and errno on failure.
  bool open();

  /// Sends one whole nlmsghdr message as a request and waits for its acknowledgment.
  NetlinkResult perform(Octets message);

 private:
  NetlinkResult answer();

  Descriptor socket_;
  uint32_t sequence_ = 0;
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
