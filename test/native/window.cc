// The receive window: laws on small cases, and long seeded runs against a model that remembers everything.
#include "window.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "check.h"

using namespace pptp;

namespace {

std::vector<uint32_t> sequences(const Deliveries& out) {
  std::vector<uint32_t> all;
  for (const Delivery& delivery : out.all()) all.push_back(delivery.sequence);
  return all;
}

/// Feeds numbers and says what came out, in order.
struct Feed {
  ReceiveWindow window;
  std::vector<uint32_t> delivered;
  Arrival last = Arrival::stray;

  Feed& operator()(uint32_t sequence, uint64_t nowUs = 0) {
    Deliveries out;
    last = windowReceive(window, sequence, sequence ^ 0xABCD, nowUs, out);
    for (const Delivery& delivery : out.all()) {
      CHECK(delivery.packet == (delivery.sequence ^ 0xABCD));
      delivered.push_back(delivery.sequence);
    }
    return *this;
  }
};

using Numbers = std::vector<uint32_t>;

}  // namespace

LAW("any first number is the base, and numbers wrap") {
  Feed feed;
  feed(0xFFFFFFFE)(0xFFFFFFFF)(0)(1);
  CHECK(feed.delivered == Numbers({0xFFFFFFFE, 0xFFFFFFFF, 0, 1}));
  CHECK(feed.last == Arrival::inOrder);
}

LAW("an early packet waits for those before it") {
  Feed feed;
  feed(10)(12)(13);
  CHECK(feed.last == Arrival::early && feed.delivered == Numbers({10}) && windowWaits(feed.window));
  feed(11);
  CHECK(feed.delivered == Numbers({10, 11, 12, 13}) && !windowWaits(feed.window));
}

LAW("a packet that comes after the wait was given up is delivered late, and once") {
  Feed feed;
  feed(10)(12);
  Deliveries out;
  windowRelease(feed.window, out);
  CHECK(sequences(out) == Numbers({12}));
  feed(11);
  CHECK(feed.last == Arrival::late && feed.delivered.back() == 11);
  feed(11);
  CHECK(feed.last == Arrival::duplicate);
}

LAW("a duplicate is a duplicate whether it was delivered or waits") {
  Feed feed;
  feed(1)(1);
  CHECK(feed.last == Arrival::duplicate);
  feed(3)(3);
  CHECK(feed.last == Arrival::duplicate && feed.delivered == Numbers({1}));
}

LAW("a gap that grows beyond the queue is given up, oldest first") {
  Feed feed;
  feed(0);
  for (uint32_t sequence = 2; sequence <= windowHeld; ++sequence) feed(sequence);
  CHECK(feed.delivered == Numbers({0}));
  feed(windowHeld + 1);
  CHECK(feed.delivered.size() == windowHeld + 1 && feed.delivered.back() == windowHeld + 1);
}

LAW("the wait counts from when the present gap opened") {
  Feed feed;
  feed(0, 100)(2, 200)(5, 300);
  CHECK(feed.window.waitingSinceUs == 200);
  feed(1, 400);
  CHECK(windowWaits(feed.window) && feed.window.waitingSinceUs == 400);
}

LAW("a peer that restarts its numbers is followed after a bounded run, and a lone stray changes nothing") {
  Feed feed;
  feed(1000000)(5);
  CHECK(feed.last == Arrival::stray);
  feed(1000001);
  CHECK(feed.last == Arrival::inOrder);
  for (uint32_t sequence = 0; sequence < windowStrayRun - 1u; ++sequence) {
    feed(sequence);
    CHECK(feed.last == Arrival::stray);
  }
  feed(windowStrayRun - 1);
  CHECK(feed.last == Arrival::inOrder && feed.delivered.back() == windowStrayRun - 1u);
}

LAW("the acknowledgment is the highest number seen, due once") {
  Feed feed;
  feed(7)(9);
  CHECK(feed.window.acknowledgmentDue);
  CHECK(windowAcknowledge(feed.window) == 9);
  CHECK(!feed.window.acknowledgmentDue);
  feed(8);
  CHECK(feed.window.acknowledgmentDue && windowAcknowledge(feed.window) == 9);
}

LAW("an acknowledgment of what was never sent, or backwards, is refused") {
  SendSequence send;
  CHECK(!sendAcknowledged(send, 0));
  send.next = 5;
  CHECK(sendAcknowledged(send, 3));
  CHECK(!sendAcknowledged(send, 5));
  CHECK(!sendAcknowledged(send, 2));
  CHECK(sendAcknowledged(send, 4) && send.acknowledged == 4);
}

LAW("under loss, reordering and duplication every number is delivered at most once, in order unless late, "
    "and no buffer is lost") {
  auto random = check::random();
  for (int run = 0; run < 200; ++run) {
    ReceiveWindow window;
    const auto base = static_cast<uint32_t>(random());
    const unsigned lossPercent = random() % 20, duplicatePercent = random() % 10;
    const unsigned spread = 1 + random() % 60;
    // Each number gets a time of arrival near its turn; some get none, some two.
    std::multimap<uint64_t, uint32_t> arrivals;
    for (uint32_t n = 0; n < 3000; ++n) {
      if (random() % 100 >= lossPercent || n == 0) arrivals.emplace(n == 0 ? 0 : n + random() % spread, n);
      if (random() % 100 < duplicatePercent) arrivals.emplace(n + 1 + random() % (2 * spread), n);
    }

    std::set<uint32_t> came, delivered;
    std::set<PacketReference> owned;  // buffers that the window keeps
    uint32_t highest = 0;
    const auto take = [&](const Deliveries& out) {
      for (const Delivery& delivery : out.all()) {
        const uint32_t n = delivery.sequence - base;
        CHECK(delivered.insert(n).second);
        CHECK(owned.erase(delivery.packet) == 1);
        if (delivery.late) continue;
        CHECK(n >= highest);
        highest = n + 1;
      }
    };
    PacketReference reference = 0;
    for (const auto& [time, n] : arrivals) {
      Deliveries out;
      owned.insert(++reference);
      const Arrival arrival = windowReceive(window, base + n, reference, time, out);
      const bool isNew = came.insert(n).second;
      CHECK(arrival != Arrival::stray);
      CHECK((arrival == Arrival::duplicate) == !isNew);
      if (arrival == Arrival::duplicate) owned.erase(reference);
      take(out);
      CHECK(owned.size() <= windowHeld);
      if (random() % 50 == 0) {
        Deliveries released;
        windowRelease(window, released);
        take(released);
      }
    }
    Deliveries rest;
    windowRelease(window, rest);
    take(rest);
    CHECK(owned.empty());
    CHECK(delivered == came);
  }
}
