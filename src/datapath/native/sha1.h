// SHA-1 (FIPS 180-4), only as much as MPPE's key change needs: whole blocks in, five words out.
// The x86 SHA instructions are taken when the processor has them; the portable function is always there,
// and the tests hold both equal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pptp {

inline constexpr size_t sha1BlockSize = 64;
inline constexpr size_t sha1DigestSize = 20;

struct Sha1State {
  uint32_t word[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
};

/// Absorbs `count` blocks of 64 octets with the fastest function of this processor.
void sha1Blocks(Sha1State& state, const uint8_t* blocks, size_t count);

/// The same in plain C++.
void sha1BlocksPortable(Sha1State& state, const uint8_t* blocks, size_t count);

/// Whether sha1Blocks uses the processor's SHA instructions.
bool sha1IsAccelerated();

/// Writes the first `length` (at most 20) octets of the state, big-endian.
void sha1Store(const Sha1State& state, uint8_t* out, size_t length);

/// The digest of a message of any length, padding included.
std::array<uint8_t, sha1DigestSize> sha1(std::span<const uint8_t> message);

}  // namespace pptp
