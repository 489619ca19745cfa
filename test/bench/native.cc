// Nanoseconds per packet of the engine's inner parts, and what the pairing and the processor's instructions
// gain. Ratios are what to look at: the machine moves the figures.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "checksum.h"
#include "coalesce.h"
#include "mppe.h"
#include "rc4.h"
#include "segment.h"
#include "sha1.h"

using namespace pptp;

namespace {

constexpr size_t packetSize = 1400;
constexpr size_t batch = 64;
constexpr size_t slot = 2048;

uint8_t arena[batch][slot];

/// Processor time of this thread: what others do on the machine does not count.
double nowNs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// The median of many slices, divided by the packets in one.
template <typename Work>
double measure(const char* name, size_t packets, Work work) {
  const size_t rounds =
      std::max<size_t>(4, 256 / packets);  // long enough that asking for the time costs nothing
  std::vector<double> slices;
  for (int slice = 0; slice < 201; ++slice) {
    const double start = nowNs();
    for (size_t round = 0; round < rounds; ++round) work();
    slices.push_back((nowNs() - start) / static_cast<double>(rounds * packets));
  }
  std::nth_element(slices.begin(), slices.begin() + 100, slices.end());
  printf("%-52s %8.0f ns\n", name, slices[100]);
  return slices[100];
}

void fillPlain(size_t length) {
  for (auto& packet : arena) {
    memset(packet, 0x45, length + 64);
    packet[64] = 0x00;
    packet[65] = 0x21;
  }
}

struct Discard final : TunSink {
  void write(const TunWrite&) override {}
};

}  // namespace

int main() {
  const uint8_t key[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  Rc4 a, b;
  rc4Schedule(a, {key, 16});
  rc4Schedule(b, {key, 15});

  Sha1State state;
  const double portable =
      measure("SHA-1, 2 blocks, portable", 1, [&] { sha1BlocksPortable(state, arena[0], 2); });
  const double fast = measure("SHA-1, 2 blocks, dispatched", 1, [&] { sha1Blocks(state, arena[0], 2); });
  const double one = measure("RC4 key schedule, one", 1, [&] { rc4Schedule(a, {key, 16}); });
  const double pair = measure("RC4 key schedule, in pairs", 2, [&] {
    rc4SchedulePair(a, {key, 16}, b, {key, 15});
  });
  const double cryptOne = measure("RC4 1400 octets, one", 1, [&] { rc4Crypt({&a, arena[0], packetSize}); });
  const double cryptPair = measure("RC4 1400 octets, in pairs", 2, [&] {
    rc4CryptPair({&a, arena[0], packetSize}, {&b, arena[1], packetSize});
  });

  for (const size_t length : {size_t{64}, packetSize}) {
    MppeSender sender;
    MppeReceiver receiver;
    mppeInstall(sender, {MppeStrength::bits128, true}, key);
    mppeInstall(receiver, {MppeStrength::bits128, true}, key);
    MppePlain plain[batch];
    MppeCipher cipher[batch];
    for (size_t n = 0; n < batch; ++n) {
      plain[n] = {&sender, arena[n] + 64, length};
      cipher[n] = {&receiver, arena[n] + 62, length + mppeHeaderSize, MppeResult::ok};
    }
    fillPlain(length);
    char name[64];
    snprintf(name, sizeof name, "MPPE-128 stateless, %zu octets, there and back", length);
    measure(name, batch, [&] {
      mppeEncrypt(plain);
      mppeDecrypt(cipher);
    });
    for (const MppeCipher& packet : cipher) {
      if (packet.result != MppeResult::ok) return fprintf(stderr, "a packet was refused\n"), 1;
    }
    snprintf(name, sizeof name, "MPPE-128 stateless, %zu octets, encrypt", length);
    measure(name, batch, [&] { mppeEncrypt(plain); });
  }

  measure("checksum of 1400 octets", 1, [&] {
    const volatile uint16_t sum = checksumSum(arena[0], packetSize);
    (void)sum;
  });

  static uint8_t super[40 + 46 * 1360];
  super[0] = 0x45;
  super[8] = 64;
  super[9] = ipTcp;
  super[2] = sizeof super >> 8;
  super[3] = sizeof super & 0xFF;
  super[6] = 0x40;
  super[32] = 0x50;
  super[33] = tcpAck;
  const VnetHeader vnet = {vnetNeedsChecksum, vnetGsoTcp4, 40, 1360, 20, 16};
  Segmenter segmenter;
  measure("segment a super-packet, per 1400-octet packet", 46, [&] {
    segmenter.open(vnet, super, sizeof super);
    for (size_t n = 0; segmenter.write(arena[n], slot) > 0; ++n) {
    }
  });
  Discard discard;
  static Coalescer coalescer(discard, true);
  measure("segment and coalesce, per packet", 46, [&] {
    segmenter.open(vnet, super, sizeof super);
    for (size_t n = 0;; ++n) {
      const size_t length = segmenter.write(arena[n], slot);
      if (length == 0) break;
      coalescer.add(0, arena[n], length);
    }
    coalescer.flush();
  });

  printf("\nSHA-1 portable / dispatched %.1f, key schedule one / pair %.2f, RC4 one / pair %.2f\n",
         portable / fast, one / pair, cryptOne / cryptPair);
}
