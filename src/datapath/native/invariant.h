// What must be true. A broken invariant is our bug: the process ends at once and is started again, which is
// safer than a privileged process that goes on with wrong state.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace pptp {

inline void invariant(bool holds, const char* what) {
  if (holds) [[likely]]
    return;
  fprintf(stderr, "pptp-engine: broken invariant: %s\n", what);
  abort();
}

}  // namespace pptp
