// The sequence numbers of one call (RFC 2637 section 4.2 to 4.4): what the peer sends is put in order, each
// number is delivered at most once, and what must be acknowledged is remembered.
//
// Any first number is the base. A packet that comes early waits a little for those before it; the caller
// keeps its octets and we keep a reference. A packet that comes late, after the wait was given up, is still
// delivered, marked late: stateless MPPE and clear frames can use it. The peer's window size is not obeyed:
// it would throttle without protecting anybody. Times are the caller's, in microseconds of any steady clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pptp {

/// The caller's name for a packet buffer.
using PacketReference = uint32_t;

/// Early packets that may wait. Reordering on a path is a matter of a few packets; TCP inside the tunnel
/// takes three as a loss. Each pins one packet buffer.
inline constexpr size_t windowHeld = 32;

/// Numbers behind the newest that are remembered, to tell late from duplicate.
inline constexpr uint32_t windowRemembered = 256;

/// A number further ahead than this is not a gap but a stray: MPPE cannot follow it, the coherency count has
/// 12 bits.
inline constexpr uint32_t windowAhead = 4096;

/// Strays in a row, each close after the one before, after which the peer is believed to have restarted its
/// numbers.
inline constexpr uint8_t windowStrayRun = 8;

/// Most packets that one call can hand out at once: all that waited and the one that came.
inline constexpr size_t windowDeliveries = windowHeld + 1;

enum class Arrival : uint8_t {
  inOrder,    // delivered, perhaps with others that had waited for it
  early,      // kept; it, or others, may be delivered if the gap is given up
  late,       // delivered out of order: everything after it has gone already
  duplicate,  // this number was delivered or waits already: the caller frees the packet
  stray,      // too far from the window: the caller frees the packet
};
inline constexpr size_t arrivalCount = 5;

struct Delivery {
  PacketReference packet;
  uint32_t sequence;
  bool late;  // numbers behind this one were delivered or given up before
};

/// Deliveries in order, filled by one call; the caller empties it before the next.
struct Deliveries {
  Delivery entry[windowDeliveries];
  size_t count = 0;
  std::span<const Delivery> all() const { return {entry, count}; }
};

struct ReceiveWindow {
  uint32_t next = 0;    // the number that is due
  uint32_t newest = 0;  // highest number seen: what we acknowledge
  bool started = false;
  bool acknowledgmentDue = false;  // something came since the last acknowledgment left
  uint8_t strays = 0;              // length of the run of strays
  uint32_t lastStray = 0;
  uint64_t waitingSinceUs = 0;  // when the present gap opened; meaningful while heldMask is not 0
  uint32_t heldMask = 0;        // bit n: slot n of `held` waits; the slot is the number modulo windowHeld
  PacketReference held[windowHeld] = {};
  uint64_t seen[windowRemembered / 64] =
      {};  // bit (number modulo windowRemembered): delivered; covers the numbers just before `next`
};

/// A packet with a sequence number has come. What may go on, in order, is appended to `out`.
Arrival windowReceive(ReceiveWindow& window, uint32_t sequence, PacketReference packet, uint64_t nowUs,
                      Deliveries& out);

/// Whether packets wait, and since when; the caller calls windowRelease when that is too long ago.
inline bool windowWaits(const ReceiveWindow& window) { return window.heldMask != 0; }

/// Gives up the gaps: everything that waits is delivered in order. Also how a call gives back its buffers at
/// its end.
void windowRelease(ReceiveWindow& window, Deliveries& out);

/// Takes the acknowledgment number for a packet that is about to leave, and marks it as sent.
inline uint32_t windowAcknowledge(ReceiveWindow& window) {
  window.acknowledgmentDue = false;
  return window.newest;
}

/// The other direction: the numbers that we give, and the highest that the peer has acknowledged.
struct SendSequence {
  uint32_t next = 0;
  uint32_t acknowledged = 0;  // meaningful once hasAcknowledged
  bool hasAcknowledged = false;
};

/// Notes an acknowledgment; false if it names a packet that was never sent or moves backwards.
bool sendAcknowledged(SendSequence& send, uint32_t acknowledgment);

}  // namespace pptp
