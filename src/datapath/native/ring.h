// The way between two threads: a bounded ring of contract messages with one producer and one consumer,
// without locks. Records are whole messages (header, fields, tail), each contiguous and aligned to 8 octets,
// so that the consumer reads them in place. The consumer sleeps on an eventfd that the producer rings once
// per turn, not once per record.
#pragma once

#include <sys/eventfd.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <span>

#include "contract.h"
#include "descriptor.h"
#include "invariant.h"

namespace pptp {

using Octets = std::span<const uint8_t>;

/// A message with its tail, as it lies in a ring or a buffer.
struct MessageView {
  const uint8_t* at;

  contract::Header header() const {
    contract::Header header;
    memcpy(&header, at, sizeof header);
    return header;
  }
  uint16_t type() const { return header().type; }

  /// The fields; what the message is too short for stays zero.
  template <class Message>
  Message as() const {
    Message message{};
    const size_t present = header().size - contract::headerSize;
    memcpy(static_cast<void*>(&message), at + contract::headerSize,
           present < Message::size ? present : Message::size);
    return message;
  }

  template <class Message>
  Octets tail() const {
    const size_t start = contract::headerSize + Message::size;
    return {at + start, header().size > start ? header().size - start : 0};
  }

  Octets octets() const { return {at, header().size}; }
};

class Ring {
 public:
  /// `capacity` is a power of two. Memory that is never reached is never taken from the kernel.
  explicit Ring(size_t capacity) : capacity_(capacity), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    void* memory = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    invariant(memory != MAP_FAILED && wake_ && (capacity & (capacity - 1)) == 0,
              "a ring has memory and an eventfd");
    memory_ = static_cast<uint8_t*>(memory);
  }
  ~Ring() { munmap(memory_, capacity_); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // --- Producer ---

  /// Room for a message of `size` octets, or null if fewer than `size + reserve` octets are free. publish()
  /// makes it visible.
  uint8_t* claim(size_t size, size_t reserve = 0) {
    const size_t space = aligned(size);
    const size_t at = tail_ & (capacity_ - 1);
    const size_t skip = at + space > capacity_ ? capacity_ - at : 0;
    const size_t used = tail_ - head_.load(std::memory_order_acquire);
    if (used + skip + space + reserve > capacity_) return nullptr;
    if (skip != 0) {
      memset(memory_ + at, 0, sizeof(contract::Header));  // a size of 0 sends the consumer to the start
      tail_ += skip;
    }
    return memory_ + (tail_ & (capacity_ - 1));
  }

  void publish(size_t size) {
    tail_ += aligned(size);
    published_.store(tail_, std::memory_order_release);
    unrung_ = true;
  }

  template <class Message>
  bool push(const Message& message, Octets tail = {}, size_t reserve = 0) {
    const size_t size = contract::headerSize + Message::size + tail.size();
    uint8_t* at = claim(size, reserve);
    if (at == nullptr) return false;
    const contract::Header header{static_cast<uint32_t>(size), Message::type, 0};
    memcpy(at, &header, sizeof header);
    memcpy(at + contract::headerSize, static_cast<const void*>(&message), Message::size);
    if (!tail.empty()) memcpy(at + contract::headerSize + Message::size, tail.data(), tail.size());
    publish(size);
    return true;
  }

  bool push(MessageView message) {
    const Octets octets = message.octets();
    uint8_t* at = claim(octets.size());
    if (at == nullptr) return false;
    memcpy(at, octets.data(), octets.size());
    publish(octets.size());
    return true;
  }

  /// Wakes the consumer if anything was pushed since the last time.
  void ring() {
    if (!unrung_) return;
    unrung_ = false;
    wakeAgain();
  }

  // --- Consumer ---

  int wakeDescriptor() const { return wake_.number(); }

  /// Forgets the wake-ups so far; look into the ring after it, not before.
  void quiet() {
    uint64_t count;
    if (read(wake_.number(), &count, sizeof count) < 0) invariant(errno == EAGAIN, "an eventfd can be read");
  }

  /// What is left is for the next turn.
  void wakeAgain() {
    const uint64_t one = 1;
    if (write(wake_.number(), &one, sizeof one) < 0) invariant(errno == EAGAIN, "an eventfd can be rung");
  }

  /// The oldest message, or one whose `at` is null. It stays until pop().
  MessageView front() {
    for (;;) {
      const size_t head = head_.load(std::memory_order_relaxed);
      if (head == published_.load(std::memory_order_acquire)) return {nullptr};
      const size_t at = head & (capacity_ - 1);
      const MessageView view{memory_ + at};
      if (view.header().size != 0) return view;
      head_.store(head + capacity_ - at, std::memory_order_release);
    }
  }

  void pop(MessageView message) {
    const size_t head = head_.load(std::memory_order_relaxed);
    head_.store(head + aligned(message.header().size), std::memory_order_release);
  }

 private:
  static constexpr size_t aligned(size_t size) { return (size + 7) & ~size_t{7}; }

  const size_t capacity_;
  uint8_t* memory_;
  Descriptor wake_;
  // Counts of octets that only grow; each on its own cache line, as each has its own writer.
  alignas(64) size_t tail_ = 0;
  bool unrung_ = false;
  alignas(64) std::atomic<size_t> published_{0};
  alignas(64) std::atomic<size_t> head_{0};
};

}  // namespace pptp
