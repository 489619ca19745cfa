#include "netlink_policy.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <net/if.h>

#include "netlink_message.h"
#include "nftables_policy.h"

namespace pptp {
namespace {

bool isOurs(const OurInterfaces& ours, int64_t index) {
  return index > 0 && ours.indices.contains(static_cast<uint32_t>(index));
}

bool linkAllowed(Octets message, const OurInterfaces& ours) {
  const auto body = bodyOf<ifinfomsg>(message);
  if (!body || !isOurs(ours, body->ifi_index)) return false;
  if ((body->ifi_change & ~static_cast<unsigned>(IFF_UP)) != 0) return false;
  if (body->ifi_change == 0 && body->ifi_flags != 0) return false;  // to the kernel: change all flags
  return everyAttribute(attributesOf<ifinfomsg>(message), [](uint16_t type, Octets) {
    return type == IFLA_MTU || type == IFLA_IFALIAS || type == IFLA_TXQLEN;
  });
}

bool addressAllowed(Octets message, const OurInterfaces& ours) {
  const auto body = bodyOf<ifaddrmsg>(message);
  return body && isOurs(ours, body->ifa_index) &&
         everyAttribute(attributesOf<ifaddrmsg>(message), [](uint16_t, Octets) { return true; });
}

bool routeAllowed(Octets message, uint16_t flags, const OurInterfaces& ours) {
  if (!bodyOf<rtmsg>(message) || (flags & NLM_F_REPLACE) != 0) return false;
  bool isThroughOurs = false;
  const bool isPlain = everyAttribute(attributesOf<rtmsg>(message), [&](uint16_t type, Octets value) {
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

/// One host, and nothing that the kernel would not delete again by our mark.
bool detourAllowed(Octets message, uint16_t flags) {
  const auto body = bodyOf<rtmsg>(message);
  if (!body || (flags & (NLM_F_REPLACE | NLM_F_APPEND)) != 0) return false;
  const bool isToHost = body->rtm_family == AF_INET && body->rtm_dst_len == 32 && body->rtm_src_len == 0 &&
                        body->rtm_tos == 0 && body->rtm_type == RTN_UNICAST &&
                        body->rtm_table == RT_TABLE_MAIN && body->rtm_protocol == detourProtocol;
  return isToHost && everyAttribute(attributesOf<rtmsg>(message), [](uint16_t type, Octets value) {
           const bool isKnown =
               type == RTA_DST || type == RTA_OIF || type == RTA_GATEWAY || type == RTA_PRIORITY;
           return isKnown && value.size() == sizeof(uint32_t);
         });
}

bool neighbourAllowed(Octets message, const OurInterfaces& ours) {
  const auto body = bodyOf<ndmsg>(message);
  if (!body) return false;
  const bool isProxy = (body->ndm_flags & NTF_PROXY) != 0;
  return (isProxy || isOurs(ours, body->ndm_ifindex)) &&
         everyAttribute(attributesOf<ndmsg>(message), [](uint16_t type, Octets) {
           return type == NDA_DST || type == NDA_LLADDR || type == NDA_PROTOCOL;
         });
}

}  // namespace

bool netlinkAllowed(Octets message, const OurInterfaces& ours) {
  if (isNftables(message)) return nftablesAllowed(message, ours);
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
      return routeAllowed(message, header.nlmsg_flags, ours) || detourAllowed(message, header.nlmsg_flags);
    case RTM_DELROUTE:
      return routeAllowed(message, 0, ours) || detourAllowed(message, 0);
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      return neighbourAllowed(message, ours);
    default:
      return false;
  }
}

bool detoursAllowed(Octets messages, const std::function<bool(uint32_t address)>& isServer) {
  for (Octets rest = messages; !netlinkFirst(rest).empty(); rest = netlinkRest(rest)) {
    const Octets message = netlinkFirst(rest);
    nlmsghdr header;
    memcpy(&header, message.data(), sizeof header);
    const auto body = bodyOf<rtmsg>(message);
    if (header.nlmsg_type != RTM_NEWROUTE || !body || body->rtm_protocol != detourProtocol) continue;
    const bool isToServers = everyAttribute(attributesOf<rtmsg>(message), [&](uint16_t type, Octets value) {
      if (type != RTA_DST) return true;
      uint32_t address = 0;
      if (value.size() != sizeof address) return false;
      memcpy(&address, value.data(), sizeof address);
      return isServer(ntohl(address));
    });
    if (!isToServers) return false;
  }
  return true;
}

}  // namespace pptp
