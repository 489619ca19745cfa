// SHA-1's block function twice: in plain C++, and with the x86 SHA instructions where the processor has them.
#include "sha1.h"

#include <bit>
#include <cstring>
#include <utility>

#include "bytes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pptp {

void sha1BlocksPortable(Sha1State& state, const uint8_t* blocks, size_t count) {
  for (; count > 0; --count, blocks += sha1BlockSize) {
    uint32_t schedule[16];
    for (size_t t = 0; t < 16; ++t) schedule[t] = load32(blocks + 4 * t);

    auto [a, b, c, d, e] = state.word;
    // The schedule is a ring of sixteen words: word t is made from those 3, 8, 14 and 16 before it.
    const auto step = [&](size_t t, uint32_t mixed, uint32_t constant) {
      if (t >= 16) {
        const uint32_t word =
            schedule[(t - 3) & 15] ^ schedule[(t - 8) & 15] ^ schedule[(t - 14) & 15] ^ schedule[t & 15];
        schedule[t & 15] = std::rotl(word, 1);
      }
      const uint32_t next = std::rotl(a, 5) + mixed + e + constant + schedule[t & 15];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    };
    for (size_t t = 0; t < 20; ++t) step(t, d ^ (b & (c ^ d)), 0x5A827999);
    for (size_t t = 20; t < 40; ++t) step(t, b ^ c ^ d, 0x6ED9EBA1);
    for (size_t t = 40; t < 60; ++t) step(t, (b & c) | (d & (b | c)), 0x8F1BBCDC);
    for (size_t t = 60; t < 80; ++t) step(t, b ^ c ^ d, 0xCA62C1D6);

    const uint32_t worked[5] = {a, b, c, d, e};
    for (size_t i = 0; i < 5; ++i) state.word[i] += worked[i];
  }
}

#if defined(__x86_64__)
namespace {

// One instruction does four rounds. `E` of a group is made from the group before it and four schedule words;
// the schedule words of the groups to come are prepared beside it, over a ring of four registers.
template <int group>
__attribute__((target("sha,sse4.1"), always_inline)) inline void fourRounds(__m128i& abcd, __m128i& before,
                                                                            __m128i (&words)[4]) {
  constexpr int now = group & 3;
  const __m128i e = group == 0 ? _mm_add_epi32(before, words[now]) : _mm_sha1nexte_epu32(before, words[now]);
  before = abcd;
  if constexpr (group >= 3 && group < 19)
    words[(now + 1) & 3] = _mm_sha1msg2_epu32(words[(now + 1) & 3], words[now]);
  abcd = _mm_sha1rnds4_epu32(abcd, e, group / 5);
  if constexpr (group >= 2 && group < 18)
    words[(now + 2) & 3] = _mm_xor_si128(words[(now + 2) & 3], words[now]);
  if constexpr (group >= 1 && group < 17)
    words[(now + 3) & 3] = _mm_sha1msg1_epu32(words[(now + 3) & 3], words[now]);
}

template <int... group>
__attribute__((target("sha,sse4.1"), always_inline)) inline void allRounds(
    __m128i& abcd, __m128i& before, __m128i (&words)[4], std::integer_sequence<int, group...>) {
  (fourRounds<group>(abcd, before, words), ...);
}

__attribute__((target("sha,sse4.1"))) void sha1BlocksX86(Sha1State& state, const uint8_t* blocks,
                                                         size_t count) {
  const __m128i bigEndian = _mm_set_epi64x(0x0001020304050607, 0x08090A0B0C0D0E0F);
  __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(state.word)), 0x1B);
  __m128i e = _mm_set_epi32(static_cast<int>(state.word[4]), 0, 0, 0);
  for (; count > 0; --count, blocks += sha1BlockSize) {
    const __m128i abcdBefore = abcd;
    const __m128i eBefore = e;
    __m128i words[4];
    for (size_t i = 0; i < 4; ++i) {
      words[i] =
          _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks + 16 * i)), bigEndian);
    }
    allRounds(abcd, e, words, std::make_integer_sequence<int, 20>());
    e = _mm_sha1nexte_epu32(e, eBefore);
    abcd = _mm_add_epi32(abcd, abcdBefore);
  }
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state.word), _mm_shuffle_epi32(abcd, 0x1B));
  state.word[4] = static_cast<uint32_t>(_mm_extract_epi32(e, 3));
}

}  // namespace
#endif

namespace {

using BlockFunction = void (*)(Sha1State&, const uint8_t*, size_t);

BlockFunction chooseBlockFunction() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  // Not every compiler names SHA in __builtin_cpu_supports: leaf 7, EBX bit 29.
  uint32_t a = 7, b = 0, c = 0, d = 0;
  asm("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  if ((b >> 29 & 1) && __builtin_cpu_supports("sse4.1")) return sha1BlocksX86;
#endif
  return sha1BlocksPortable;
}

const BlockFunction blockFunction = chooseBlockFunction();

}  // namespace

void sha1Blocks(Sha1State& state, const uint8_t* blocks, size_t count) {
  blockFunction(state, blocks, count);
}

bool sha1IsAccelerated() { return blockFunction != sha1BlocksPortable; }

void sha1Store(const Sha1State& state, uint8_t* out, size_t length) {
  uint8_t digest[sha1DigestSize];
  for (size_t i = 0; i < 5; ++i) store32(digest + 4 * i, state.word[i]);
  memcpy(out, digest, length);
}

std::array<uint8_t, sha1DigestSize> sha1(std::span<const uint8_t> message) {
  Sha1State state;
  const size_t whole = message.size() / sha1BlockSize;
  sha1Blocks(state, message.data(), whole);

  uint8_t tail[2 * sha1BlockSize] = {};
  const size_t rest = message.size() % sha1BlockSize;
  if (rest > 0) memcpy(tail, message.data() + whole * sha1BlockSize, rest);
  tail[rest] = 0x80;
  const size_t tailBlocks = rest < sha1BlockSize - 8 ? 1 : 2;
  const uint64_t bits = uint64_t{message.size()} * 8;
  store32(tail + tailBlocks * sha1BlockSize - 8, static_cast<uint32_t>(bits >> 32));
  store32(tail + tailBlocks * sha1BlockSize - 4, static_cast<uint32_t>(bits));
  sha1Blocks(state, tail, tailBlocks);

  std::array<uint8_t, sha1DigestSize> digest;
  sha1Store(state, digest.data(), digest.size());
  return digest;
}

}  // namespace pptp
