// What one read from a TUN gives, and how much of it has been cut off already: a packet or a super-packet. It
// stays whole while its call waits for credit.
#pragma once

#include "bounds.h"
#include "segment.h"

namespace pptp {

struct SuperPacket {
  Segmenter segmenter;  // points into `octets`
  uint8_t octets[tunReadSize];
};

}  // namespace pptp
