// The session keys of one direction of MPPE (RFC 3078 section 7.3, RFC 3079 sections 2.4 and 3.4): a start
// key goes in, and one key after the other comes out. Which key belongs to which packet is not known here.
#pragma once

#include <cstdint>

#include "rc4.h"

namespace pptp {

enum class MppeStrength : uint8_t { bits40, bits56, bits128 };

/// Room for the longest key; 40 and 56 bit use the first 8 octets.
using MppeKey = uint8_t[16];

/// One direction's key and how it changes. The SHA-1 message stands ready padded; only
/// the session key inside it is replaced.
struct MppeKeyChain {
  alignas(64) uint8_t message[128];
  MppeKey key;  // stateless: of the next packet; stateful: the current one
  uint8_t keyLength;
  uint8_t saltLength;  // leading octets that RFC 3079 fixes: 3 for 40 bit, 1 for 56, none for 128
};

/// Lays out the padded SHA-1 message and derives the initial session key.
void mppeChainInstall(MppeKeyChain& chain, MppeStrength strength, const uint8_t* startKey);

/// `next` becomes the key after `key`; they may be the same array. Of the chain only its message is used, so
/// any key may be given.
void mppeChainChange(MppeKeyChain& chain, const MppeKey& key, MppeKey& next);

/// Schedules `stream` with `key` and derives the next key beside it, for little more than the price of one.
void mppeChainScheduleAndChange(MppeKeyChain& chain, const MppeKey& key, Rc4& stream, MppeKey& next);

}  // namespace pptp
