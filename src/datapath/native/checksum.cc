// One's complement sums do not care how wide the words are that one adds [RFC 1071 2]: 32-bit words into
// 64-bit sums, eight at a time with AVX2 where the processor has it.
#include "checksum.h"

#include "bytes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pptp {

namespace {

uint16_t fold(uint64_t sum) {
  sum = (sum & 0xFFFF'FFFF) + (sum >> 32);
  sum = (sum & 0xFFFF) + (sum >> 16 & 0xFFFF) + (sum >> 32);
  sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<uint16_t>(sum + (sum >> 16));
}

uint64_t sumPortable(const uint8_t* data, size_t length, uint64_t sum) {
  for (; length >= 4; data += 4, length -= 4) {
    uint32_t word;
    memcpy(&word, data, 4);
    sum += word;
  }
  uint8_t rest[4] = {};
  for (size_t n = 0; n < length; ++n) rest[n] = data[n];
  uint32_t word;
  memcpy(&word, rest, 4);
  return sum + word;
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) uint64_t sumAvx2(const uint8_t* data, size_t length, uint64_t sum) {
  const __m256i low = _mm256_set1_epi64x(0xFFFF'FFFF);
  __m256i sums[4] = {};
  for (; length >= 64; data += 64, length -= 64) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data + 32));
    sums[0] = _mm256_add_epi64(sums[0], _mm256_and_si256(a, low));
    sums[1] = _mm256_add_epi64(sums[1], _mm256_srli_epi64(a, 32));
    sums[2] = _mm256_add_epi64(sums[2], _mm256_and_si256(b, low));
    sums[3] = _mm256_add_epi64(sums[3], _mm256_srli_epi64(b, 32));
  }
  const __m256i all =
      _mm256_add_epi64(_mm256_add_epi64(sums[0], sums[1]), _mm256_add_epi64(sums[2], sums[3]));
  uint64_t lane[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lane), all);
  return sumPortable(data, length, sum + lane[0] + lane[1] + lane[2] + lane[3]);
}

using SumFunction = uint64_t (*)(const uint8_t*, size_t, uint64_t);
const SumFunction sumFunction =
    (__builtin_cpu_init(), __builtin_cpu_supports("avx2")) ? sumAvx2 : sumPortable;

#else

constexpr auto sumFunction = sumPortable;

#endif

/// A host order value as it would stand in memory.
uint16_t inMemory(uint16_t value) {
  uint8_t octets[2];
  store16(octets, value);
  memcpy(&value, octets, 2);
  return value;
}

void storeSum(uint8_t* at, uint16_t sum) { memcpy(at, &sum, 2); }

constexpr uint16_t complete = 0xFFFF;  // the sum of data together with its right checksum

}  // namespace

uint16_t checksumSum(const uint8_t* data, size_t length) { return fold(sumFunction(data, length, 0)); }

void checksumChange16(uint8_t* at, uint16_t before, uint16_t after) {
  // [RFC 1624 3, equation 3]
  const uint16_t sum = checksumAdd(static_cast<uint16_t>(~load16(at)), static_cast<uint16_t>(~before));
  store16(at, static_cast<uint16_t>(~checksumAdd(sum, after)));
}

uint16_t checksumPseudo(const uint8_t* packet, const IpHeader& ip, uint32_t transportLength) {
  const uint16_t addresses = ip.version == 4 ? checksumSum(packet + 12, 8) : checksumSum(packet + 8, 32);
  const uint16_t length =
      checksumAdd(static_cast<uint16_t>(transportLength), static_cast<uint16_t>(transportLength >> 16));
  return checksumAdd(addresses, inMemory(checksumAdd(length, ip.protocol)));
}

void ipv4ChecksumStore(uint8_t* packet, size_t headerLength) {
  storeSum(packet + ipv4ChecksumAt, 0);
  storeSum(packet + ipv4ChecksumAt, static_cast<uint16_t>(~checksumSum(packet, headerLength)));
}

bool ipv4ChecksumValid(const uint8_t* packet, size_t headerLength) {
  return checksumSum(packet, headerLength) == complete;
}

bool transportChecksumValid(const uint8_t* packet, const IpHeader& ip) {
  const uint8_t* transport = packet + ip.headerLength;
  const uint32_t length = ip.length - ip.headerLength;
  if (ip.isFragment) return false;
  if (ip.protocol == ipUdp) {
    if (length < udpHeaderSize || load16(transport + udpLengthAt) != length ||
        load16(transport + udpChecksumAt) == 0)
      return false;
  } else if (tcpHeaderLength(packet, ip) == 0) {
    return false;
  }
  return checksumAdd(checksumSum(transport, length), checksumPseudo(packet, ip, length)) == complete;
}

bool checksumComplete(uint8_t* packet, size_t length, size_t start, size_t offset) {
  if (start > length || offset + 2 > length - start) return false;
  const uint16_t checksum = static_cast<uint16_t>(~checksumSum(packet + start, length - start));
  // Zero means "none" to UDP, and is the same number to everybody else [RFC 768].
  storeSum(packet + start + offset, checksum == 0 ? complete : checksum);
  return true;
}

}  // namespace pptp
