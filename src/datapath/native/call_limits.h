// What a call is held to: a rate for each direction, and how far its counters of octets may go. Asked for
// every network packet of a limited call; of others only by `receiveLimited` and `transmitLimited` of the
// call, which say that there is nothing to ask. Belongs to the call's worker.
#pragma once

#include <limits>

#include "bounds.h"
#include "contract.h"
#include "counters.h"
#include "token_bucket.h"

namespace pptp {

/// Compared with the counters themselves: nothing else is counted.
struct Quotas {
  static constexpr uint64_t none = std::numeric_limits<uint64_t>::max();

  uint64_t receiveOctets = none;
  uint64_t transmitOctets = none;
  uint64_t totalOctets = none;
  bool said = false;  // the event, of these quotas

  bool isReceiveSpent(const CallCounters& counters) const {
    return counters.receivedOctets.value() >= receiveOctets || isTotalSpent(counters);
  }
  bool isTransmitSpent(const CallCounters& counters) const {
    return counters.transmittedOctets.value() >= transmitOctets || isTotalSpent(counters);
  }
  bool isAnySpent(const CallCounters& counters) const {
    return isReceiveSpent(counters) || isTransmitSpent(counters);
  }

 private:
  bool isTotalSpent(const CallCounters& counters) const {
    return counters.receivedOctets.value() + counters.transmittedOctets.value() >= totalOctets;
  }
};

struct CallLimits {
  TokenBucket receive{{policerDepthUs, policerDepthOctets}};
  TokenBucket transmit{{shaperDepthUs, shaperDepthOctets}};
  Quotas quotas;

  bool isReceiveLimited() const {
    return receive.isOn() || quotas.receiveOctets != Quotas::none || quotas.totalOctets != Quotas::none;
  }
  bool isTransmitLimited() const {
    return transmit.isOn() || quotas.transmitOctets != Quotas::none || quotas.totalOctets != Quotas::none;
  }
};

}  // namespace pptp
