// Items that wait for their time, the earliest first. Every item keeps its own position, so that one that no
// longer wants to wait is taken out at once. Room for all is reserved: waiting takes no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "invariant.h"

namespace pptp {

/// Part of an item. `position` counts from 1; 0: it does not wait.
struct Waiting {
  uint64_t dueUs = 0;
  uint32_t position = 0;

  bool isOn() const { return position != 0; }
};

/// `Item` has a Waiting named `waiting`.
template <class Item>
class DueHeap {
 public:
  explicit DueHeap(size_t itemsMax) { items_.reserve(itemsMax); }

  bool isEmpty() const { return items_.empty(); }
  /// Of the first; only if there is one.
  uint64_t dueUs() const { return items_.front()->waiting.dueUs; }

  void add(Item& item, uint64_t dueUs) {
    invariant(!item.waiting.isOn(), "an item waits once");
    item.waiting.dueUs = dueUs;
    items_.push_back(&item);
    rise(items_.size() - 1);
  }

  void remove(Item& item) {
    const size_t at = item.waiting.position - 1;
    item.waiting.position = 0;
    Item* last = items_.back();
    items_.pop_back();
    if (last == &item) return;
    items_[at] = last;
    rise(at);
    sink(last->waiting.position - 1);
  }

  /// Takes out the first if its time has come; else null.
  Item* takeDue(uint64_t nowUs) {
    if (isEmpty() || dueUs() > nowUs) return nullptr;
    Item* first = items_.front();
    remove(*first);
    return first;
  }

 private:
  bool isBefore(size_t a, size_t b) const { return items_[a]->waiting.dueUs < items_[b]->waiting.dueUs; }

  void put(size_t at, Item* item) {
    items_[at] = item;
    item->waiting.position = static_cast<uint32_t>(at + 1);
  }

  void exchange(size_t a, size_t b) {
    Item* item = items_[a];
    put(a, items_[b]);
    put(b, item);
  }

  void rise(size_t at) {
    put(at, items_[at]);
    for (; at > 0 && isBefore(at, (at - 1) / 2); at = (at - 1) / 2) exchange(at, (at - 1) / 2);
  }

  void sink(size_t at) {
    for (size_t child = 2 * at + 1; child < items_.size(); child = 2 * at + 1) {
      if (child + 1 < items_.size() && isBefore(child + 1, child)) child++;
      if (!isBefore(child, at)) return;
      exchange(child, at);
      at = child;
    }
  }

  std::vector<Item*> items_;
};

}  // namespace pptp
