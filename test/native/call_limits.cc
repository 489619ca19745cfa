// Quotas: what the counters of a call say about them.
#include "call_limits.h"

#include "check.h"

using namespace pptp;

LAW("a call is limited in a direction only if something limits that direction") {
  CallLimits limits;
  CHECK(!limits.isReceiveLimited() && !limits.isTransmitLimited());
  limits.quotas.receiveOctets = 5;
  CHECK(limits.isReceiveLimited() && !limits.isTransmitLimited());
  limits.quotas = {};
  limits.quotas.totalOctets = 5;
  CHECK(limits.isReceiveLimited() && limits.isTransmitLimited());
  limits.quotas = {};
  limits.transmit.set({1000, 0, 0, 0}, 0);
  CHECK(!limits.isReceiveLimited() && limits.isTransmitLimited());
}

LAW("a quota is used up when its counter has reached it, the total when both together have") {
  CallCounters counters;
  Quotas quotas;
  counters.receivedOctets.set(~uint64_t{0} / 2);
  CHECK(!quotas.isAnySpent(counters));

  counters.receivedOctets.set(99);
  counters.transmittedOctets.set(50);
  quotas = {.receiveOctets = 100, .transmitOctets = 51, .totalOctets = 150};
  CHECK(!quotas.isAnySpent(counters));
  counters.receivedOctets.add();
  CHECK(quotas.isReceiveSpent(counters) && quotas.isTransmitSpent(counters));  // the total
  quotas.totalOctets = 151;
  CHECK(quotas.isReceiveSpent(counters) && !quotas.isTransmitSpent(counters));
  quotas.receiveOctets = 101;
  quotas.transmitOctets = 50;
  CHECK(!quotas.isReceiveSpent(counters) && quotas.isTransmitSpent(counters));
}
