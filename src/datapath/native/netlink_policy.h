// Which netlink requests control may make through the engine: only what touches interfaces that the engine
// has made, so that a subverted control cannot rewire the host. Pure: a message and the set of our interfaces
// enter, yes or no leaves.
//
// | request | allowed if |
// |---|---|
// | RTM_NEWLINK, RTM_SETLINK | ours, named by index; up or down, MTU, name, alias, queue length; nothing is
// created | | RTM_NEWADDR, RTM_DELADDR | on ours | | RTM_NEWROUTE, RTM_DELROUTE | through ours, by one output
// interface; no route of others is replaced | | RTM_NEWNEIGH, RTM_DELNEIGH | on ours; proxy entries
// (proxy-ARP for a subscriber's address) on any |
#pragma once

#include <cstdint>
#include <unordered_set>

#include "ring.h"

namespace pptp {

using InterfaceSet = std::unordered_set<uint32_t>;

/// `message` is exactly one nlmsghdr message, header included.
bool netlinkAllowed(Octets message, const InterfaceSet& ours);

/// Length of the first message in `messages`; 0 if it is not whole.
size_t netlinkLength(Octets messages);

}  // namespace pptp
