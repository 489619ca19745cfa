// Checksums, segmentation, coalescing and the MSS clamp: each against a slow version of itself, and the two
// directions against each other.
#include <map>

#include "bytes.h"
#include "check.h"
#include "checksum.h"
#include "coalesce.h"
#include "mss.h"
#include "segment.h"

using namespace pptp;
using check::Bytes;
using check::hex;

namespace {

uint16_t naiveSum(const uint8_t* data, size_t length) {
  uint64_t sum = 0;
  for (size_t at = 0; at < length; ++at) sum += at % 2 == 0 ? data[at] << 8 : data[at];
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

/// The checksum of TCP or UDP from its definition: over a pseudo header written out.
bool naiveValid(const Bytes& packet, size_t ipLength) {
  const bool isV4 = packet[0] >> 4 == 4;
  Bytes all(packet.begin() + (isV4 ? 12 : 8), packet.begin() + (isV4 ? 20 : 40));
  const size_t length = packet.size() - ipLength;
  all.insert(all.end(), {0, isV4 ? packet[9] : packet[6], static_cast<uint8_t>(length >> 8),
                         static_cast<uint8_t>(length)});
  all.insert(all.end(), packet.begin() + static_cast<long>(ipLength), packet.end());
  return naiveSum(all.data(), all.size()) == 0xFFFF;
}

struct Shape {
  bool isV4 = true;
  bool isTcp = true;
  uint32_t sequence = 1000;
  uint8_t flags = tcpAck;
  uint16_t id = 1;
  uint16_t sourcePort = 4000;
  Bytes options = {};
};

/// A right packet of the shape; the payload may be up to a super-packet's.
Bytes packetOf(const Shape& shape, const Bytes& payload) {
  const size_t ipLength = shape.isV4 ? 20 : 40;
  const size_t transport = shape.isTcp ? 20 + shape.options.size() : 8;
  Bytes packet(ipLength + transport);
  const auto length = static_cast<uint16_t>(packet.size() + payload.size());
  if (shape.isV4) {
    packet[0] = 0x45;
    store16(&packet[2], length);
    store16(&packet[4], shape.id);
    packet[6] = 0x40;
    packet[8] = 64;
    packet[9] = shape.isTcp ? ipTcp : ipUdp;
    store32(&packet[12], 0x0A000001);
    store32(&packet[16], 0x0A000002);
    ipv4ChecksumStore(packet.data(), 20);
  } else {
    packet[0] = 0x60;
    store16(&packet[4], static_cast<uint16_t>(length - 40));
    packet[6] = shape.isTcp ? ipTcp : ipUdp;
    packet[7] = 64;
    packet[23] = 1;
    packet[39] = 2;
  }
  uint8_t* const at = &packet[ipLength];
  store16(at, shape.sourcePort);
  store16(at + 2, 80);
  if (shape.isTcp) {
    store32(at + 4, shape.sequence);
    store32(at + 8, 77);
    at[12] = static_cast<uint8_t>(transport / 4 << 4);
    at[13] = shape.flags;
    store16(at + 14, 512);
    std::copy(shape.options.begin(), shape.options.end(), at + 20);
  } else {
    store16(at + 4, static_cast<uint16_t>(transport + payload.size()));
  }
  packet.insert(packet.end(), payload.begin(), payload.end());
  IpHeader ip;
  CHECK(ipParse(packet.data(), packet.size(), ip));
  const uint16_t pseudo = checksumPseudo(packet.data(), ip, ip.length - ip.headerLength);
  const size_t checksumAt = shape.isTcp ? tcpChecksumAt : udpChecksumAt;
  memcpy(&packet[ipLength + checksumAt], &pseudo, 2);
  CHECK(checksumComplete(packet.data(), packet.size(), ipLength, checksumAt));
  return packet;
}

VnetHeader superOf(const Shape& shape, size_t headers, uint16_t size) {
  const uint8_t type = !shape.isTcp ? vnetGsoUdp : shape.isV4 ? vnetGsoTcp4 : vnetGsoTcp6;
  const uint16_t ipLength = shape.isV4 ? 20 : 40;
  return {vnetNeedsChecksum,
          type,
          static_cast<uint16_t>(headers),
          size,
          ipLength,
          static_cast<uint16_t>(shape.isTcp ? tcpChecksumAt : udpChecksumAt)};
}

std::vector<Bytes> segmentsOf(const VnetHeader& vnet, const Bytes& packet) {
  Segmenter segmenter;
  std::vector<Bytes> all;
  CHECK(segmenter.open(vnet, packet.data(), packet.size()));
  while (segmenter.remaining() > 0) {
    const size_t size = segmenter.largest();
    Bytes out(size, 0xA5);
    CHECK(segmenter.write(out.data(), size - 1) == 0);
    CHECK(segmenter.write(out.data(), size) == size);
    all.push_back(out);
  }
  CHECK(segmenter.write(nullptr, 0) == 0);
  return all;
}

/// A TUN that keeps what was written.
struct Tun final : TunSink {
  struct Written {
    uint32_t interface;
    VnetHeader vnet;
    Bytes packet;
    size_t packets;
  };
  std::vector<Written> all;
  void write(const TunWrite& write) override {
    Written written = {write.interface, {}, {}, write.packets};
    CHECK(write.pieces[0].iov_len == sizeof(VnetHeader));
    memcpy(&written.vnet, write.pieces[0].iov_base, sizeof(VnetHeader));
    for (int n = 1; n < write.pieceCount; ++n) {
      const auto* const from = static_cast<const uint8_t*>(write.pieces[n].iov_base);
      written.packet.insert(written.packet.end(), from, from + write.pieces[n].iov_len);
    }
    CHECK(written.packet.size() == write.octets);
    all.push_back(written);
  }
};

std::vector<Tun::Written> coalesced(std::vector<Bytes> packets, bool mergeUdp = true) {
  Tun tun;
  Coalescer coalescer(tun, mergeUdp);
  for (Bytes& packet : packets) coalescer.add(1, packet.data(), packet.size());
  coalescer.flush();
  return tun.all;
}

}  // namespace

LAW("the fast sum equals the slow one at every length and alignment") {
  auto random = check::random();
  const Bytes data = check::randomBytes(random, 2100);
  for (size_t from = 0; from < 33; ++from) {
    for (size_t length = 0; length + from <= 300; ++length) {
      const uint16_t sum = checksumSum(&data[from], length), naive = naiveSum(&data[from], length);
      uint8_t octets[2];
      memcpy(octets, &sum, 2);
      CHECK(load16(octets) == naive);
    }
  }
  const Bytes ones(65535, 0xFF);
  CHECK(checksumSum(ones.data(), 65534) == 0xFFFF);
}

LAW("an incremental change gives the checksum that a whole computation gives") {
  auto random = check::random();
  for (int round = 0; round < 5000; ++round) {
    Bytes header = check::randomBytes(random, 20);
    ipv4ChecksumStore(header.data(), header.size());
    const size_t field = 2 * (random() % 5);
    const uint16_t before = load16(&header[field]), after = static_cast<uint16_t>(random());
    store16(&header[field], after);
    checksumChange16(&header[ipv4ChecksumAt], before, after);
    CHECK(ipv4ChecksumValid(header.data(), header.size()));
  }
}

LAW("a transport checksum is valid exactly if its definition says so") {
  auto random = check::random();
  for (int round = 0; round < 2000; ++round) {
    const Shape shape = {.isV4 = random() % 2 == 0, .isTcp = random() % 2 == 0};
    Bytes packet = packetOf(shape, check::randomBytes(random, random() % 200));
    IpHeader ip;
    CHECK(ipParse(packet.data(), packet.size(), ip) && transportChecksumValid(packet.data(), ip));
    CHECK(naiveValid(packet, ip.headerLength));
    packet[ip.headerLength + random() % 4] ^= static_cast<uint8_t>(1u << random() % 8);
    CHECK(!transportChecksumValid(packet.data(), ip));
  }
}

LAW("a partial checksum is completed, and refused where it lies outside the packet") {
  Bytes packet(30, 0x11);
  CHECK(checksumComplete(packet.data(), packet.size(), 20, 8));
  CHECK(!checksumComplete(packet.data(), packet.size(), 20, 9));
  CHECK(!checksumComplete(packet.data(), packet.size(), 31, 0));
}

LAW("a super-packet becomes right packets that carry its octets") {
  auto random = check::random();
  for (int round = 0; round < 400; ++round) {
    Shape shape = {.isV4 = random() % 2 == 0, .isTcp = random() % 3 != 0, .sequence = 0xFFFFF000};
    shape.flags = tcpAck | tcpPsh | tcpFin | tcpCwr | tcpEce;
    if (random() % 2 == 0) shape.options = hex("0101080A0000000100000002");
    const auto size = static_cast<uint16_t>(1 + random() % 1400);
    const Bytes payload = check::randomBytes(random, 1 + random() % (size * 20u));
    const Bytes super = packetOf(shape, payload);
    const size_t headers = super.size() - payload.size(), ipLength = shape.isV4 ? 20 : 40;

    const std::vector<Bytes> segments = segmentsOf(superOf(shape, headers, size), super);

    CHECK(segments.size() == (payload.size() + size - 1) / size);
    Bytes carried;
    for (size_t n = 0; n < segments.size(); ++n) {
      const Bytes& segment = segments[n];
      IpHeader ip;
      CHECK(ipParse(segment.data(), segment.size(), ip) && ip.length == segment.size());
      CHECK(naiveValid(segment, ipLength));
      if (shape.isV4) CHECK(naiveSum(segment.data(), 20) == 0xFFFF && load16(&segment[4]) == shape.id + n);
      if (shape.isTcp) {
        const bool isLast = n + 1 == segments.size();
        const uint8_t flags = segment[ipLength + tcpFlagsAt];
        CHECK(load32(&segment[ipLength + tcpSequenceAt]) ==
              shape.sequence + static_cast<uint32_t>(carried.size()));
        CHECK(flags == (tcpAck | tcpEce | (n == 0 ? tcpCwr : 0) | (isLast ? tcpPsh | tcpFin : 0)));
      } else {
        CHECK(load16(&segment[ipLength + udpLengthAt]) == segment.size() - ipLength);
      }
      carried.insert(carried.end(), segment.begin() + static_cast<long>(headers), segment.end());
    }
    CHECK(carried == payload);
  }
}

LAW("a packet that is no super-packet is copied, and its partial checksum completed") {
  const Shape shape;
  const Bytes right = packetOf(shape, hex("010203"));
  CHECK(segmentsOf({}, right) == std::vector<Bytes>({right}));

  Bytes partial = right;
  IpHeader ip;
  CHECK(ipParse(partial.data(), partial.size(), ip));
  const uint16_t pseudo = checksumPseudo(partial.data(), ip, ip.length - ip.headerLength);
  memcpy(&partial[20 + tcpChecksumAt], &pseudo, 2);
  CHECK(segmentsOf({.flags = vnetNeedsChecksum, .checksumStart = 20, .checksumOffset = 16}, partial) ==
        std::vector<Bytes>({right}));
}

LAW("a super-packet whose headers are cut, lie, or do not fit its type is refused") {
  for (const bool isV4 : {true, false}) {
    for (const bool isTcp : {true, false}) {
      const Shape shape = {.isV4 = isV4, .isTcp = isTcp};
      const Bytes super = packetOf(shape, Bytes(3000, 1));
      const VnetHeader vnet = superOf(shape, super.size() - 3000, 1000);
      Segmenter segmenter;
      for (size_t length = 0; length < super.size(); ++length) {
        const Bytes cut(super.begin(), super.begin() + static_cast<long>(length));
        CHECK(!segmenter.open(vnet, cut.data(), cut.size()));
        CHECK(segmenter.remaining() == 0 && segmenter.largest() == 0);
      }
      VnetHeader other = vnet;
      other.gsoSize = 0;
      CHECK(!segmenter.open(other, super.data(), super.size()));
      for (const uint8_t type : {vnetGsoTcp4, vnetGsoTcp6, vnetGsoUdp, uint8_t{3}, uint8_t{99}}) {
        other = vnet;
        other.gsoType = type;
        CHECK(segmenter.open(other, super.data(), super.size()) == (type == vnet.gsoType));
      }
    }
  }
}

LAW("what was segmented coalesces to the same super-packet, and that segments to the same packets") {
  auto random = check::random();
  for (int round = 0; round < 300; ++round) {
    Shape shape = {.isV4 = random() % 2 == 0, .isTcp = random() % 3 != 0};
    shape.flags = tcpAck | (random() % 2 == 0 ? tcpPsh : 0) | (random() % 2 == 0 ? tcpFin : 0);
    const auto size = static_cast<uint16_t>(100 + random() % 1300);
    const Bytes payload = check::randomBytes(random, size + 1 + random() % (size * 20u));
    const Bytes super = packetOf(shape, payload);
    const VnetHeader vnet = superOf(shape, super.size() - payload.size(), size);
    const std::vector<Bytes> segments = segmentsOf(vnet, super);

    const std::vector<Tun::Written> written = coalesced(segments);

    CHECK(written.size() == 1 && written[0].packets == segments.size());
    CHECK(memcmp(&written[0].vnet, &vnet, sizeof vnet) == 0);
    CHECK(segmentsOf(written[0].vnet, written[0].packet) == segments);
  }
}

LAW("only what the kernel could have sent as one is merged") {
  const Bytes payload(100, 7);
  const auto both = [&](const Shape& a, const Shape& b) {
    return coalesced({packetOf(a, payload), packetOf(b, payload)}).size();
  };
  const Shape first = {.options = hex("0101080A0000000100000002")};
  Shape next = first;
  next.sequence += 100;
  next.id = 2;
  CHECK(both(first, next) == 1);

  Shape other = next;
  other.sequence += 1;
  CHECK(both(first, other) == 2);
  other = next;
  other.options = hex("0101080A0000000100000003");
  CHECK(both(first, other) == 2);
  other = next;
  other.sourcePort = 4001;
  CHECK(both(first, other) == 2);
  for (const uint8_t flag : {tcpSyn, tcpRst, tcpUrg, tcpCwr, tcpEce}) {
    other = next;
    other.flags |= flag;
    CHECK(both(first, other) == 2);
  }
  for (const size_t at : {size_t{1}, size_t{8}}) {  // TOS, TTL
    Bytes changed = packetOf(next, payload);
    changed[at] ^= 4;
    ipv4ChecksumStore(changed.data(), 20);
    CHECK(coalesced({packetOf(first, payload), changed}).size() == 2);
  }
  Bytes corrupt = packetOf(next, payload);
  corrupt.back() ^= 1;
  CHECK(coalesced({packetOf(first, payload), corrupt})[1].packet == corrupt);
  CHECK(coalesced({packetOf({.isTcp = false}, payload), packetOf({.isTcp = false}, payload)}, false).size() ==
        2);
  CHECK(coalesced({packetOf(first, payload), packetOf(next, Bytes(101, 7))}).size() == 2);
}

LAW("a lone packet passes as it came") {
  auto random = check::random();
  for (const bool isTcp : {true, false}) {
    const Bytes packet = packetOf({.isTcp = isTcp}, check::randomBytes(random, 99));
    const auto written = coalesced({packet});
    CHECK(written.size() == 1 && written[0].packet == packet && written[0].vnet.gsoType == vnetGsoNone &&
          written[0].vnet.flags == 0);
  }
}

LAW("flows that mix are merged each for itself, none overtakes itself, and no octet is lost") {
  auto random = check::random();
  for (int round = 0; round < 100; ++round) {
    constexpr size_t flows = 24;
    Shape shapes[flows];
    std::map<uint16_t, Bytes> sent, received;
    for (size_t n = 0; n < flows; ++n) {
      shapes[n] = {.isV4 = n % 2 == 0, .isTcp = n % 3 != 0, .sourcePort = static_cast<uint16_t>(5000 + n)};
    }
    std::vector<Bytes> packets;
    for (int n = 0; n < 300; ++n) {
      Shape& shape = shapes[random() % (1 + random() % flows)];
      const Bytes payload = check::randomBytes(random, random() % 8 == 0 ? random() % 500 : 500);
      shape.flags = tcpAck | (random() % 10 == 0 ? tcpPsh : 0);
      packets.push_back(packetOf(shape, payload));
      shape.sequence += static_cast<uint32_t>(payload.size());
      ++shape.id;
      Bytes& all = sent[shape.sourcePort];
      all.insert(all.end(), payload.begin(), payload.end());
    }

    const auto written = coalesced(packets);

    size_t carriers = 0;
    for (const Tun::Written& one : written) {
      carriers += one.packets;
      for (const Bytes& packet : segmentsOf(one.vnet, one.packet)) {
        IpHeader ip;
        CHECK(ipParse(packet.data(), packet.size(), ip) && transportChecksumValid(packet.data(), ip));
        const size_t headers =
            ip.headerLength + (ip.protocol == ipTcp ? tcpHeaderLength(packet.data(), ip) : udpHeaderSize);
        Bytes& all = received[load16(&packet[ip.headerLength])];
        all.insert(all.end(), packet.begin() + static_cast<long>(headers), packet.end());
      }
    }
    CHECK(carriers == packets.size());
    CHECK(written.size() < packets.size());
    CHECK(received == sent);
  }
}

LAW("octets that are no packet pass the coalescer unharmed, at every length") {
  const Bytes whole = packetOf({}, Bytes(50, 3));
  for (size_t length = 0; length < whole.size(); ++length) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<long>(length));
    CHECK(coalesced({cut})[0].packet == cut);
  }
}

LAW("the MSS of a SYN is lowered to the MTU, never raised, and the checksum stays right") {
  for (const bool isV4 : {true, false}) {
    for (const char* options : {"020405B4", "01020405B4010101", "04020101030307020405B401010100"}) {
      for (const uint8_t flags : {tcpSyn, uint8_t(tcpSyn | tcpAck)}) {
        Bytes option = hex(options);
        option.resize((option.size() + 3) / 4 * 4);
        const Shape shape = {.isV4 = isV4, .flags = flags, .options = option};
        Bytes packet = packetOf(shape, {});
        CHECK(!mssClamp(packet.data(), packet.size(), isV4 ? 1500 : 1520));
        CHECK(mssClamp(packet.data(), packet.size(), 1396));
        CHECK(naiveValid(packet, isV4 ? 20 : 40));
        CHECK(!mssClamp(packet.data(), packet.size(), 1396));
        CHECK(mssClamp(packet.data(), packet.size(), 1395));
        CHECK(naiveValid(packet, isV4 ? 20 : 40));
      }
    }
  }
}

LAW("what is not a whole SYN with an MSS is left alone, at every length") {
  auto random = check::random();
  Bytes plain = packetOf({.options = hex("020405B4")}, {});
  CHECK(!mssClamp(plain.data(), plain.size(), 1000));
  for (const char* options :
       {"01010101", "02030405", "02050405", "08000000", "010101 02", "00020405B4000000", "02FF05B4"}) {
    Bytes packet = packetOf({.flags = tcpSyn, .options = hex(options)}, {});
    CHECK(!mssClamp(packet.data(), packet.size(), 1000));
  }
  const Bytes whole = packetOf({.flags = tcpSyn, .options = hex("020405B4")}, {});
  for (size_t length = 0; length < whole.size(); ++length) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<long>(length));
    CHECK(!mssClamp(cut.data(), cut.size(), 1000));
  }
  for (int round = 0; round < 20000; ++round) {
    Bytes noise = check::randomBytes(random, random() % 80);
    if (!noise.empty()) noise[0] = random() % 2 == 0 ? 0x45 : 0x60;
    mssClamp(noise.data(), noise.size(), 1000);
  }
}
