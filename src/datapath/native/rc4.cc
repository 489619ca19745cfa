// RC4 as the measurements want it: tables of words, indices in registers, and for two streams first the loads
// of both, then the stores of both, key stream octets gathered sixteen at a time in a vector register and
// XORed at once (SSE4.1), or eight at a time in a word where that is missing.
#include "rc4.h"

#include <bit>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pptp {

namespace {

#define PPTP_INLINE __attribute__((always_inline)) inline

/// A stream taken apart for a loop: indices in registers, and the entry at i loaded ahead. Loops work on a
/// local copy, because an octet written to the data could otherwise be one of these fields.
struct Walk {
  uint32_t* table;
  uint32_t i;
  uint32_t j;
  uint32_t atI;

  PPTP_INLINE explicit Walk(Rc4& stream)
      : table(stream.table), i((stream.i + 1) & 255), j(stream.j), atI(table[i]) {}

  PPTP_INLINE void leave(Rc4& stream) const {
    stream.i = (i - 1) & 255;
    stream.j = j;
  }
};

/// One step in three parts, so that two walks can do each part side by side: the loads of both stand before
/// the stores of both.
struct Step {
  uint32_t x, y;

  PPTP_INLINE void load(Walk& walk) {
    x = walk.atI;
    walk.j = (walk.j + x) & 255;
    y = walk.table[walk.j];
  }
  PPTP_INLINE void store(const Walk& walk) const {
    walk.table[walk.i] = y;
    walk.table[walk.j] = x;
  }
  PPTP_INLINE uint32_t key(Walk& walk) const {
    walk.i = (walk.i + 1) & 255;
    walk.atI = walk.table[walk.i];
    return walk.table[(x + y) & 255];
  }
};

PPTP_INLINE uint32_t stepOne(Walk& walk) {
  Step step;
  step.load(walk);
  step.store(walk);
  return step.key(walk);
}

PPTP_INLINE std::pair<uint32_t, uint32_t> stepBoth(Walk& a, Walk& b) {
  Step ofA, ofB;
  ofA.load(a);
  ofB.load(b);
  ofA.store(a);
  ofB.store(b);
  return {ofA.key(a), ofB.key(b)};
}

PPTP_INLINE void xorWord(uint8_t* data, uint64_t keys) {
  uint64_t word;
  memcpy(&word, data, sizeof word);
  word ^= keys;
  memcpy(data, &word, sizeof word);
}

PPTP_INLINE int shiftOf(int octet) {
  return 8 * (std::endian::native == std::endian::little ? octet : 7 - octet);
}

void cryptOne(Walk& stream, uint8_t* data, size_t length) {
  Walk walk = stream;
  size_t at = 0;
  for (; at + 8 <= length; at += 8) {
    uint64_t keys = 0;
#pragma GCC unroll 8
    for (int octet = 0; octet < 8; ++octet) keys |= uint64_t{stepOne(walk)} << shiftOf(octet);
    xorWord(data + at, keys);
  }
  for (; at < length; ++at) data[at] ^= static_cast<uint8_t>(stepOne(walk));
  stream = walk;
}

void cryptPairPortable(Walk& streamA, uint8_t* dataA, Walk& streamB, uint8_t* dataB, size_t length) {
  Walk a = streamA, b = streamB;
  size_t at = 0;
  for (; at + 8 <= length; at += 8) {
    uint64_t keysA = 0, keysB = 0;
#pragma GCC unroll 8
    for (int octet = 0; octet < 8; ++octet) {
      const auto [keyA, keyB] = stepBoth(a, b);
      keysA |= uint64_t{keyA} << shiftOf(octet);
      keysB |= uint64_t{keyB} << shiftOf(octet);
    }
    xorWord(dataA + at, keysA);
    xorWord(dataB + at, keysB);
  }
  for (; at < length; ++at) {
    const auto [keyA, keyB] = stepBoth(a, b);
    dataA[at] ^= static_cast<uint8_t>(keyA);
    dataB[at] ^= static_cast<uint8_t>(keyB);
  }
  streamA = a;
  streamB = b;
}

#if defined(__x86_64__)

template <int octet>
__attribute__((target("sse4.1"), always_inline)) inline void gatherOne(Walk& a, __m128i& keysA, Walk& b,
                                                                       __m128i& keysB) {
  const auto [keyA, keyB] = stepBoth(a, b);
  keysA = _mm_insert_epi8(keysA, static_cast<int>(keyA), octet);
  keysB = _mm_insert_epi8(keysB, static_cast<int>(keyB), octet);
}

template <int... octet>
__attribute__((target("sse4.1"), always_inline)) inline void gather(Walk& a, __m128i& keysA, Walk& b,
                                                                    __m128i& keysB,
                                                                    std::integer_sequence<int, octet...>) {
  (gatherOne<octet>(a, keysA, b, keysB), ...);
}

__attribute__((target("sse4.1"), always_inline)) inline void xorVector(uint8_t* data, __m128i keys) {
  auto* const place = reinterpret_cast<__m128i*>(data);
  _mm_storeu_si128(place, _mm_xor_si128(_mm_loadu_si128(place), keys));
}

__attribute__((target("sse4.1"))) void cryptPairSse41(Walk& streamA, uint8_t* dataA, Walk& streamB,
                                                      uint8_t* dataB, size_t length) {
  Walk a = streamA, b = streamB;
  size_t at = 0;
  for (; at + 16 <= length; at += 16) {
    __m128i keysA = _mm_setzero_si128(), keysB = _mm_setzero_si128();
    gather(a, keysA, b, keysB, std::make_integer_sequence<int, 16>());
    xorVector(dataA + at, keysA);
    xorVector(dataB + at, keysB);
  }
  streamA = a;
  streamB = b;
  cryptPairPortable(streamA, dataA + at, streamB, dataB + at, length - at);
}

using CryptPair = void (*)(Walk&, uint8_t*, Walk&, uint8_t*, size_t);
const CryptPair cryptPair =
    (__builtin_cpu_init(), __builtin_cpu_supports("sse4.1")) ? cryptPairSse41 : cryptPairPortable;

#else

constexpr auto cryptPair = cryptPairPortable;

#endif

constexpr struct Identity {
  uint32_t table[256];
  constexpr Identity() : table() {
    for (uint32_t n = 0; n < 256; ++n) table[n] = n;
  }
} identity;

void begin(Rc4& stream) {
  memcpy(stream.table, identity.table, sizeof stream.table);
  stream.i = 0;
  stream.j = 0;
}

/// The key repeated over the 256 steps, so that the loop need not count where in the key it is.
struct Repeated {
  uint8_t octets[256];

  explicit Repeated(Rc4Key key) {
    memcpy(octets, key.octets, key.length);
    for (size_t filled = key.length; filled < sizeof octets;) {
      const size_t more = filled < sizeof octets - filled ? filled : sizeof octets - filled;
      memcpy(octets + filled, octets, more);
      filled += more;
    }
  }
};

}  // namespace

void rc4Schedule(Rc4& stream, Rc4Key key) {
  const Repeated repeated(key);
  begin(stream);
  uint32_t* const table = stream.table;
  uint32_t j = 0;
#pragma GCC unroll 16
  for (uint32_t n = 0; n < 256; ++n) {
    const uint32_t x = table[n];
    j = (j + x + repeated.octets[n]) & 255;
    table[n] = table[j];
    table[j] = x;
  }
}

void rc4SchedulePair(Rc4& a, Rc4Key keyOfA, Rc4& b, Rc4Key keyOfB) {
  const Repeated repeatedA(keyOfA), repeatedB(keyOfB);
  begin(a);
  begin(b);
  uint32_t* const tableA = a.table;
  uint32_t* const tableB = b.table;
  uint32_t jA = 0, jB = 0;
#pragma GCC unroll 16
  for (uint32_t n = 0; n < 256; ++n) {
    const uint32_t xA = tableA[n], xB = tableB[n];
    jA = (jA + xA + repeatedA.octets[n]) & 255;
    jB = (jB + xB + repeatedB.octets[n]) & 255;
    const uint32_t yA = tableA[jA], yB = tableB[jB];
    tableA[n] = yA;
    tableB[n] = yB;
    tableA[jA] = xA;
    tableB[jB] = xB;
  }
}

void rc4Crypt(const Rc4Job& job) {
  Walk walk(*job.stream);
  cryptOne(walk, job.data, job.length);
  walk.leave(*job.stream);
}

void rc4CryptPair(const Rc4Job& a, const Rc4Job& b) {
  const size_t common = a.length < b.length ? a.length : b.length;
  Walk walkA(*a.stream), walkB(*b.stream);
  cryptPair(walkA, a.data, walkB, b.data, common);
  cryptOne(walkA, a.data + common, a.length - common);
  cryptOne(walkB, b.data + common, b.length - common);
  walkA.leave(*a.stream);
  walkB.leave(*b.stream);
}

}  // namespace pptp
