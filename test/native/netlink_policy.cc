// What control may make the engine ask of the kernel. The requests that control does make are those of
// test/vectors/nftables.txt; each one changed a little is refused.
#include "netlink_policy.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <algorithm>

#include "check.h"
#include "nftables_policy.h"

using namespace pptp;
using check::Bytes;
using check::hex;

namespace {

const OurInterfaces ours = {{7}, {"<pptp-ex>"}};

bool allowed(const Bytes& message) { return netlinkAllowed(message, ours); }

struct Request {
  const char* name;
  Bytes octets;
};

// As in test/vectors/nftables.txt.
const Request requests[] = {
    {"make-table", hex("20000000 000a0504 00000000 00000000 02000000 0900010070707470 00000000")},
    {"make-chain", hex("28000000 030a0504 00000000 00000000 02000000 0900010070707470 00000000"
                       "08000300 70707000")},
    {"hooked chain", hex("58000000 030a0504 00000000 00000000 02000000 0900010070707470 00000000"
                         "10000300 7070702d666f727761726400 0b000700 66696c74657200 00 08000500 00000001"
                         "14000480 08000100 00000002 08000200 00000000")},
    {"empty-chain", hex("28000000 080a0500 00000000 00000000 02000000 0900010070707470 00000000"
                        "08000200 70707000")},
    {"incoming rule", hex("84000000 060a050c 00000000 00000000 02000000 0900010070707470 00000000"
                          "08000200 70707000 5c000480 24000180 09000100 6d65746100000000"
                          "14000280 08000200 00000006 08000100 00000001 34000180 0b000100 6c6f6f6b757000 00"
                          "24000280 08000200 00000001 08000300 00000000 0d000100 696e636f6d696e6700 000000")},
    {"forward rule", hex("6c000000 060a050c 00000000 00000000 02000000 0900010070707470 00000000"
                         "10000200 7070702d666f727761726400 3c000480 38000180"
                         "0e000100 696d6d65646961746500 0000 24000280 08000100 00000000 18000280"
                         "14000280 08000100 fffffffd 08000200 70707000")},
    {"make-map", hex("64000000 090a0504 00000000 00000000 02000000 0900010070707470 00000000"
                     "0d000200 696e636f6d696e6700 000000 08000300 00000008 08000400 00000029"
                     "08000500 00000010 08000600 ffffff00 08000a00 00000001 0a000d00 000401000000 0000")},
    {"make-set", hex("50000000 090a0504 00000000 00000000 02000000 0900010070707470 00000000"
                     "0d000200 6c6973742d76697000 000000 08000300 00000000 08000400 00000007"
                     "08000500 00000004 08000a00 00000001")},
    {"list-sets", hex("20000000 0a0a0503 00000000 00000000 02000000 0900010070707470 00000000")},
    {"add-jump", hex("70000000 0c0a0504 00000000 00000000 02000000 0900010070707470 00000000"
                     "0d000200 696e636f6d696e6700 000000 40000380 3c000180 18000180"
                     "14000100 3c707074702d65783e 00000000000000 20000280 1c000280 08000100 fffffffd"
                     "0d000200 64726f702d616c6c00 000000")},
    {"add-address", hex("44000000 0c0a0504 00000000 00000000 02000000 0900010070707470 00000000"
                        "0d000200 6c6973742d76697000 000000 14000380 10000180 0c000180 08000100 0a000002")},
    {"delete-jump", hex("50000000 0e0a0500 00000000 00000000 02000000 0900010070707470 00000000"
                        "0d000200 696e636f6d696e6700 000000 20000380 1c000180 18000180"
                        "14000100 3c707074702d65783e 00000000000000")},
    {"delete-address", hex("44000000 0e0a0500 00000000 00000000 02000000 0900010070707470 00000000"
                           "0d000200 6c6973742d76697000 000000 14000380 10000180 0c000180"
                           "08000100 0a000002")},
    {"empty-set", hex("30000000 0e0a0500 00000000 00000000 02000000 0900010070707470 00000000"
                      "0d000200 6c6973742d76697000 000000")},
};

const Bytes& request(std::string_view name) {
  for (const Request& request : requests)
    if (request.name == name) return request.octets;
  abort();
}

/// `message` with the first `from` in it become `to`, which is as long.
Bytes changed(Bytes message, const Bytes& from, const Bytes& to) {
  const auto at = std::search(message.begin(), message.end(), from.begin(), from.end());
  if (at == message.end() || from.size() != to.size()) abort();
  std::copy(to.begin(), to.end(), at);
  return message;
}

Bytes text(std::string_view text) { return Bytes(text.begin(), text.end()); }

Bytes renamed(std::string_view message, std::string_view from, std::string_view to) {
  return changed(request(message), text(from), text(to));
}

Bytes ofType(std::string_view message, uint8_t type) {
  Bytes other = request(message);
  other[4] = type;
  return other;
}

/// With one more attribute at the end.
Bytes longer(Bytes message, const Bytes& attribute) {
  message.insert(message.end(), attribute.begin(), attribute.end());
  message[0] = static_cast<uint8_t>(message.size());
  return message;
}

}  // namespace

LAW("what filters and address lists need is allowed") {
  for (const Request& request : requests) {
    check::current = request.name;
    CHECK(request.octets[0] == request.octets.size());
    CHECK(isNftables(request.octets));
    CHECK(allowed(request.octets));
  }
}

LAW("another table is not ours, nor is another family") {
  for (const Request& request : requests) {
    check::current = request.name;
    CHECK(!allowed(changed(request.octets, text("pptp"), text("qptp"))));
    CHECK(!allowed(changed(request.octets, hex("0900010070707470 00"), hex("0900010070707470 78"))));
    for (const uint8_t family : {0, 1, 3, 5, 7, 10}) {  // any, inet, arp, netdev, bridge, ip6
      Bytes other = request.octets;
      other[16] = family;
      CHECK(!allowed(other));
    }
  }
}

LAW("a request cut anywhere is refused, and reads nothing beyond its end") {
  for (const Request& request : requests) {
    check::current = request.name;
    for (size_t length = sizeof(nlmsghdr); length < request.octets.size(); length += 4) {
      // Without its list of elements, a deletion is that of all elements.
      const Bytes cut(request.octets.begin(), request.octets.begin() + static_cast<long>(length));
      const bool isWhole = request.octets[4] == NFT_MSG_DELSETELEM && length == 48;
      CHECK(allowed(cut) == isWhole);
    }
  }
}

LAW("nothing is asked about but sets, and nothing deleted but elements and our own rules") {
  const uint8_t known[] = {NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN,   NFT_MSG_NEWRULE,    NFT_MSG_DELRULE,
                           NFT_MSG_NEWSET,   NFT_MSG_NEWSETELEM, NFT_MSG_DELSETELEM, NFT_MSG_GETSET};
  for (int type = 0; type < 256; type++)
    for (const Request& request : requests)
      if (std::find(std::begin(known), std::end(known), type) == std::end(known))
        CHECK(!allowed(ofType(request.name, static_cast<uint8_t>(type))));
}

LAW("rules of the operator's chains stay, and so do those of all chains together") {
  CHECK(!allowed(renamed("empty-chain", "ppp", "own")));
  CHECK(!allowed(ofType("make-table", NFT_MSG_DELRULE)));
  CHECK(!allowed(longer(request("empty-chain"), hex("0c000300 0000000000000009"))));  // one by its handle
}

LAW("our chains are as we make them") {
  CHECK(!allowed(renamed("make-chain", "ppp", "own")));
  CHECK(!allowed(renamed("hooked chain", "ppp-forward", "ppp-forwarx")));
  CHECK(!allowed(renamed("hooked chain", "filter", "router")));
  CHECK(!allowed(changed(request("hooked chain"), hex("08000500 00000001"), hex("08000500 00000000"))));
  CHECK(!allowed(changed(request("hooked chain"), hex("08000100 00000002"), hex("08000100 00000001"))));
  CHECK(!allowed(changed(request("hooked chain"), hex("08000200 00000000"), hex("08000200 ffffffff"))));
  CHECK(!allowed(longer(request("make-chain"), hex("08000500 00000000"))));  // a policy
}

LAW("our rules are as we make them") {
  CHECK(!allowed(renamed("incoming rule", "ppp", "own")));
  CHECK(!allowed(renamed("incoming rule", "incoming", "operator")));
  CHECK(!allowed(renamed("incoming rule", "lookup", "dynset")));
  CHECK(!allowed(changed(request("incoming rule"), hex("08000200 00000006"), hex("08000200 00000003"))));
  CHECK(!allowed(changed(request("incoming rule"), hex("08000100 00000001"), hex("08000300 00000001"))));
  CHECK(!allowed(changed(request("forward rule"), hex("08000200 70707000"), hex("08000200 6f776e00"))));
  CHECK(!allowed(changed(request("forward rule"), hex("08000100 fffffffd"), hex("08000100 00000000"))));
  CHECK(!allowed(longer(request("incoming rule"), hex("0c000600 0000000000000009"))));  // at a position
}

LAW("a set is one of our maps or lists, of the one kind") {
  CHECK(!allowed(renamed("make-set", "list-vip", "operator")));
  CHECK(!allowed(renamed("make-set", "list-vip", "incoming")));
  CHECK(!allowed(renamed("make-map", "incoming", "list-vip")));
  CHECK(!allowed(changed(request("make-set"), hex("08000300 00000000"), hex("08000300 00000010"))));
  CHECK(!allowed(changed(request("make-map"), hex("08000600 ffffff00"), hex("08000600 00000007"))));
  CHECK(!allowed(longer(request("make-set"), hex("0c000b00 0000000000000001"))));  // elements that expire
}

LAW("a filter is of one of our interfaces, and jumps") {
  CHECK(!allowed(renamed("add-jump", "<pptp-ex>", "<pptp-ey>")));
  CHECK(!allowed(renamed("add-jump", "<pptp-ex>", std::string_view("eth0\0\0\0\0\0", 9))));
  CHECK(!allowed(changed(request("add-jump"), hex("fffffffd"), hex("00000000"))));  // drop
  CHECK(!allowed(changed(request("add-jump"), hex("fffffffd"), hex("fffffffc"))));  // goto
  CHECK(!allowed(renamed("add-jump", "incoming", "operator")));
  CHECK(!allowed(renamed("add-jump", "incoming", "list-vip")));
  CHECK(!allowed(renamed("add-address", "list-vip", "incoming")));
  CHECK(!allowed(renamed("add-address", "list-vip", "operator")));
}

LAW("a filter goes whoever its interface was, but only from our sets") {
  CHECK(allowed(renamed("delete-jump", "<pptp-ex>", "<pptp-ey>")));
  CHECK(!allowed(renamed("delete-jump", "incoming", "operator")));
  CHECK(!allowed(renamed("empty-set", "list-vip", "operator")));
}

LAW("an attribute that stands twice is refused: the kernel reads the last, a guard may read the first") {
  for (const Request& request : requests) {
    check::current = request.name;
    CHECK(!allowed(longer(request.octets, hex("0900010070707470 00000000"))));
  }
}

LAW("links, addresses, routes and neighbours are those of our interfaces") {
  const Bytes setLink =
      hex("28000000 10000500 00000000 00000000 00000000 07000000 01000000 01000000 08000400 aa050000");
  const Bytes addAddress =
      hex("28000000 14000506 00000000 00000000 02200000 07000000 08000200 0a000001 08000100 0a000002");
  const Bytes addRoute =
      hex("34000000 1800050c 00000000 00000000 021000 00 fe03fd01 00000000 08000100 0a010000"
          "08000400 07000000 08000600 03000000");
  for (const Bytes& message : {setLink, addAddress, addRoute}) {
    CHECK(!isNftables(message));
    CHECK(allowed(message));
    CHECK(!allowed(changed(message, hex("07000000"), hex("08000000"))));
  }
  CHECK(!allowed(changed(setLink, hex("08000400"), hex("08000300"))));  // a name: filters go by it
}

LAW("a detour is a marked route to one host, beside no other, and leads to a server") {
  const Bytes detour =
      hex("34000000 18000506 00000000 00000000 022000 00 feac0001 04000000 08000100 0a050868"
          "08000400 08000000 08000500 c0a85101");
  CHECK(allowed(detour));
  CHECK(!allowed(changed(detour, hex("022000"), hex("021800"))));      // to a network
  CHECK(!allowed(changed(detour, hex("feac"), hex("fe03"))));          // without our mark
  CHECK(!allowed(changed(detour, hex("feac"), hex("ffac"))));          // in another table
  CHECK(!allowed(changed(detour, hex("18000506"), hex("18000505"))));  // in the place of another
  CHECK(!allowed(changed(detour, hex("18000506"), hex("1800050c"))));  // behind another
  CHECK(!allowed(changed(detour, hex("08000500"), hex("08000900"))));  // by several ways
  CHECK(allowed(changed(detour, hex("18000506"), hex("19000500"))));   // taken away
  CHECK(!allowed(changed(detour, hex("18000506"), hex("1a000500"))));  // asked for

  const auto only = [](uint32_t server) { return [server](uint32_t address) { return address == server; }; };
  CHECK(detoursAllowed(detour, only(0x0a050868)));
  CHECK(!detoursAllowed(detour, only(0x0a050869)));
  Bytes both = changed(detour, hex("feac"), hex("fe03"));
  both.insert(both.end(), detour.begin(), detour.end());
  CHECK(!detoursAllowed(both, only(0x0a050869)));
  CHECK(detoursAllowed(changed(detour, hex("18000506"), hex("19000500")), only(0)));
}

LAW("random octets in a request never make the policy read beyond it") {
  auto random = check::random();
  for (int round = 0; round < 50000; round++) {
    Bytes message = requests[random() % std::size(requests)].octets;
    const size_t changes = 1 + random() % 4;
    for (size_t n = 0; n < changes; n++)
      message[sizeof(nlmsghdr) + random() % (message.size() - sizeof(nlmsghdr))] =
          static_cast<uint8_t>(random());
    message.resize(sizeof(nlmsghdr) + random() % (message.size() - sizeof(nlmsghdr) + 1));
    allowed(Bytes(message));
  }
}
