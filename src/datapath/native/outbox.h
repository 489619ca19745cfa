// Events on their way to control: whole messages in order, kept until control says that it has done what they
// ask, so that one which is killed leaves none undone. Frames have a bound; what ends a handle has none,
// because handles are bounded and losing one would leak a session. Used by the control thread alone.
#pragma once

#include <cstring>
#include <functional>
#include <vector>

#include "ring.h"

namespace pptp {

class Outbox {
 public:
  template <class Message>
  void push(const Message& message, Octets tail = {}) {
    const size_t size = contract::headerSize + Message::size + tail.size();
    const contract::Header header{static_cast<uint32_t>(size), Message::type, 0};
    append(&header, sizeof header);
    append(&message, Message::size);
    append(tail.data(), tail.size());
  }
  void push(MessageView message) { append(message.at, message.octets().size()); }

  /// Octets that have not been heard.
  size_t backlog() const { return octets_.size() - head_; }

  /// Octets that the socket has not taken.
  size_t unsent() const { return octets_.size() - sent_; }

  /// Gives the socket what it takes. Returns 0, or the error number of a broken socket.
  int send(int socket);

  /// Control has done what the next `size` octets of sent messages ask. Calls `onHeard` for each of these
  /// messages. False if that is not where a message ends, or has not been sent: control has a bug.
  bool heard(size_t size, const std::function<void(MessageView)>& onHeard);

  /// Control has gone: what it has not heard is sent again to the next one, except answers to its own
  /// commands, which would mean nothing to another.
  void rewind();

  /// All of `other`'s messages come after ours.
  void append(const Outbox& other) { append(other.octets_.data() + other.head_, other.backlog()); }

 private:
  void append(const void* data, size_t size) {
    const auto* octets = static_cast<const uint8_t*>(data);
    octets_.insert(octets_.end(), octets, octets + size);
  }

  std::vector<uint8_t> octets_;
  size_t head_ = 0;  // start of the first message that has not been heard
  size_t sent_ = 0;  // what the socket has taken
};

}  // namespace pptp
