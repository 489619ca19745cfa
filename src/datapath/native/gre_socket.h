// The raw socket of one worker: IPv4, protocol 47, of which a filter in the kernel lets through only enhanced
// GRE whose Call ID names this worker. Every socket gets its own copy of a packet, so exactly one worker
// keeps it. One socket per call would be a trap: the kernel walks all raw sockets of a protocol for each
// packet.
#pragma once

#include <cstdint>

#include "descriptor.h"

namespace pptp {

/// Worker `index` of `count`, a power of two. An empty descriptor and errno on failure; EPERM means
/// CAP_NET_RAW is missing.
Descriptor greOpen(uint16_t index, uint16_t count);

/// Packets that the kernel threw away because nobody had read those before them; starts over after 2^32.
uint32_t greDrops(int socket);

}  // namespace pptp
