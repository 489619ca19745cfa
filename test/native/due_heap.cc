// The heap of those who wait: the earliest comes first, and anybody may leave at any time.
#include "due_heap.h"

#include <algorithm>

#include "check.h"

using namespace pptp;

namespace {

struct Item {
  Waiting waiting;
};

}  // namespace

LAW("nobody comes before his time, and then the earliest first") {
  DueHeap<Item> heap(3);
  Item early, late, never;
  heap.add(late, 20);
  heap.add(never, 1000);
  heap.add(early, 10);
  CHECK(heap.takeDue(9) == nullptr && heap.dueUs() == 10);
  CHECK(heap.takeDue(20) == &early && heap.takeDue(20) == &late && heap.takeDue(20) == nullptr);
  CHECK(!early.waiting.isOn() && never.waiting.isOn());
}

LAW("whoever comes, goes and leaves in whatever order, the first is always the earliest") {
  auto random = check::random();
  std::vector<Item> items(300);
  DueHeap<Item> heap(items.size());
  uint64_t now = 0;
  for (int step = 0; step < 200'000; ++step) {
    Item& item = items[random() % items.size()];
    if (item.waiting.isOn()) {
      heap.remove(item);
    } else {
      heap.add(item, now + random() % 100);
    }
    uint64_t earliest = ~uint64_t{0};
    if (step % 100 == 0) {
      for (const Item& each : items)
        if (each.waiting.isOn()) earliest = std::min(earliest, each.waiting.dueUs);
      CHECK(heap.isEmpty() ? earliest == ~uint64_t{0} : heap.dueUs() == earliest);
    }
    if (random() % 10 != 0) continue;
    now += random() % 20;
    uint64_t last = 0;
    while (const Item* due = heap.takeDue(now)) {
      CHECK(due->waiting.dueUs <= now && due->waiting.dueUs >= last);
      last = due->waiting.dueUs;
    }
    CHECK(heap.isEmpty() || heap.dueUs() > now);
  }
}
