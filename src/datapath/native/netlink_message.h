// Netlink messages taken apart: lengths are checked before octets are read.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "ring.h"

namespace pptp {

/// The first of `messages`, without the padding after it; empty if it is not whole.
inline Octets netlinkFirst(Octets messages) {
  nlmsghdr header;
  if (messages.size() < sizeof header) return {};
  memcpy(&header, messages.data(), sizeof header);
  const bool isWhole = header.nlmsg_len >= sizeof header && header.nlmsg_len <= messages.size();
  return messages.first(isWhole ? header.nlmsg_len : 0);
}

/// What follows the first, which is whole.
inline Octets netlinkRest(Octets messages) {
  const size_t first = NLMSG_ALIGN(netlinkFirst(messages).size());
  return messages.subspan(std::min(messages.size(), first));
}

/// The family's own header after nlmsghdr; nothing if the message is too short.
template <class Body>
std::optional<Body> bodyOf(Octets message) {
  if (message.size() < NLMSG_LENGTH(sizeof(Body))) return std::nullopt;
  Body body;
  memcpy(&body, message.data() + NLMSG_HDRLEN, sizeof body);
  return body;
}

/// What follows the family's own header.
template <class Body>
Octets attributesOf(Octets message) {
  return message.subspan(std::min<size_t>(message.size(), NLMSG_SPACE(sizeof(Body))));
}

/// Calls `visit(type, value)` for each attribute; false if one is not whole or `visit` said so.
template <class Visit>
bool everyAttribute(Octets attributes, Visit visit) {
  for (Octets rest = attributes; !rest.empty();) {
    rtattr header;
    if (rest.size() < sizeof header) return false;
    memcpy(&header, rest.data(), sizeof header);
    if (header.rta_len < sizeof header || header.rta_len > rest.size()) return false;
    const Octets value = rest.subspan(RTA_LENGTH(0), header.rta_len - RTA_LENGTH(0));
    if (!visit(static_cast<uint16_t>(header.rta_type & NLA_TYPE_MASK), value)) return false;
    rest = rest.subspan(std::min<size_t>(rest.size(), RTA_ALIGN(header.rta_len)));
  }
  return true;
}

}  // namespace pptp
