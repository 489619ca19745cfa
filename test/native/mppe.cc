// MPPE between our sender and our receiver over a bad path, against a plain model of RFC 3078, and against
// forgeries.
#include "mppe.h"

#include <algorithm>
#include <map>

#include "check.h"
#include "sha1.h"

using namespace pptp;
using check::Bytes;

namespace {

constexpr MppeStrength strengths[] = {MppeStrength::bits40, MppeStrength::bits56, MppeStrength::bits128};
constexpr uint8_t startKey[16] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6};

/// A frame that can be told from all others: an IPv4 protocol field and a number.
Bytes frameOf(uint32_t number, size_t length = 40) {
  Bytes frame(std::max<size_t>(length, 8));
  for (size_t n = 0; n < frame.size(); ++n) frame[n] = static_cast<uint8_t>(number * 31 + n);
  frame[0] = 0x00;
  frame[1] = 0x21;
  frame[2] = 0x45;
  memcpy(&frame[4], &number, 4);
  return frame;
}

Bytes encrypted(MppeSender& sender, const Bytes& frame) {
  Bytes packet(mppeHeaderSize + frame.size(), 0xA5);
  std::copy(frame.begin(), frame.end(), packet.begin() + mppeHeaderSize);
  const MppePlain plain = {&sender, packet.data() + mppeHeaderSize, frame.size()};
  mppeEncrypt({&plain, 1});
  return packet;
}

MppeResult decrypt(MppeReceiver& receiver, Bytes& packet) {
  MppeCipher cipher = {&receiver, packet.data(), packet.size(), MppeResult::malformed};
  mppeDecrypt({&cipher, 1});
  return cipher.result;
}

MppeResult decryptCopy(MppeReceiver& receiver, Bytes packet) { return decrypt(receiver, packet); }

bool isGood(MppeResult result) { return result == MppeResult::ok || result == MppeResult::lateOk; }

bool carries(const Bytes& packet, const Bytes& frame) {
  return std::equal(packet.begin() + mppeHeaderSize, packet.end(), frame.begin(), frame.end());
}

struct Pair {
  MppeSender sender;
  MppeReceiver receiver;
  explicit Pair(MppeTerms terms) {
    mppeInstall(sender, terms, startKey);
    mppeInstall(receiver, terms, startKey);
  }
};

/// RFC 3078 and 3079 written down once more, slowly: the key of every count and the stream of a packet.
struct Model {
  Bytes start, key;
  size_t salt;
  explicit Model(MppeStrength strength) {
    const size_t length = strength == MppeStrength::bits128 ? 16 : 8;
    salt = strength == MppeStrength::bits40 ? 3 : strength == MppeStrength::bits56 ? 1 : 0;
    start.assign(startKey, startKey + length);
    key = weaken(hash(start));
  }
  Bytes hash(const Bytes& session) const {
    Bytes message = start;
    message.insert(message.end(), 40, 0x00);
    message.insert(message.end(), session.begin(), session.end());
    message.insert(message.end(), 40, 0xF2);
    const auto digest = sha1(message);
    return {digest.begin(), digest.begin() + static_cast<long>(start.size())};
  }
  Bytes weaken(Bytes value) const {
    const uint8_t fixed[] = {0xD1, 0x26, 0x9E};
    std::copy(fixed, fixed + salt, value.begin());
    return value;
  }
  void change() {
    const Bytes interim = hash(key);
    Rc4 stream;
    rc4Schedule(stream, {interim.data(), interim.size()});
    key = interim;
    rc4Crypt({&stream, key.data(), key.size()});
    key = weaken(key);
  }
};

}  // namespace

LAW("a stateless sender changes its key before each packet and sets the flushed bit on each") {
  for (const MppeStrength strength : strengths) {
    Pair pair({strength, true});
    Model model(strength);
    for (uint32_t n = 0; n < 5000; ++n) {
      model.change();
      Bytes expected = frameOf(n);
      Rc4 stream;
      rc4Schedule(stream, {model.key.data(), model.key.size()});
      rc4Crypt({&stream, expected.data(), expected.size()});

      const Bytes packet = encrypted(pair.sender, frameOf(n));

      CHECK(packet[0] == (0x90 | (n >> 8 & 0x0F)) && packet[1] == (n & 0xFF));
      CHECK(carries(packet, expected));
    }
  }
}

LAW("a stateful sender runs one stream and changes its key at every flag packet") {
  for (const MppeStrength strength : strengths) {
    Pair pair({strength, false});
    Model model(strength);
    Rc4 stream;
    rc4Schedule(stream, {model.key.data(), model.key.size()});
    for (uint32_t n = 0; n < 2000; ++n) {
      const bool isFlag = (n & 0xFF) == 0xFF;
      if (isFlag) {
        model.change();
        rc4Schedule(stream, {model.key.data(), model.key.size()});
      }
      Bytes expected = frameOf(n);
      rc4Crypt({&stream, expected.data(), expected.size()});

      const Bytes packet = encrypted(pair.sender, frameOf(n));

      CHECK(packet[0] == ((isFlag ? 0x90 : 0x10) | (n >> 8 & 0x0F)) && packet[1] == (n & 0xFF));
      CHECK(carries(packet, expected));
    }
  }
}

LAW("a batch gives what its packets give one by one, for any mix of calls and modes") {
  auto random = check::random();
  for (int run = 0; run < 200; ++run) {
    constexpr size_t calls = 3;
    MppeSender batched[calls], single[calls];
    MppeReceiver receivers[calls];
    for (size_t call = 0; call < calls; ++call) {
      const MppeTerms terms = {strengths[random() % 3], random() % 2 == 0};
      mppeInstall(batched[call], terms, startKey);
      mppeInstall(single[call], terms, startKey);
      mppeInstall(receivers[call], terms, startKey);
    }
    for (int round = 0; round < 20; ++round) {
      std::vector<Bytes> packets, frames;
      std::vector<size_t> owners;
      for (size_t n = random() % 40; n > 0; --n) {
        owners.push_back(random() % calls);
        frames.push_back(frameOf(static_cast<uint32_t>(random()), random() % 300));
        packets.push_back(Bytes(mppeHeaderSize));
        packets.back().insert(packets.back().end(), frames.back().begin(), frames.back().end());
      }
      std::vector<MppePlain> plain;
      std::vector<MppeCipher> cipher;
      for (size_t n = 0; n < packets.size(); ++n) {
        plain.push_back({&batched[owners[n]], packets[n].data() + mppeHeaderSize, frames[n].size()});
        cipher.push_back(
            {&receivers[owners[n]], packets[n].data(), packets[n].size(), MppeResult::malformed});
      }

      mppeEncrypt(plain);

      for (size_t n = 0; n < packets.size(); ++n)
        CHECK(packets[n] == encrypted(single[owners[n]], frames[n]));
      mppeDecrypt(cipher);
      for (size_t n = 0; n < packets.size(); ++n) {
        CHECK(cipher[n].result == MppeResult::ok);
        CHECK(carries(packets[n], frames[n]));
      }
    }
  }
}

LAW("stateless: under loss, reordering and duplication everything within reach is decrypted exactly once") {
  auto random = check::random();
  for (int run = 0; run < 60; ++run) {
    Pair pair({strengths[run % 3], true});
    const unsigned lossPercent = random() % 30, duplicatePercent = random() % 20, spread = 1 + random() % 120;
    std::multimap<uint64_t, uint32_t> arrivals;
    std::vector<Bytes> sent;
    for (uint32_t n = 0; n < 6000; ++n) {
      sent.push_back(encrypted(pair.sender, frameOf(n)));
      if (random() % 100 >= lossPercent) arrivals.emplace(n + random() % spread, n);
      if (random() % 100 < duplicatePercent) arrivals.emplace(n + random() % (2 * spread), n);
    }

    std::vector<int> decrypted(sent.size());
    auto next = arrivals.begin();
    while (next != arrivals.end()) {
      std::vector<Bytes> copies;
      std::vector<uint32_t> numbers;
      for (size_t n = 1 + random() % 64; n > 0 && next != arrivals.end(); --n, ++next) {
        copies.push_back(sent[next->second]);
        numbers.push_back(next->second);
      }
      std::vector<MppeCipher> batch;
      for (Bytes& copy : copies)
        batch.push_back({&pair.receiver, copy.data(), copy.size(), MppeResult::malformed});

      mppeDecrypt(batch);

      for (size_t n = 0; n < batch.size(); ++n) {
        const bool isFirst = decrypted[numbers[n]] == 0;
        CHECK(isGood(batch[n].result) == isFirst);
        if (!isFirst) CHECK(batch[n].result == MppeResult::duplicate);
        if (!isFirst) continue;
        ++decrypted[numbers[n]];
        CHECK(carries(copies[n], frameOf(numbers[n])));
      }
    }
  }
}

LAW("stateless: forgeries between the packets cost no packet and desynchronise nothing") {
  auto random = check::random();
  for (int run = 0; run < 20; ++run) {
    Pair pair({strengths[run % 3], true});
    const Bytes senseless = {0x00, 0x00, 0x45,
                             0x00};  // encrypted as it should be, so that no key makes sense of it by chance
    for (uint32_t n = 0; n < 1500;) {
      std::vector<Bytes> packets;
      std::vector<int64_t> numbers;
      for (size_t in = 1 + random() % 10; in > 0; --in) {
        if (random() % 3 == 0) {
          MppeSender forger = pair.sender;
          for (size_t ahead = random() % 2 == 0 ? random() % 4 : random() % 700; ahead > 0; --ahead)
            encrypted(forger, senseless);
          packets.push_back(encrypted(forger, senseless));
          numbers.push_back(-1);
        } else {
          packets.push_back(encrypted(pair.sender, frameOf(n)));
          numbers.push_back(n++);
        }
      }
      std::vector<MppeCipher> batch;
      for (Bytes& packet : packets)
        batch.push_back({&pair.receiver, packet.data(), packet.size(), MppeResult::malformed});

      mppeDecrypt(batch);

      for (size_t at = 0; at < batch.size(); ++at) {
        CHECK(isGood(batch[at].result) == (numbers[at] >= 0));
        if (numbers[at] >= 0) CHECK(carries(packets[at], frameOf(static_cast<uint32_t>(numbers[at]))));
      }
    }
  }
}

LAW("stateless: a forgery that takes a packet's place in a pair does not cost that packet when it comes "
    "late") {
  Pair pair({MppeStrength::bits128, true});
  MppeSender forger = pair.sender;
  Bytes packets[3] = {encrypted(forger, {0x00, 0x00, 0x45, 0x00}), {}, encrypted(pair.sender, frameOf(0))};
  packets[1] = encrypted(pair.sender, frameOf(1));
  MppeCipher batch[3];
  for (size_t n = 0; n < 3; ++n)
    batch[n] = {&pair.receiver, packets[n].data(), packets[n].size(), MppeResult::malformed};

  mppeDecrypt(batch);

  CHECK(batch[0].result == MppeResult::badProtocol);
  CHECK(batch[1].result == MppeResult::ok && carries(packets[1], frameOf(1)));
  CHECK(batch[2].result == MppeResult::lateOk && carries(packets[2], frameOf(0)));
}

LAW("stateless: an outage of less than half the count space is crossed, in bounded steps") {
  for (const uint32_t outage : {1u, 255u, 256u, 257u, 700u, 1500u}) {
    Pair pair({MppeStrength::bits128, true});
    for (uint32_t n = 0; n < 10; ++n)
      CHECK(decryptCopy(pair.receiver, encrypted(pair.sender, frameOf(n))) == MppeResult::ok);
    for (uint32_t n = 0; n < outage; ++n) encrypted(pair.sender, frameOf(n));
    uint32_t refused = 0;
    for (;; ++refused) {
      CHECK(refused <= outage / (mppeStepsPerPacket - 1));
      const MppeResult result = decryptCopy(pair.receiver, encrypted(pair.sender, frameOf(refused)));
      if (result == MppeResult::ok) break;
      CHECK(result == MppeResult::tooFar);
    }
    CHECK((refused == 0) == (outage <= mppeStepsPerPacket));
    CHECK(decryptCopy(pair.receiver, encrypted(pair.sender, frameOf(0))) == MppeResult::ok);
  }
}

LAW("stateless: a gap of more than half the count space is noticed as out of step") {
  Pair pair({MppeStrength::bits128, true});
  for (uint32_t n = 0; n < 3000; ++n) encrypted(pair.sender, frameOf(n));
  for (uint32_t n = 0; n < mppeFailureLimit; ++n) {
    CHECK(!mppeOutOfStep(pair.receiver));
    CHECK(!isGood(decryptCopy(pair.receiver, encrypted(pair.sender, frameOf(n)))));
  }
  CHECK(mppeOutOfStep(pair.receiver));
}

LAW("stateful: a gap is lost until a flushed packet, and a flag packet lost in the gap changes the key all "
    "the same") {
  auto random = check::random();
  for (int run = 0; run < 300; ++run) {
    Pair pair({strengths[run % 3], false});
    uint32_t n = 0;
    for (const uint32_t upTo = random() % 600; n < upTo; ++n) {
      CHECK(decryptCopy(pair.receiver, encrypted(pair.sender, frameOf(n))) == MppeResult::ok);
    }
    for (uint32_t gone = 1 + random() % 700; gone > 0; --gone) encrypted(pair.sender, frameOf(n));
    // Nothing between here and the flush may be a flag packet, which would end the loss by itself.
    const Bytes after = encrypted(pair.sender, frameOf(n));
    if (after[0] & 0x80) continue;
    CHECK(decryptCopy(pair.receiver, after) == MppeResult::lost);
    CHECK(pair.receiver.lost);

    mppeFlush(pair.sender);

    const Bytes flushed = encrypted(pair.sender, frameOf(n));
    CHECK((flushed[0] & 0x80) && flushed[1] == 0xFF);
    CHECK(decryptCopy(pair.receiver, flushed) == MppeResult::ok);
    for (uint32_t more = 0; more < 600; ++more) {
      Bytes packet = encrypted(pair.sender, frameOf(more));
      CHECK(decrypt(pair.receiver, packet) == MppeResult::ok);
      CHECK(carries(packet, frameOf(more)));
    }
  }
}

LAW("stateful: a peer may restart with the current key, as the RFC says, or with the next, as Linux does") {
  for (const bool isLinux : {false, true}) {
    Pair pair({MppeStrength::bits128, false});
    Model model(MppeStrength::bits128);
    for (uint32_t n = 0; n < 5; ++n)
      CHECK(decryptCopy(pair.receiver, encrypted(pair.sender, frameOf(n))) == MppeResult::ok);
    if (isLinux) model.change();
    Rc4 stream;
    rc4Schedule(stream, {model.key.data(), model.key.size()});
    for (const uint16_t header : {0x9008, 0x1009, 0x100A}) {
      Bytes packet = frameOf(header);
      rc4Crypt({&stream, packet.data(), packet.size()});
      packet.insert(packet.begin(), {static_cast<uint8_t>(header >> 8), static_cast<uint8_t>(header)});
      CHECK(decrypt(pair.receiver, packet) == MppeResult::ok);
      CHECK(carries(packet, frameOf(header)));
    }
  }
}

LAW("of what is decrypted, IP of its version and bridged Ethernet are sensible, and nothing else is") {
  for (const bool stateless : {false, true}) {
    const auto result = [&](const char* frame) {
      Pair pair({MppeStrength::bits128, stateless});
      return decryptCopy(pair.receiver, encrypted(pair.sender, check::hex(frame)));
    };
    for (const char* frame : {"0021 45", "21 45", "0057 60", "0031 0001 FF", "31 00 01 FF", "0031 9F01 FF"})
      CHECK(result(frame) == MppeResult::ok);
    for (const char* frame :
         {"0021 65", "0057 45", "0031 00", "0031 00 03", "0031 40 01", "0201 0001", "C021 01"})
      CHECK(result(frame) == MppeResult::badProtocol);
  }
}

LAW("stateful: an old packet is refused and changes nothing") {
  Pair pair({MppeStrength::bits128, false});
  const Bytes first = encrypted(pair.sender, frameOf(0));
  CHECK(decryptCopy(pair.receiver, first) == MppeResult::ok);
  CHECK(decryptCopy(pair.receiver, first) == MppeResult::tooFar);
  CHECK(decryptCopy(pair.receiver, encrypted(pair.sender, frameOf(1))) == MppeResult::ok);
}

LAW("what is not an encrypted packet is malformed, at every length") {
  for (const bool stateless : {false, true}) {
    Pair pair({MppeStrength::bits128, stateless});
    const Bytes packet = encrypted(pair.sender, frameOf(0));
    for (size_t length = 0; length <= mppeHeaderSize; ++length) {
      CHECK(decryptCopy(pair.receiver, Bytes(packet.begin(), packet.begin() + static_cast<long>(length))) ==
            MppeResult::malformed);
    }
    for (const uint8_t flags : {0x00, 0x80, 0x20, 0xB0}) {
      Bytes other = packet;
      other[0] = flags;
      CHECK(decryptCopy(pair.receiver, other) == MppeResult::malformed);
    }
    for (size_t length = mppeHeaderSize + 1; length < mppeHeaderSize + 3; ++length) {
      CHECK(decryptCopy(pair.receiver, Bytes(packet.begin(), packet.begin() + static_cast<long>(length))) ==
            MppeResult::badProtocol);
    }
    CHECK(decryptCopy(pair.receiver, packet) == MppeResult::ok);
  }
}
