// TUN and TAP interfaces: made by name; TUNs with super-packets (TSO, and USO where the kernel has it) in
// both directions, TAPs frame by frame. They are not persistent: when the process ends, however it ends, the
// kernel removes them with their addresses and routes.
#pragma once

#include <cstdint>

#include "descriptor.h"

namespace pptp {

struct TunInterface {
  Descriptor descriptor;  // does not block
  uint32_t index = 0;
};

/// Opens the device through which interfaces are made: fails if it or the right to use it is missing.
Descriptor tunDevice();

/// Makes the interface `name`, down. Returns 0 or an error number: EEXIST if the name is taken, EINVAL if
/// Linux allows no such name.
int tunOpen(const char* name, TunInterface& made);

/// Makes the TAP `name` likewise: a port for a bridge, whose address is higher than any network card's,
/// because a Linux bridge takes the lowest of its ports' for its own, and must not change it when a session
/// comes or goes.
int tapOpen(const char* name, TunInterface& made);

/// Whether this kernel (Linux 6.2 and newer) takes and gives UDP super-packets on a TUN.
bool tunMergesUdp();

}  // namespace pptp
