#include "housekeeping.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bridge.h"
#include "netlink_message.h"
#include "nftables_policy.h"

namespace pptp {
namespace {

constexpr uint8_t addressGenerationNone = 1;        // IN6_ADDR_GEN_MODE_NONE
constexpr uint16_t inet6AddressGenerationMode = 8;  // IFLA_INET6_ADDR_GEN_MODE

/// The link group of interfaces that are being closed. No operator's, and not another engine's on this host.
uint32_t closingGroup() { return 0x50000000U | static_cast<uint32_t>(getpid()); }

constexpr const char* foreignInterface = "the engine changes only interfaces that it has made";
constexpr const char* foreignTable = "the engine changes only what is its own in the nftables table ip pptp";

/// The first request in `messages`: one message, or all of nftables that follow each other, which are a
/// transaction. Empty if a message is not whole.
Octets requestIn(Octets messages) {
  const Octets first = netlinkFirst(messages);
  if (first.empty() || !isNftables(first) || isNftablesQuestion(first)) return first;
  Octets rest = messages;
  while (!rest.empty()) {
    const Octets message = netlinkFirst(rest);
    if (message.empty()) return {};
    if (!isNftables(message) || isNftablesQuestion(message)) break;
    rest = netlinkRest(rest);
  }
  return messages.first(messages.size() - rest.size());
}

}  // namespace

bool Housekeeping::start() {
  if (!route_.open(NETLINK_ROUTE)) return false;
  thread_ = std::thread([this] { run(); });
  return true;
}

void Housekeeping::run() {
  pthread_setname_np(pthread_self(), "housekeeping");
  while (!ended_) {
    pollfd wake{commands_.wakeDescriptor(), POLLIN, 0};
    poll(&wake, 1, -1);
    commands_.quiet();
    for (MessageView message = commands_.front(); message.at != nullptr; message = commands_.front()) {
      perform(message);
      commands_.pop(message);
      events_.ring();
    }
    closeGathered();
    events_.ring();
  }
}

void Housekeeping::perform(MessageView message) {
  switch (message.type()) {
    case contract::LinkOpen::type:
      return open(message.as<contract::LinkOpen>());
    case contract::Netlink::type:
      return netlink(message);
    case CloseTun::type:
      closing_.push_back(message.as<CloseTun>());
      if (closing_.size() >= closingTogether) closeGathered();
      return;
    case EndThread::type:
      ended_ = true;
      return;
  }
  invariant(false, "control passes on only what housekeeping knows");
}

/// The control thread always reads: waiting for room is short.
template <class Message>
void Housekeeping::say(const Message& message, Octets tail) {
  while (!events_.push(message, tail)) {
    events_.ring();
    usleep(1000);
  }
}

// --- Interfaces ---

void Housekeeping::open(const contract::LinkOpen& command) {
  char name[sizeof command.name + 1] = {};
  memcpy(name, command.name, sizeof command.name);
  char bridge[sizeof command.bridge + 1] = {};
  memcpy(bridge, command.bridge, sizeof command.bridge);
  if (closingHas(name)) closeGathered();

  TunInterface made;
  const int errorNumber = bridge[0] == 0 ? tunOpen(name, made) : openPort(name, bridge, made);
  if (errorNumber == 0) {
    ours_.indices.insert(made.index);
    ours_.names.insert(name);
    route_.perform(LinkRequest(RTM_SETLINK, made.index).number(IFLA_TXQLEN, tunQueueLength).octets());
    quietIpv6(made.index, name);
  }
  if (errorNumber != 0) made = {};
  say(TunOpened{command.link, static_cast<uint32_t>(errorNumber), made.index, made.descriptor.release()});
}

/// The bridge is looked at first: what fails because of it leaves no trace on the host.
int Housekeeping::openPort(const char* name, const char* bridge, TunInterface& made) {
  uint32_t master = 0;
  if (const int errorNumber = bridgeFind(bridge, master); errorNumber != 0) return errorNumber;
  if (const int errorNumber = tapOpen(name, made); errorNumber != 0) return errorNumber;
  return route_.perform(LinkRequest(RTM_SETLINK, made.index).number(IFLA_MASTER, master).octets())
      .errorNumber;
}

/// No address of its own making and no solicitations: a subscriber has IPv6 when IPV6CP says so. Each may
/// fail where the kernel has no IPv6 or /proc is not ours to write; then there is little harm.
void Housekeeping::quietIpv6(uint32_t index, const char* name) {
  LinkRequest request(RTM_SETLINK, index);
  const size_t families = request.begin(IFLA_AF_SPEC);
  const size_t inet6 = request.begin(AF_INET6);
  request.octet(inet6AddressGenerationMode, addressGenerationNone).end(inet6).end(families);
  route_.perform(request.octets());

  const std::string path = std::string("/proc/sys/net/ipv6/conf/") + name + "/disable_ipv6";
  const Descriptor setting(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (setting && write(setting.number(), "1", 1) < 0) return;
}

bool Housekeeping::closingHas(const char* name) const {
  for (const CloseTun& tun : closing_)
    if (strncmp(tun.name, name, sizeof tun.name) == 0) return true;
  return false;
}

void Housekeeping::closeGathered() {
  if (closing_.size() > 1) {
    for (const CloseTun& tun : closing_)
      route_.perform(
          LinkRequest(RTM_SETLINK, tun.interfaceIndex).number(IFLA_GROUP, closingGroup()).octets());
    route_.perform(LinkRequest(RTM_DELLINK, 0).number(IFLA_GROUP, closingGroup()).octets());
  }
  for (const CloseTun& tun : closing_) {
    close(tun.tun);  // removes the interface, if the group did not
    ours_.indices.erase(tun.interfaceIndex);
    ours_.names.erase(std::string(tun.name, strnlen(tun.name, sizeof tun.name)));
    say(contract::LinkClosed{tun.link});
  }
  closing_.clear();
}

// --- Netlink ---

void Housekeeping::netlink(MessageView message) {
  const uint32_t token = message.as<contract::Netlink>().token;
  Octets rest = message.tail<contract::Netlink>();
  uint32_t performed = 0;
  NetlinkResult result;
  while (!rest.empty() && result.errorNumber == 0) {
    const Octets request = requestIn(rest);
    result =
        request.empty() ? NetlinkResult{EINVAL, "a netlink message is not whole"} : performRequest(request);
    performed += result.performed;
    rest = rest.subspan(std::min(rest.size(), static_cast<size_t>(NLMSG_ALIGN(request.size()))));
  }
  const auto* text = reinterpret_cast<const uint8_t*>(result.text.data());
  say(contract::NetlinkDone{token, static_cast<uint32_t>(result.errorNumber), performed},
      {text, result.text.size()});
}

/// One request of control's, if all of its messages may be.
NetlinkResult Housekeeping::performRequest(Octets request) {
  uint32_t before = 0;
  for (Octets rest = request; !rest.empty(); rest = netlinkRest(rest), before++) {
    if (netlinkAllowed(netlinkFirst(rest), ours_)) continue;
    return {EPERM, isNftables(request) ? foreignTable : foreignInterface, before};
  }
  if (!isNftables(request)) return route_.perform(request);
  if (!netfilter_ && !netfilter_.open(NETLINK_NETFILTER)) return {errno};
  return isNftablesQuestion(request) ? netfilter_.ask(request) : netfilter_.commit(request);
}

}  // namespace pptp
