// Bridged frames of RFC 3518 section 4.2, by hand and at random.
#include "bcp.h"

#include "check.h"

using namespace pptp;
using check::Bytes;
using check::hex;

namespace {

constexpr BridgeTakes everything{true, true, true};

/// The Ethernet frame in `information`; empty if there is none.
Bytes frameIn(const Bytes& information) {
  std::span<const uint8_t> frame;
  if (!bcpParse(information.data(), information.size(), frame)) return {};
  return {frame.begin(), frame.end()};
}

Bytes framed(const Bytes& frame, BridgeTakes takes) {
  Bytes information(bcpHeaderSize + frame.size(), 0xA5);
  std::copy(frame.begin(), frame.end(), information.begin() + bcpHeaderSize);
  bcpPrepend(information.data() + bcpHeaderSize, takes);
  return information;
}

const Bytes arp = hex("FFFFFFFFFFFF 02005E000001 0806 0001080006040001");
const Bytes tagged = hex("02005E000002 02005E000001 8100 0007 0800 4500");
const Bytes bpdu = hex("0180C2000000 02005E000001 0026 424203 0000");
const Bytes garp = hex("0180C2000021 02005E000001 0026 424203 0000");

}  // namespace

LAW("an Ethernet frame has two octets before it, and the flags and the MAC type read back") {
  CHECK(framed(arp, {}) == hex("0001 FFFFFFFFFFFF 02005E000001 0806 0001080006040001"));
  CHECK(frameIn(framed(arp, {})) == arp);
}

LAW("pads and the check sequence behind a frame are not of it") {
  const Bytes rest = hex("FFFFFFFFFFFF 02005E000001 0806 0001080006040001 01020304 AABBCC");
  const auto with = [&](const char* header) {
    Bytes information = hex(header);
    information.insert(information.end(), rest.begin(), rest.end());
    return frameIn(information);
  };
  CHECK(with("0001") == rest);
  CHECK(with("0301") == Bytes(rest.begin(), rest.end() - 3));
  CHECK(with("8001") == Bytes(rest.begin(), rest.end() - 4));
  CHECK(with("8301") == arp);
  CHECK(with("B301") == arp);  // Z and B change nothing of where it is
}

LAW("what is of another network, or of the format before, is no frame") {
  for (const char* header : {"0000", "0002", "0003", "000B", "000C", "4001"}) {
    Bytes information = hex(header);
    information.insert(information.end(), arp.begin(), arp.end());
    CHECK(frameIn(information).empty());
  }
}

LAW("a frame without a whole Ethernet header is none, at every length") {
  const Bytes shortest(arp.begin(), arp.begin() + ethernetHeaderSize);
  CHECK(frameIn(framed(shortest, {})) == shortest);
  for (size_t length = 0; length < bcpHeaderSize + ethernetHeaderSize; length++) {
    Bytes information = framed(shortest, {});
    information.resize(length);
    CHECK(frameIn(information).empty());
  }
  CHECK(!bcpMayPass(Bytes(ethernetHeaderSize - 1), everything));
}

LAW("the peer gets tags and BPDUs only if it takes them, and marks only if it asks for them") {
  CHECK(bcpMayPass(arp, {}));
  CHECK(!bcpMayPass(tagged, {}) && bcpMayPass(tagged, {.taggedFrames = true}));
  for (const Bytes& control : {bpdu, garp}) {
    CHECK(!bcpMayPass(control, {}) && bcpMayPass(control, {.inlineManagement = true}));
    CHECK(framed(control, {.inlineManagement = true})[0] == 0x00);
    CHECK(framed(control, everything)[0] == 0x10);
  }
  CHECK(framed(arp, everything)[0] == 0x00);
}

LAW("random octets never give a frame outside of them") {
  auto random = check::random();
  for (int round = 0; round < 20000; ++round) {
    Bytes information = check::randomBytes(random, random() % 40);
    if (information.size() > 1 && random() % 4 != 0) information[1] = 1;
    std::span<const uint8_t> frame;
    if (!bcpParse(information.data(), information.size(), frame)) continue;
    CHECK(frame.size() >= ethernetHeaderSize);
    CHECK(frame.data() == information.data() + bcpHeaderSize);
    CHECK(frame.size() <= information.size() - bcpHeaderSize);
  }
}
