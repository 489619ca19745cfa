#include "outbox.h"

#include <sys/socket.h>

#include <cerrno>

namespace pptp {
namespace {

/// Whether an event is worth something to a control that did not ask for it.
bool outlivesControl(uint16_t type) {
  switch (type) {
    case contract::Frame::type:
    case contract::TcpData::type:
    case contract::TcpClosed::type:
    case contract::Idle::type:
    case contract::Quota::type:
    case contract::CipherLost::type:
    case contract::Closed::type:
    case contract::LinkClosed::type:
    case contract::Trouble::type:
      return true;
    default:
      return false;
  }
}

// What has gone is cut off when it is worth the move.
constexpr size_t compactAt = 1 << 20;

}  // namespace

int Outbox::send(int socket) {
  while (sent_ < octets_.size()) {
    const ssize_t taken =
        ::send(socket, octets_.data() + sent_, octets_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken < 0 && errno == EINTR) continue;
    if (taken < 0 && errno != EAGAIN) return errno;
    if (taken < 0) break;
    sent_ += static_cast<size_t>(taken);
  }
  return 0;
}

bool Outbox::heard(size_t size, const std::function<void(MessageView)>& onHeard) {
  if (size > sent_ - head_) return false;
  const size_t end = head_ + size;
  while (head_ < end) {
    const MessageView message{octets_.data() + head_};
    if (message.header().size > end - head_) return false;
    head_ += message.header().size;
    onHeard(message);
  }
  if (head_ == octets_.size() || head_ >= compactAt) {
    octets_.erase(octets_.begin(), octets_.begin() + static_cast<ptrdiff_t>(head_));
    sent_ -= head_;
    head_ = 0;
  }
  return true;
}

void Outbox::rewind() {
  std::vector<uint8_t> kept;
  for (size_t at = head_; at < octets_.size();) {
    const MessageView message{octets_.data() + at};
    const Octets octets = message.octets();
    if (outlivesControl(message.type())) kept.insert(kept.end(), octets.begin(), octets.end());
    at += octets.size();
  }
  octets_ = std::move(kept);
  head_ = 0;
  sent_ = 0;
}

}  // namespace pptp
