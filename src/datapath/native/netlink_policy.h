// Which netlink requests control may make through the engine: only what touches interfaces that the engine
// has made, and our own part of our own nftables table, so that a subverted control cannot rewire the host.
// Pure: a message and our interfaces enter, yes or no leaves.
//
// | request | allowed if |
// |---|---|
// | RTM_NEWLINK, RTM_SETLINK | ours, named by index; up or down, MTU, alias, queue length; nothing is made |
// | RTM_NEWADDR, RTM_DELADDR | on ours |
// | RTM_NEWROUTE, RTM_DELROUTE | through ours, by one output interface; no route of others is replaced |
// | RTM_NEWNEIGH, RTM_DELNEIGH | on ours; proxy entries (proxy-ARP for a subscriber's address) on any |
// | of nftables | as nftables_policy.h says |
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>

#include "ring.h"

namespace pptp {

/// The interfaces that the engine has made and not removed. They keep their names.
struct OurInterfaces {
  std::unordered_set<uint32_t> indices;
  std::unordered_set<std::string> names;
};

/// `message` is exactly one nlmsghdr message, header included.
bool netlinkAllowed(Octets message, const OurInterfaces& ours);

}  // namespace pptp
