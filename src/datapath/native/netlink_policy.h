// Which netlink requests control may make through the engine: only what touches interfaces that the engine
// has made, and our own part of our own nftables table, so that a subverted control cannot rewire the host.
// Pure: a message and our interfaces enter, yes or no leaves.
//
// | request | allowed if |
// |---|---|
// | RTM_NEWLINK, RTM_SETLINK | ours, named by index; up or down, MTU, alias, queue length; nothing is made |
// | RTM_NEWADDR, RTM_DELADDR | on ours |
// | RTM_NEWROUTE, RTM_DELROUTE | through ours, by one output interface; no route of others is replaced |
// | the same | a detour: to one host, by any one interface, with our mark as its protocol, beside no other |
// | RTM_NEWNEIGH, RTM_DELNEIGH | on ours; proxy entries (proxy-ARP for a subscriber's address) on any |
// | of nftables | as nftables_policy.h says |
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>

#include "ring.h"

namespace pptp {

/// The interfaces that the engine has made and not removed. They keep their names.
struct OurInterfaces {
  std::unordered_set<uint32_t> indices;
  std::unordered_set<std::string> names;
};

/// The rtm_protocol of a detour: the way that a server was reached by before a tunnel to it took the default
/// route. The kernel deletes only routes with the mark that is named, so no other route is ours to delete.
inline constexpr uint8_t detourProtocol = 172;

/// `message` is exactly one nlmsghdr message, header included.
bool netlinkAllowed(Octets message, const OurInterfaces& ours);

/// Whether every detour that `messages` would make leads to a server, an IPv4 address as a number.
bool detoursAllowed(Octets messages, const std::function<bool(uint32_t address)>& isServer);

}  // namespace pptp
