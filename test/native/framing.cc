// Enhanced GRE and PPP prefixes: layouts, tolerance, and what is refused. Every buffer is exactly as long as
// it says, so that the sanitizers see any octet read beyond it.
#include "check.h"
#include "gre.h"
#include "ppp_frame.h"

using namespace pptp;
using check::Bytes;
using check::hex;

namespace {

GreResult parse(const Bytes& packet, GreHeader& header, size_t& offset) {
  return greParse(packet.data(), packet.size(), header, offset);
}

GreResult parse(const Bytes& packet) {
  GreHeader header;
  size_t offset;
  return parse(packet, header, offset);
}

bool pppParses(const Bytes& frame, uint16_t protocol, size_t payloadAt) {
  PppFrame parsed;
  return pppParse(frame.data(), frame.size(), parsed) && parsed.protocol == protocol &&
         parsed.payload == frame.data() + payloadAt && parsed.length == frame.size() - payloadAt;
}

}  // namespace

LAW("a GRE header is read as RFC 2637 draws it") {
  GreHeader header;
  size_t offset = 0;

  CHECK(parse(hex("3081880B 0003 1234 00000007 FFFFFFFE AABBCC"), header, offset) == GreResult::ok);

  CHECK(header.callId == 0x1234 && header.payloadLength == 3 && offset == 16);
  CHECK(header.hasSequence && header.sequence == 7 && header.hasAcknowledgment &&
        header.acknowledgment == 0xFFFFFFFE);
}

LAW("a GRE packet without payload is a pure acknowledgment") {
  GreHeader header;
  size_t offset = 0;

  CHECK(parse(hex("2081880B 0000 0001 00000009"), header, offset) == GreResult::ok);

  CHECK(!header.hasSequence && header.hasAcknowledgment && header.acknowledgment == 9 && offset == 12);
}

LAW("octets after a GRE payload are padding, octets missing from it are not tolerated") {
  CHECK(parse(hex("3001880B 0001 0001 00000000 AA 000000")) == GreResult::ok);
  CHECK(parse(hex("3001880B 0002 0001 00000000 AA")) == GreResult::truncated);
}

LAW("GRE that RFC 2637 forbids is refused by its reason") {
  CHECK(parse(hex("3000880B 0001 0001 00000000 AA")) == GreResult::notEnhanced);    // version 0
  CHECK(parse(hex("30010800 0001 0001 00000000 AA")) == GreResult::notEnhanced);    // IPv4
  CHECK(parse(hex("B001880B 0001 0001 00000000 AA")) == GreResult::forbiddenBits);  // checksum
  CHECK(parse(hex("7001880B 0001 0001 00000000 AA")) == GreResult::forbiddenBits);  // routing
  CHECK(parse(hex("1001880B 0001 0001 00000000 AA")) == GreResult::forbiddenBits);  // no key
  CHECK(parse(hex("3801880B 0001 0001 00000000 AA")) == GreResult::forbiddenBits);  // strict source route
  CHECK(parse(hex("3101880B 0001 0001 00000000 AA")) == GreResult::forbiddenBits);  // recursion
  CHECK(parse(hex("3009880B 0001 0001 00000000 AA")) == GreResult::forbiddenBits);  // reserved flag
  CHECK(parse(hex("2001880B 0001 0001 AA")) == GreResult::withoutSequence);
}

LAW("a GRE packet cut anywhere is refused") {
  const Bytes whole = hex("3081880B 0003 1234 00000007 FFFFFFFE AABBCC");
  for (size_t length = 0; length < whole.size(); ++length) {
    CHECK(parse(Bytes(whole.begin(), whole.begin() + static_cast<long>(length))) == GreResult::truncated);
  }
}

LAW("random octets never make the GRE parser point outside the packet") {
  auto random = check::random();
  for (int round = 0; round < 20000; ++round) {
    Bytes packet = check::randomBytes(random, random() % 24);
    const Bytes start = hex("3081880B00");
    for (size_t n = 0; n < start.size() && n < packet.size(); ++n) {
      if (random() % 8 != 0) packet[n] = start[n];
    }
    GreHeader header;
    size_t offset = 0;
    if (parse(packet, header, offset) == GreResult::ok) CHECK(offset + header.payloadLength <= packet.size());
  }
}

LAW("a built GRE header fills all its octets, touches no other, and reads back") {
  for (const bool hasSequence : {false, true}) {
    for (const bool hasAcknowledgment : {false, true}) {
      for (const uint8_t poison : {0x00, 0xFF, 0xA5}) {
        Bytes buffer(greHeaderMax + 5, poison);
        uint8_t* const payload = buffer.data() + greHeaderMax;
        const GreHeader header = {.callId = 0xBEEF,
                                  .payloadLength = static_cast<uint16_t>(hasSequence ? 5 : 0),
                                  .hasSequence = hasSequence,
                                  .hasAcknowledgment = hasAcknowledgment,
                                  .sequence = 0x01020304,
                                  .acknowledgment = 0xF1F2F3F4};

        const uint8_t* const start = grePrepend(payload, header);

        CHECK(payload - start == 8 + 4 * hasSequence + 4 * hasAcknowledgment);
        for (const uint8_t* at = buffer.data(); at < start; ++at) CHECK(*at == poison);
        for (const uint8_t* at = payload; at < buffer.data() + buffer.size(); ++at) CHECK(*at == poison);
        GreHeader read;
        size_t offset = 0;
        const auto length = static_cast<size_t>(buffer.data() + buffer.size() - start);
        CHECK(greParse(start, length, read, offset) == GreResult::ok);
        CHECK(read.callId == header.callId && read.payloadLength == header.payloadLength);
        CHECK(!hasSequence || read.sequence == header.sequence);
        CHECK(!hasAcknowledgment || read.acknowledgment == header.acknowledgment);
      }
    }
  }
}

LAW("a PPP prefix is read in every form, negotiated or not") {
  CHECK(pppParses(hex("FF03 0021 45"), 0x0021, 4));
  CHECK(pppParses(hex("FF03 21 45"), 0x0021, 3));
  CHECK(pppParses(hex("0021 45"), 0x0021, 2));
  CHECK(pppParses(hex("21 45"), 0x0021, 1));
  CHECK(pppParses(hex("FF03 C021 01"), 0xC021, 4));
  CHECK(pppParses(hex("C021 01"), 0xC021, 2));
  CHECK(pppParses(hex("FD 90 00"), 0x00FD, 1));
}

LAW("a PPP prefix that is cut or ends in an even octet is refused") {
  PppFrame frame;
  for (const Bytes& bytes :
       {hex(""), hex("FF03"), hex("00"), hex("C0"), hex("FF0300"), hex("C022"), hex("0020 45")}) {
    CHECK(!pppParse(bytes.data(), bytes.size(), frame));
  }
}

LAW("a PPP prefix is written as negotiated, LCP's always whole") {
  const struct {
    uint16_t protocol;
    PppCompression compression;
    Bytes prefix;
  } rows[] = {{pppIpv4, {false, false}, hex("FF030021")}, {pppIpv4, {true, false}, hex("0021")},
              {pppIpv4, {false, true}, hex("FF0321")},    {pppIpv4, {true, true}, hex("21")},
              {0x8021, {true, true}, hex("8021")},        {pppLcp, {true, true}, hex("FF03C021")},
              {pppCompressed, {true, true}, hex("FD")},   {0xC223, {false, true}, hex("FF03C223")}};
  for (const auto& row : rows) {
    Bytes buffer(pppPrefixMax, 0xA5);
    const uint8_t* const start = pppPrepend(buffer.data() + buffer.size(), row.protocol, row.compression);
    CHECK(Bytes(start, static_cast<const uint8_t*>(buffer.data() + buffer.size())) == row.prefix);
    for (const uint8_t* at = buffer.data(); at < start; ++at) CHECK(*at == 0xA5);
  }
}
