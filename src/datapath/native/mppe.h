// MPPE (RFC 3078) with the session keys of RFC 3079: what enters is a PPP frame from its protocol field on,
// what leaves is the coherency header and the encrypted octets; and back.
//
// Sender and receiver are separate states, as each direction has its own key and count. Both take arrays of
// packets, of one call or of many, in the order in which they were sent or received, and work on them two by
// two: the key schedule of a packet runs beside the derivation of the next key, and the octets of two packets
// beside each other.
//
// GRE is not authenticated, so a receiver believes nothing before it has seen a sensible PPP protocol field:
// keys are derived on a copy and kept only when the packet turns out to be genuine. This file sends no
// Reset-Request and answers none; it says `lost` and is told mppeFlush().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mppe_keys.h"
#include "rc4.h"

namespace pptp {

/// Octets in front of the encrypted protocol field: four flag bits and the coherency count.
inline constexpr size_t mppeHeaderSize = 2;

/// Counts are 12 bits wide; what lies less than half of them ahead is new, the rest is old.
inline constexpr uint16_t mppeCountMask = 0x0FFF;
inline constexpr uint16_t mppeCountHalf = 0x0800;

/// Keys of skipped packets that are kept for late arrivals, per call. Equal to the window that ReceiveWindow
/// remembers, because a packet that it refuses never comes here.
inline constexpr size_t mppeSkippedKeys = 256;

/// Most key changes (stateless) that one packet may cause: about 0.1 ms. A longer gap, up to half of the
/// count space, is crossed in several packets, each taking this many steps, so that a forged count is cheap
/// and an outage is not the end.
inline constexpr size_t mppeStepsPerPacket = 256;

/// Refused packets in a row after which the keys are surely not the peer's (a gap of more than half the count
/// space looks like this): the owner should renegotiate CCP. A genuine packet clears the run.
inline constexpr uint16_t mppeFailureLimit = 512;

struct MppeTerms {
  MppeStrength strength;
  bool stateless;
};

struct MppeSender {
  MppeKeyChain chain;
  Rc4 stream;      // stateful only
  uint16_t count;  // of the next packet
  bool stateless;
  bool flushed;  // the next packet restarts the stream
};

struct MppeReceiver {
  MppeKeyChain chain;
  Rc4 stream;         // stateful only
  uint16_t expected;  // count of the next packet in order
  bool stateless;
  bool lost;            // stateful: a gap was seen; only a flushed packet helps
  uint16_t failures;    // refused packets since the last genuine one, saturating
  uint16_t scoutCount;  // stateless: how far an unfinished crossing of a long gap has come,
  MppeKey scoutKey;     // and the key of that count; idle while equal to `expected`
  uint16_t skippedCount[mppeSkippedKeys];  // which count the slot's key belongs to, or mppeNoCount
  MppeKey skippedKey[mppeSkippedKeys];
};
inline constexpr uint16_t mppeNoCount = 0xFFFF;

/// Starts a direction afresh. `startKey` is the 16-octet start key of RFC 3079; 40 and 56 bit use its
/// first 8.
void mppeInstall(MppeSender& sender, MppeTerms terms, const uint8_t startKey[16]);
void mppeInstall(MppeReceiver& receiver, MppeTerms terms, const uint8_t startKey[16]);

/// A Reset-Request has come: the next packet restarts the stream and says so. Nothing to do when stateless.
void mppeFlush(MppeSender& sender);

/// A packet to encrypt: `data` is the PPP protocol field and what follows. The two octets before `data` are
/// the caller's headroom and receive the MPPE header; the packet then starts at `data - mppeHeaderSize`.
struct MppePlain {
  MppeSender* sender;
  uint8_t* data;
  size_t length;
};

/// Encrypts in place, in order.
void mppeEncrypt(std::span<const MppePlain> packets);

enum class MppeResult : uint8_t {
  ok,           // decrypted, in order or after a gap
  lateOk,       // decrypted with the key of a skipped packet
  duplicate,    // this count was decrypted before
  tooFar,       // the count is neither new enough nor still remembered (or the gap is still being crossed)
  lost,         // stateful: out of step until a flushed packet comes; a Reset-Request is due
  malformed,    // shorter than a header and one octet, not encrypted, or compressed by MPPC
  badProtocol,  // the decrypted octets do not start with a network-layer protocol: not the peer's, or wrong
                // keys
};
inline constexpr size_t mppeResultCount = 7;

/// A packet to decrypt: `data` is the MPPE header. After `ok` and `lateOk` the PPP protocol field
/// stands at `data + mppeHeaderSize`; after any other result the octets are worthless.
struct MppeCipher {
  MppeReceiver* receiver;
  uint8_t* data;
  size_t length;
  MppeResult result;
};

/// Decrypts in place, in order, and sets every result.
void mppeDecrypt(std::span<MppeCipher> packets);

/// Whether so many packets were refused that the keys must be taken for lost.
inline bool mppeOutOfStep(const MppeReceiver& receiver) { return receiver.failures >= mppeFailureLimit; }

}  // namespace pptp
