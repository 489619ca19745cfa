// Linux bridges of the host: found by name, so that an interface of ours may join one. Never made or changed
// here.
#pragma once

#include <cstdint>

namespace pptp {

/// The index of the bridge `name`. Returns 0 or an error number: ENODEV if no interface has that name,
/// EOPNOTSUPP if it is no bridge.
int bridgeFind(const char* name, uint32_t& index);

}  // namespace pptp
