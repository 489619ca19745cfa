// The key change of MPPE as RFC 3079 spells it out, on a message that stands ready padded.
#include "mppe_keys.h"

#include <cstring>

#include "bytes.h"
#include "sha1.h"

namespace pptp {

namespace {

constexpr size_t padSize = 40;  // of each pad in the SHA-1 message, RFC 3079 section 2.4 and 3.4

/// First half of a key change: the hash of start key and session key.
void hashKey(MppeKeyChain& chain, const MppeKey& key, MppeKey& interim) {
  memcpy(chain.message + chain.keyLength + padSize, key, chain.keyLength);
  Sha1State state;
  sha1Blocks(state, chain.message, 2);
  sha1Store(state, interim, chain.keyLength);
}

/// Weakens a key to the negotiated strength [RFC 3079 2.1, 2.2].
void saltKey(const MppeKeyChain& chain, MppeKey& key) {
  static constexpr uint8_t salts[2][3] = {{0xD1}, {0xD1, 0x26, 0x9E}};
  if (chain.saltLength > 0) memcpy(key, salts[chain.saltLength == 3], chain.saltLength);
}

/// Second half: the hash encrypted with itself, by a stream scheduled with it.
void finishKey(const MppeKeyChain& chain, Rc4& interimStream, const MppeKey& interim, MppeKey& next) {
  memcpy(next, interim, sizeof next);
  rc4Crypt({&interimStream, next, chain.keyLength});
  saltKey(chain, next);
}

}  // namespace

void mppeChainChange(MppeKeyChain& chain, const MppeKey& key, MppeKey& next) {
  MppeKey interim = {};
  hashKey(chain, key, interim);
  Rc4 interimStream;
  rc4Schedule(interimStream, {interim, chain.keyLength});
  finishKey(chain, interimStream, interim, next);
}

void mppeChainScheduleAndChange(MppeKeyChain& chain, const MppeKey& key, Rc4& stream, MppeKey& next) {
  MppeKey interim = {};
  hashKey(chain, key, interim);
  Rc4 interimStream;
  rc4SchedulePair(stream, {key, chain.keyLength}, interimStream, {interim, chain.keyLength});
  finishKey(chain, interimStream, interim, next);
}

void mppeChainInstall(MppeKeyChain& chain, MppeStrength strength, const uint8_t* startKey) {
  chain = {};
  chain.keyLength = strength == MppeStrength::bits128 ? 16 : 8;
  chain.saltLength = strength == MppeStrength::bits40 ? 3 : strength == MppeStrength::bits56 ? 1 : 0;

  const size_t length = chain.keyLength;
  const size_t messageLength = 2 * (length + padSize);
  memcpy(chain.message, startKey, length);
  memset(chain.message + 2 * length + padSize, 0xF2, padSize);
  chain.message[messageLength] = 0x80;
  store16(chain.message + sizeof chain.message - 2, static_cast<uint16_t>(8 * messageLength));

  memcpy(chain.key, startKey, length);
  hashKey(chain, chain.key, chain.key);
  saltKey(chain, chain.key);
}

}  // namespace pptp
