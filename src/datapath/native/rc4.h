// RC4: the key schedule and the key stream, for one stream and for two at once.
// One RC4 stream is a chain of dependent loads and stores that leaves most of the processor idle; two
// independent streams fill the gaps (a third adds nothing, see the bench). Streams of unequal length may be
// paired: the common part runs interleaved, the rest alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pptp {

/// One stream: the permutation and its two indices. Plain data; copying it forks the stream. Entries are
/// words although their values are octets: a third faster than octets on Zen 3, where octet stores and the
/// loads after them get in each other's way.
struct alignas(64) Rc4 {
  uint32_t table[256];
  uint32_t i;
  uint32_t j;
};

/// One piece of work: `length` octets at `data` are XORed in place with the stream, which moves on.
struct Rc4Job {
  Rc4* stream;
  uint8_t* data;
  size_t length;
};

/// The key of one schedule. Length 1..256; MPPE uses 8 and 16.
struct Rc4Key {
  const uint8_t* octets;
  size_t length;
};

void rc4Schedule(Rc4& stream, Rc4Key key);
void rc4Crypt(const Rc4Job& job);

/// Two schedules at once; `a` and `b` are different streams.
void rc4SchedulePair(Rc4& a, Rc4Key keyOfA, Rc4& b, Rc4Key keyOfB);

/// Two jobs at once; their streams are different and their data does not overlap.
void rc4CryptPair(const Rc4Job& a, const Rc4Job& b);

}  // namespace pptp
