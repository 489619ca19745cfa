// What one read from a TUN or a TAP gives, and how much of it has been cut off already: a packet or a
// super-packet. It stays whole while its call waits for credit.
#pragma once

#include "bounds.h"
#include "segment.h"

namespace pptp {

struct Passage;

struct SuperPacket {
  Passage* from = nullptr;  // whose read it was
  Segmenter segmenter;      // points into `octets`
  uint8_t octets[tunReadSize];
};

}  // namespace pptp
