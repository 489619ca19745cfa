#include "netlink_policy.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstring>
#include <optional>

namespace pptp {
namespace {

/// The family's own header after nlmsghdr; nothing if the message is too short.
template <class Body>
std::optional<Body> bodyOf(Octets message) {
  if (message.size() < NLMSG_LENGTH(sizeof(Body))) return std::nullopt;
  Body body;
  memcpy(&body, message.data() + NLMSG_HDRLEN, sizeof body);
  return body;
}

/// Calls `visit(type, value)` for each attribute; false if one is not whole or `visit` said so.
template <class Body, class Visit>
bool everyAttribute(Octets message, Visit visit) {
  Octets rest = message.subspan(std::min<size_t>(message.size(), NLMSG_SPACE(sizeof(Body))));
  while (!rest.empty()) {
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

bool isOurs(const InterfaceSet& ours, int64_t index) {
  return index > 0 && ours.contains(static_cast<uint32_t>(index));
}

bool linkAllowed(Octets message, const InterfaceSet& ours) {
  const auto body = bodyOf<ifinfomsg>(message);
  if (!body || !isOurs(ours, body->ifi_index)) return false;
  if ((body->ifi_change & ~static_cast<unsigned>(IFF_UP)) != 0) return false;
  if (body->ifi_change == 0 && body->ifi_flags != 0) return false;  // to the kernel: change all flags
  return everyAttribute<ifinfomsg>(message, [](uint16_t type, Octets) {
    return type == IFLA_MTU || type == IFLA_IFNAME || type == IFLA_IFALIAS || type == IFLA_TXQLEN;
  });
}

bool addressAllowed(Octets message, const InterfaceSet& ours) {
  const auto body = bodyOf<ifaddrmsg>(message);
  return body && isOurs(ours, body->ifa_index) &&
         everyAttribute<ifaddrmsg>(message, [](uint16_t, Octets) { return true; });
}

bool routeAllowed(Octets message, uint16_t flags, const InterfaceSet& ours) {
  if (!bodyOf<rtmsg>(message) || (flags & NLM_F_REPLACE) != 0) return false;
  bool isThroughOurs = false;
  const bool isPlain = everyAttribute<rtmsg>(message, [&](uint16_t type, Octets value) {
    if (type == RTA_MULTIPATH || type == RTA_NH_ID || type == RTA_ENCAP) return false;
    if (type != RTA_OIF) return true;
    uint32_t index = 0;
    if (value.size() != sizeof index) return false;
    memcpy(&index, value.data(), sizeof index);
    isThroughOurs = isOurs(ours, index);
    return isThroughOurs;
  });
  return isPlain && isThroughOurs;
}

bool neighbourAllowed(Octets message, const InterfaceSet& ours) {
  const auto body = bodyOf<ndmsg>(message);
  if (!body) return false;
  const bool isProxy = (body->ndm_flags & NTF_PROXY) != 0;
  return (isProxy || isOurs(ours, body->ndm_ifindex)) &&
         everyAttribute<ndmsg>(message, [](uint16_t type, Octets) {
           return type == NDA_DST || type == NDA_LLADDR || type == NDA_PROTOCOL;
         });
}

}  // namespace

size_t netlinkLength(Octets messages) {
  nlmsghdr header;
  if (messages.size() < sizeof header) return 0;
  memcpy(&header, messages.data(), sizeof header);
  return header.nlmsg_len >= sizeof header && header.nlmsg_len <= messages.size() ? header.nlmsg_len : 0;
}

bool netlinkAllowed(Octets message, const InterfaceSet& ours) {
  nlmsghdr header;
  memcpy(&header, message.data(), sizeof header);
  switch (header.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_SETLINK:
      return linkAllowed(message, ours);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return addressAllowed(message, ours);
    case RTM_NEWROUTE:
      return routeAllowed(message, header.nlmsg_flags, ours);
    case RTM_DELROUTE:
      return routeAllowed(message, 0, ours);
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      return neighbourAllowed(message, ours);
    default:
      return false;
  }
}

}  // namespace pptp
