// What the engine may not start without, checked before anything else happens, so that a missing privilege is
// one clear line and not a session that fails.
#pragma once

#include <string>

namespace pptp {

/// Empty if all is there; else one line that says what is missing and how to give it.
std::string missingPrivilege();

}  // namespace pptp
