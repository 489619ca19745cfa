// SHA-1, RC4 and the MPPE keys against published vectors, and the fast functions against the plain ones.
#include "check.h"
#include "mppe.h"
#include "rc4.h"
#include "sha1.h"

using namespace pptp;
using check::Bytes;
using check::hex;

namespace {

Bytes digest(std::string_view text) {
  const auto value = sha1({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  return {value.begin(), value.end()};
}

Bytes naiveRc4(const Bytes& key, Bytes data) {
  uint8_t table[256];
  for (int n = 0; n < 256; ++n) table[n] = static_cast<uint8_t>(n);
  for (int n = 0, j = 0; n < 256; ++n) {
    j = (j + table[n] + key[static_cast<size_t>(n) % key.size()]) & 255;
    std::swap(table[n], table[j]);
  }
  int i = 0, j = 0;
  for (uint8_t& octet : data) {
    i = (i + 1) & 255;
    j = (j + table[i]) & 255;
    std::swap(table[i], table[j]);
    octet ^= table[(table[i] + table[j]) & 255];
  }
  return data;
}

Rc4 scheduled(const Bytes& key) {
  Rc4 stream;
  rc4Schedule(stream, {key.data(), key.size()});
  return stream;
}

}  // namespace

LAW("SHA-1 gives the digests of FIPS 180") {
  CHECK(digest("abc") == hex("A9993E36 4706816A BA3E2571 7850C26C 9CD0D89D"));
  CHECK(digest("") == hex("DA39A3EE 5E6B4B0D 3255BFEF 95601890 AFD80709"));
  CHECK(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        hex("84983E44 1C3BD26E BAAE4AA1 F95129E5 E54670F1"));
  CHECK(digest(std::string(1000000, 'a')) == hex("34AA973C D4C4DAA4 F61EEB2B DBAD2731 6534016F"));
}

LAW("the accelerated SHA-1 equals the portable one") {
  auto random = check::random();
  for (int round = 0; round < 2000; ++round) {
    const size_t count = 1 + random() % 4;
    const Bytes blocks = check::randomBytes(random, count * sha1BlockSize);
    Sha1State fast, plain;
    sha1Blocks(fast, blocks.data(), count);
    sha1BlocksPortable(plain, blocks.data(), count);
    CHECK(memcmp(fast.word, plain.word, sizeof fast.word) == 0);
  }
}

LAW("RC4 gives the key streams of RFC 6229") {
  const struct {
    const char *key, *at0, *at240;
  } vectors[] = {
      {"0102030405", "b2396305f03dc027ccc3524a0a1118a8 6982944f18fc82d589c403a47a0d0919",
       "28cb1132c96ce286421dcaadb8b69eae"},
      {"0102030405060708", "97ab8a1bf0afb96132f2f67258da15a8 8263efdb45c4a18684ef87e6b19e5b09",
       "9636ebc9841926f4f7d1f362bddf6e18"},
      {"0102030405060708090a0b0c0d0e0f10",
       "9ac7cc9a609d1ef7b2932899cde41b97 5248c4959014126a6e8a84f11d1a9e1c",
       "065902e4b620f6cc36c8589f66432f2b"},
  };
  for (const auto& vector : vectors) {
    Bytes stream(256);
    Rc4 rc4 = scheduled(hex(vector.key));
    rc4Crypt({&rc4, stream.data(), stream.size()});
    const Bytes start = hex(vector.at0), later = hex(vector.at240);
    CHECK(memcmp(stream.data(), start.data(), start.size()) == 0);
    CHECK(memcmp(stream.data() + 240, later.data(), later.size()) == 0);
  }
}

LAW("two RC4 streams at once are two RC4 streams, whatever their lengths and however they are cut") {
  auto random = check::random();
  for (int round = 0; round < 2000; ++round) {
    const Bytes keyA = check::randomBytes(random, 1 + random() % 16),
                keyB = check::randomBytes(random, 1 + random() % 16);
    Bytes a = check::randomBytes(random, random() % 200), b = check::randomBytes(random, random() % 200);
    const Bytes expectedA = naiveRc4(keyA, a), expectedB = naiveRc4(keyB, b);
    Rc4 streamA, streamB;
    rc4SchedulePair(streamA, {keyA.data(), keyA.size()}, streamB, {keyB.data(), keyB.size()});

    const size_t cutA = random() % (a.size() + 1), cutB = random() % (b.size() + 1);
    rc4CryptPair({&streamA, a.data(), cutA}, {&streamB, b.data(), cutB});
    rc4CryptPair({&streamA, a.data() + cutA, a.size() - cutA}, {&streamB, b.data() + cutB, b.size() - cutB});

    CHECK(a == expectedA);
    CHECK(b == expectedB);
  }
}

LAW("one RC4 stream goes on where it stopped") {
  auto random = check::random();
  const Bytes key = check::randomBytes(random, 16);
  Bytes data = check::randomBytes(random, 1000);
  const Bytes expected = naiveRc4(key, data);
  Rc4 stream = scheduled(key);
  for (size_t at = 0; at < data.size();) {
    const size_t length = std::min<size_t>(random() % 40, data.size() - at);
    rc4Crypt({&stream, data.data() + at, length});
    at += length;
  }
  CHECK(data == expected);
}

// RFC 3079 section 3.5: the initial session keys from the send start key, and "test message" encrypted with
// them. A stateful sender's first packet is encrypted with the initial session key, so it shows both.
LAW("MPPE derives the session keys of RFC 3079 section 3.5 and encrypts its sample message") {
  const Bytes startKey = hex("8B7CDC149B993A1B A118CB153F56DCCB");
  const struct {
    MppeStrength strength;
    const char *sessionKey, *encrypted;
  } vectors[] = {
      {MppeStrength::bits40, "D1269EC49FA62E3E", "929137917E5803D668D75898"},
      {MppeStrength::bits56, "D15C00C49FA62E3E", "3F106833FA448DA842BC57B8"},
      {MppeStrength::bits128, "405CB2247A7956E6E211007AE27B22D4", "81848317DF68846272FB5ABE"},
  };
  for (const auto& vector : vectors) {
    MppeSender sender;
    mppeInstall(sender, {vector.strength, false}, startKey.data());
    const Bytes key = hex(vector.sessionKey), encrypted = hex(vector.encrypted);
    CHECK(memcmp(sender.chain.key, key.data(), key.size()) == 0);

    uint8_t packet[2 + 12];
    memcpy(packet + 2, "test message", 12);
    const MppePlain plain = {&sender, packet + 2, 12};
    mppeEncrypt({&plain, 1});
    CHECK(packet[0] == 0x10 && packet[1] == 0x00);
    CHECK(memcmp(packet + 2, encrypted.data(), encrypted.size()) == 0);
  }
}
