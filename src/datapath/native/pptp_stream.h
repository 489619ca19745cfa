// The boundaries of PPTP control messages in a TCP stream (RFC 2637 section 2): whole messages go on to
// control, so that a new control always starts at the start of one, and an Echo-Request is answered here
// while no control is there to do it. A stream that is not PPTP (another length, type or cookie) goes on
// untouched as it comes: judging it is control's business. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "ring.h"

namespace pptp {

class PptpStream {
 public:
  /// Takes received octets. What control should see is appended to `forward`; with `answer`, Echo-Requests
  /// are taken out, and the Echo-Replies appended to `replies`.
  void take(Octets received, bool answer, std::vector<uint8_t>& forward, std::vector<uint8_t>& replies);

  /// The stream has ended: the beginning of a message that will never be whole.
  Octets rest() const { return held_; }

 private:
  std::vector<uint8_t> held_;  // the beginning of a message
  bool isPptp_ = true;
};

}  // namespace pptp
