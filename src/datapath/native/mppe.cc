// MPPE's sender, and the receiver's decisions about counts. See the header for the laws.
#include "mppe.h"

#include <cstring>

#include "bcp.h"
#include "bytes.h"
#include "ppp_frame.h"

namespace pptp {

namespace {

// The header's flag bits, RFC 3078 section 3.1.
constexpr uint16_t flushedBit = 0x8000;     // A
constexpr uint16_t compressedBit = 0x2000;  // C: MPPC, which we never negotiate
constexpr uint16_t encryptedBit = 0x1000;   // D

constexpr bool isFlagPacket(uint16_t count) { return (count & 0xFF) == 0xFF; }

// Sending.

/// Writes the header and says with which stream the packet is to be encrypted: `spare` or the sender's own.
Rc4Job beginEncrypt(const MppePlain& packet, Rc4& spare) {
  MppeSender& sender = *packet.sender;
  uint16_t flags = encryptedBit;
  Rc4* stream = &spare;
  if (sender.stateless) {
    flags |= flushedBit;
    mppeChainScheduleAndChange(sender.chain, sender.chain.key, spare, sender.chain.key);
  } else {
    stream = &sender.stream;
    // After a Reset-Request RFC 3078 restarts the stream with the current key, Linux's ppp_mppe with the next
    // one. Every peer changes the key exactly once at a flag packet that is flushed too, so the restart moves
    // on to the next of those.
    if (sender.flushed) sender.count |= 0xFF;
    sender.flushed = false;
    if (isFlagPacket(sender.count)) {
      flags |= flushedBit;
      mppeChainChange(sender.chain, sender.chain.key, sender.chain.key);
      rc4Schedule(sender.stream, {sender.chain.key, sender.chain.keyLength});
    }
  }
  store16(packet.data - mppeHeaderSize, flags | sender.count);
  sender.count = (sender.count + 1) & mppeCountMask;
  return {stream, packet.data, packet.length};
}

// Receiving.

/// A packet between the choice of its key and the verdict on its octets. Nothing here is the receiver's yet.
struct Lane {
  MppeCipher* packet;
  uint16_t count;
  bool isLate;
  MppeKey key;      // stateless: of this packet; stateful: current from this packet on
  MppeKey nextKey;  // stateless
  Rc4 stream;
  size_t skipped;  // keys of the counts just before this one
  MppeKey skippedKey[mppeStepsPerPacket];
};

/// Whether decrypted octets begin like a packet that we can have agreed to: IPv4 or IPv6 of the right
/// version, or a bridged Ethernet frame. MPPE may carry all of 0x0021 to 0x00FA [RFC 3078 3], but a
/// compressed field of any odd octet would let half of all forged packets through, each of which moves the
/// key; this way it is one in two thousand.
bool isPlausible(const uint8_t* data, size_t length) {
  PppFrame frame;
  if (!pppParseProtocol(data, length, frame) || frame.length == 0) return false;
  if (frame.protocol == pppBridging) return bcpBegins(frame.payload, frame.length);
  const int version = frame.payload[0] >> 4;
  return (frame.protocol == pppIpv4 && version == 4) || (frame.protocol == pppIpv6 && version == 6);
}

bool refuse(MppeCipher& packet, MppeResult result) {
  uint16_t& failures = packet.receiver->failures;
  if (failures < UINT16_MAX) ++failures;
  packet.result = result;
  return false;
}

bool prepareLate(Lane& lane) {
  MppeReceiver& receiver = *lane.packet->receiver;
  const uint16_t behind = (receiver.expected - lane.count) & mppeCountMask;
  if (behind > mppeSkippedKeys) return refuse(*lane.packet, MppeResult::tooFar);
  const size_t slot = lane.count % mppeSkippedKeys;
  if (receiver.skippedCount[slot] != lane.count) return refuse(*lane.packet, MppeResult::duplicate);
  lane.isLate = true;
  rc4Schedule(lane.stream, {receiver.skippedKey[slot], receiver.chain.keyLength});
  return true;
}

/// Derives the keys from `lane.key`, which belongs to the count `steps` before the packet's, to the packet's
/// own.
void crossGap(Lane& lane, size_t steps) {
  MppeKeyChain& chain = lane.packet->receiver->chain;
  for (lane.skipped = 0; lane.skipped < steps; ++lane.skipped) {
    memcpy(lane.skippedKey[lane.skipped], lane.key, sizeof lane.key);
    mppeChainChange(chain, lane.key, lane.key);
  }
}

/// Crosses a gap that is too long for one packet, from where the last one left off. False while the packet's
/// count is out of reach.
bool crossLongGap(Lane& lane, uint16_t ahead) {
  MppeReceiver& receiver = *lane.packet->receiver;
  const uint16_t scouted = (receiver.scoutCount - receiver.expected) & mppeCountMask;
  const bool isUsable = scouted > 0 && scouted <= ahead;
  const uint16_t rest = isUsable ? ahead - scouted : ahead;
  const uint16_t steps = rest < mppeStepsPerPacket ? rest : mppeStepsPerPacket;
  if (isUsable) memcpy(lane.key, receiver.scoutKey, sizeof lane.key);
  crossGap(lane, steps);
  receiver.scoutCount = (lane.count - rest + steps) & mppeCountMask;
  memcpy(receiver.scoutKey, lane.key, sizeof lane.key);
  return steps == rest;
}

bool prepareStateless(Lane& lane) {
  MppeReceiver& receiver = *lane.packet->receiver;
  const uint16_t ahead = (lane.count - receiver.expected) & mppeCountMask;
  if (ahead >= mppeCountHalf) return prepareLate(lane);
  memcpy(lane.key, receiver.chain.key, sizeof lane.key);
  if (ahead <= mppeStepsPerPacket) {
    crossGap(lane, ahead);
  } else if (!crossLongGap(lane, ahead)) {
    return refuse(*lane.packet, MppeResult::tooFar);
  }
  mppeChainScheduleAndChange(receiver.chain, lane.key, lane.stream, lane.nextKey);
  return true;
}

/// Prepares the packet that directly follows one of the same receiver whose verdict is still out.
void prepareNext(Lane& lane, const Lane& before) {
  memcpy(lane.key, before.nextKey, sizeof lane.key);
  mppeChainScheduleAndChange(lane.packet->receiver->chain, lane.key, lane.stream, lane.nextKey);
}

/// The same, before the packet is touched: on its first octets and a fork of the stream.
bool startsPlausibly(const Rc4& stream, const MppeCipher& packet) {
  Rc4 fork = stream;
  uint8_t start[pppProtocolSize + bcpHeaderSize];
  const size_t length =
      packet.length - mppeHeaderSize < sizeof start ? packet.length - mppeHeaderSize : sizeof start;
  memcpy(start, packet.data + mppeHeaderSize, length);
  rc4Crypt({&fork, start, length});
  return isPlausible(start, length);
}

bool prepareStateful(Lane& lane, bool isFlushed) {
  MppeReceiver& receiver = *lane.packet->receiver;
  const uint16_t ahead = (lane.count - receiver.expected) & mppeCountMask;
  if (ahead >= mppeCountHalf) return refuse(*lane.packet, MppeResult::tooFar);
  if (!isFlushed && (receiver.lost || ahead > 0)) {
    receiver.lost = true;
    return refuse(*lane.packet, MppeResult::lost);
  }

  // Each flag packet changes the key, those that were lost too: nine at most.
  const uint32_t changes = ((receiver.expected + ahead + 1) >> 8) - (receiver.expected >> 8);
  memcpy(lane.key, receiver.chain.key, sizeof lane.key);
  for (uint32_t n = 0; n < changes; ++n) mppeChainChange(receiver.chain, lane.key, lane.key);
  if (!isFlushed && changes == 0) {
    lane.stream = receiver.stream;
    return true;
  }
  const Rc4Key key = {lane.key, receiver.chain.keyLength};
  rc4Schedule(lane.stream, key);
  // Departs from RFC 3078 section 7.2: Linux's ppp_mppe changes the key at every flushed packet, not at flag
  // packets only.
  if (!isFlagPacket(lane.count) && !startsPlausibly(lane.stream, *lane.packet)) {
    mppeChainChange(receiver.chain, lane.key, lane.key);
    rc4Schedule(lane.stream, key);
  }
  return true;
}

bool prepare(Lane& lane, MppeCipher& packet, const Lane* before) {
  lane.packet = &packet;
  lane.isLate = false;
  lane.skipped = 0;
  const uint16_t header = packet.length > mppeHeaderSize ? load16(packet.data) : 0;
  if (!(header & encryptedBit) || (header & compressedBit)) return refuse(packet, MppeResult::malformed);
  lane.count = header & mppeCountMask;
  if (before != nullptr) {
    prepareNext(lane, *before);
    return true;
  }
  return packet.receiver->stateless ? prepareStateless(lane) : prepareStateful(lane, header & flushedBit);
}

/// Whether the packet can be prepared before the verdict on `lane` is known although both have one receiver.
bool followsDirectly(const Lane& lane, const MppeCipher& packet) {
  if (!packet.receiver->stateless || lane.isLate || packet.length <= mppeHeaderSize) return false;
  return (load16(packet.data) & mppeCountMask) == ((lane.count + 1) & mppeCountMask);
}

void rememberSkipped(MppeReceiver& receiver, uint16_t count, const MppeKey& key) {
  const size_t slot = count % mppeSkippedKeys;
  receiver.skippedCount[slot] = count;
  memcpy(receiver.skippedKey[slot], key, sizeof key);
}

void rememberSkipped(MppeReceiver& receiver, const Lane& lane) {
  for (size_t n = 0; n < lane.skipped; ++n) {
    rememberSkipped(receiver, (lane.count - lane.skipped + n) & mppeCountMask, lane.skippedKey[n]);
  }
}

void commitStateless(const Lane& lane, const Lane* refusedBefore) {
  MppeReceiver& receiver = *lane.packet->receiver;
  // A long gap leaves counts without keys: whatever their slots hold is from before.
  if (((lane.count - receiver.expected) & mppeCountMask) > mppeStepsPerPacket) {
    memset(receiver.skippedCount, 0xFF, sizeof receiver.skippedCount);
  }
  if (refusedBefore != nullptr) {
    rememberSkipped(receiver, *refusedBefore);
    rememberSkipped(receiver, refusedBefore->count, refusedBefore->key);
  }
  rememberSkipped(receiver, lane);
  receiver.skippedCount[lane.count % mppeSkippedKeys] = mppeNoCount;
  memcpy(receiver.chain.key, lane.nextKey, sizeof lane.nextKey);
  receiver.expected = (lane.count + 1) & mppeCountMask;
  receiver.scoutCount = receiver.expected;
}

void commitStateful(const Lane& lane) {
  MppeReceiver& receiver = *lane.packet->receiver;
  memcpy(receiver.chain.key, lane.key, sizeof lane.key);
  receiver.stream = lane.stream;
  receiver.expected = (lane.count + 1) & mppeCountMask;
  receiver.lost = false;
}

/// The verdict, after decryption. `refusedBefore` is the lane whose next key this one took, if that packet
/// was refused.
bool settle(const Lane& lane, const Lane* refusedBefore) {
  MppeCipher& packet = *lane.packet;
  MppeReceiver& receiver = *packet.receiver;
  if (!isPlausible(packet.data + mppeHeaderSize, packet.length - mppeHeaderSize)) {
    return refuse(packet, MppeResult::badProtocol);
  }
  if (lane.isLate) {
    receiver.skippedCount[lane.count % mppeSkippedKeys] = mppeNoCount;
  } else if (receiver.stateless) {
    commitStateless(lane, refusedBefore);
  } else {
    commitStateful(lane);
  }
  receiver.failures = 0;
  packet.result = lane.isLate ? MppeResult::lateOk : MppeResult::ok;
  return true;
}

Rc4Job jobOf(Lane& lane) {
  return {&lane.stream, lane.packet->data + mppeHeaderSize, lane.packet->length - mppeHeaderSize};
}

}  // namespace

void mppeInstall(MppeSender& sender, MppeTerms terms, const uint8_t startKey[16]) {
  sender = {};
  sender.stateless = terms.stateless;
  mppeChainInstall(sender.chain, terms.strength, startKey);
  if (terms.stateless) {
    mppeChainChange(sender.chain, sender.chain.key, sender.chain.key);
  } else {
    rc4Schedule(sender.stream, {sender.chain.key, sender.chain.keyLength});
  }
}

void mppeInstall(MppeReceiver& receiver, MppeTerms terms, const uint8_t startKey[16]) {
  receiver = {};
  receiver.stateless = terms.stateless;
  memset(receiver.skippedCount, 0xFF, sizeof receiver.skippedCount);
  mppeChainInstall(receiver.chain, terms.strength, startKey);
  if (terms.stateless) {
    mppeChainChange(receiver.chain, receiver.chain.key, receiver.chain.key);
  } else {
    rc4Schedule(receiver.stream, {receiver.chain.key, receiver.chain.keyLength});
  }
}

void mppeFlush(MppeSender& sender) { sender.flushed = !sender.stateless; }

void mppeEncrypt(std::span<const MppePlain> packets) {
  Rc4 spare[2];
  Rc4Job waiting = {};
  for (const MppePlain& packet : packets) {
    // A stateful stream cannot run beside itself.
    if (waiting.stream == &packet.sender->stream) {
      rc4Crypt(waiting);
      waiting.stream = nullptr;
    }
    const Rc4Job job = beginEncrypt(packet, spare[waiting.stream == nullptr ? 0 : 1]);
    if (waiting.stream == nullptr) {
      waiting = job;
    } else {
      rc4CryptPair(waiting, job);
      waiting.stream = nullptr;
    }
  }
  if (waiting.stream != nullptr) rc4Crypt(waiting);
}

void mppeDecrypt(std::span<MppeCipher> packets) {
  Lane first, second;
  bool isWaiting = false;  // `first` is prepared
  for (MppeCipher& packet : packets) {
    const bool isSame = isWaiting && first.packet->receiver == packet.receiver;
    if (isSame && !followsDirectly(first, packet)) {
      rc4Crypt(jobOf(first));
      settle(first, nullptr);
      isWaiting = false;
    }
    if (!isWaiting) {
      isWaiting = prepare(first, packet, nullptr);
    } else if (prepare(second, packet, isSame ? &first : nullptr)) {
      rc4CryptPair(jobOf(first), jobOf(second));
      const bool isFirstGood = settle(first, nullptr);
      settle(second, isSame && !isFirstGood ? &first : nullptr);
      isWaiting = false;
    }
  }
  if (isWaiting) {
    rc4Crypt(jobOf(first));
    settle(first, nullptr);
  }
}

}  // namespace pptp
