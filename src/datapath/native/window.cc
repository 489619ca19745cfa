// `next` divides the numbers: those before it are bits in `seen`, those after it may wait in `held`. All
// arithmetic is modulo 2^32.
#include "window.h"

#include <bit>
#include <cstring>

namespace pptp {

namespace {

static_assert(windowHeld == 32, "heldMask has one bit for each slot");

bool seenGet(const ReceiveWindow& window, uint32_t sequence) {
  const uint32_t bit = sequence % windowRemembered;
  return window.seen[bit / 64] >> (bit % 64) & 1;
}

void seenSet(ReceiveWindow& window, uint32_t sequence, bool value) {
  const uint32_t bit = sequence % windowRemembered;
  const uint64_t mask = uint64_t{1} << (bit % 64);
  if (value) {
    window.seen[bit / 64] |= mask;
  } else {
    window.seen[bit / 64] &= ~mask;
  }
}

bool holds(const ReceiveWindow& window, uint32_t sequence) {
  return window.heldMask >> (sequence % windowHeld) & 1;
}

/// The number that is due goes by: delivered or given up.
void pass(ReceiveWindow& window, bool delivered) {
  seenSet(window, window.next, delivered);
  ++window.next;
}

void deliverHeld(ReceiveWindow& window, Deliveries& out) {
  const uint32_t slot = window.next % windowHeld;
  out.entry[out.count++] = {window.held[slot], window.next, false};
  window.heldMask &= ~(uint32_t{1} << slot);
  pass(window, true);
}

/// Delivers what has become due without a gap.
void drain(ReceiveWindow& window, Deliveries& out) {
  while (holds(window, window.next)) deliverHeld(window, out);
}

/// Gives up numbers until `next` is `upTo`, delivering those that wait among them. Far jumps forget
/// everything at once.
void giveUp(ReceiveWindow& window, uint32_t upTo, Deliveries& out) {
  while (window.heldMask != 0 && window.next != upTo) {
    if (holds(window, window.next)) {
      deliverHeld(window, out);
    } else {
      pass(window, false);
    }
  }
  if (upTo - window.next >= windowRemembered) {
    memset(window.seen, 0, sizeof window.seen);
    window.next = upTo;
  }
  while (window.next != upTo) pass(window, false);
}

/// Starts anew at `sequence`; nothing before it has been seen.
void rebase(ReceiveWindow& window, uint32_t sequence, Deliveries& out) {
  windowRelease(window, out);
  memset(window.seen, 0, sizeof window.seen);
  window.next = sequence;
  window.newest = sequence;
  window.started = true;
}

bool isBefore(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) < 0; }

bool isOutside(const ReceiveWindow& window, uint32_t sequence) {
  const bool isOld = isBefore(sequence, window.next);
  return isOld ? window.next - sequence > windowRemembered : sequence - window.next > windowAhead;
}

/// Whether the peer seems to have restarted: strays that follow each other.
bool hasRestarted(ReceiveWindow& window, uint32_t sequence) {
  const uint32_t step = sequence - window.lastStray;
  const bool follows = window.strays > 0 && step > 0 && step <= windowHeld;
  window.strays = follows ? window.strays + 1 : 1;
  window.lastStray = sequence;
  return window.strays >= windowStrayRun;
}

Arrival receiveOld(ReceiveWindow& window, uint32_t sequence, PacketReference packet, Deliveries& out) {
  if (seenGet(window, sequence)) return Arrival::duplicate;
  seenSet(window, sequence, true);
  out.entry[out.count++] = {packet, sequence, true};
  return Arrival::late;
}

Arrival receiveDue(ReceiveWindow& window, uint32_t sequence, PacketReference packet, uint64_t nowUs,
                   Deliveries& out) {
  out.entry[out.count++] = {packet, sequence, false};
  pass(window, true);
  drain(window, out);
  window.waitingSinceUs = nowUs;  // if packets still wait, they wait for another gap
  return Arrival::inOrder;
}

Arrival receiveEarly(ReceiveWindow& window, uint32_t sequence, PacketReference packet, uint64_t nowUs,
                     Deliveries& out) {
  const uint32_t ahead = sequence - window.next;
  if (ahead < windowHeld && holds(window, sequence)) return Arrival::duplicate;

  const uint32_t gap = window.next;
  // The oldest gaps are given up until the newcomer has a slot.
  if (ahead >= windowHeld) giveUp(window, sequence - (windowHeld - 1), out);
  const bool isFirst = window.heldMask == 0;
  window.held[sequence % windowHeld] = packet;
  window.heldMask |= uint32_t{1} << (sequence % windowHeld);
  drain(window, out);
  if (isFirst || window.next != gap) window.waitingSinceUs = nowUs;
  return Arrival::early;
}

}  // namespace

Arrival windowReceive(ReceiveWindow& window, uint32_t sequence, PacketReference packet, uint64_t nowUs,
                      Deliveries& out) {
  if (!window.started) rebase(window, sequence, out);
  if (isOutside(window, sequence)) {
    if (!hasRestarted(window, sequence)) return Arrival::stray;
    rebase(window, sequence, out);
  }
  window.strays = 0;
  window.acknowledgmentDue = true;
  if (isBefore(sequence, window.next)) return receiveOld(window, sequence, packet, out);
  if (isBefore(window.newest, sequence)) window.newest = sequence;
  if (sequence == window.next) return receiveDue(window, sequence, packet, nowUs, out);
  return receiveEarly(window, sequence, packet, nowUs, out);
}

void windowRelease(ReceiveWindow& window, Deliveries& out) {
  while (window.heldMask != 0) {
    if (holds(window, window.next)) {
      deliverHeld(window, out);
    } else {
      pass(window, false);
    }
  }
}

bool sendAcknowledged(SendSequence& send, uint32_t acknowledgment) {
  const uint32_t oldest = send.hasAcknowledged ? send.acknowledged : 0;
  if (acknowledgment - oldest >= send.next - oldest) return false;
  send.acknowledged = acknowledgment;
  send.hasAcknowledged = true;
  return true;
}

}  // namespace pptp
