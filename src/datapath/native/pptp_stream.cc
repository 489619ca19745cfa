#include "pptp_stream.h"

#include <cstring>

#include "bytes.h"

namespace pptp {
namespace {

// RFC 2637 section 2: Length, PPTP Message Type, Magic Cookie, Control Message Type.
constexpr size_t typeAt = 8;
constexpr size_t headerSize = 12;
constexpr size_t longest = 220;  // Incoming-Call-Request
constexpr uint8_t controlMessage[] = {0x00, 0x01, 0x1A, 0x2B, 0x3C, 0x4D};
constexpr size_t controlMessageAt = 2;

constexpr uint16_t echoRequest = 5;
constexpr uint16_t echoReply = 6;
constexpr size_t echoRequestSize = 16;
constexpr size_t echoReplySize = 20;
constexpr size_t identifierAt = 12;
constexpr size_t identifierSize = 4;
constexpr size_t resultAt = 16;
constexpr uint8_t resultOk = 1;

/// Whether `octets`, which may end anywhere, can be the beginning of a control message.
bool mayBePptp(Octets octets) {
  if (!octets.empty() && octets[0] != 0) return false;
  if (octets.size() >= 2 && (load16(octets.data()) < headerSize || load16(octets.data()) > longest))
    return false;
  if (octets.size() <= controlMessageAt) return true;
  const size_t present = std::min(octets.size() - controlMessageAt, sizeof controlMessage);
  return memcmp(octets.data() + controlMessageAt, controlMessage, present) == 0;
}

bool isEchoRequest(Octets message) {
  return message.size() == echoRequestSize && load16(message.data() + typeAt) == echoRequest;
}

void reply(Octets request, std::vector<uint8_t>& into) {
  uint8_t message[echoReplySize] = {};
  store16(message, echoReplySize);
  memcpy(message + controlMessageAt, controlMessage, sizeof controlMessage);
  store16(message + typeAt, echoReply);
  memcpy(message + identifierAt, request.data() + identifierAt, identifierSize);
  message[resultAt] = resultOk;
  into.insert(into.end(), message, message + sizeof message);
}

}  // namespace

void PptpStream::take(Octets received, bool answer, std::vector<uint8_t>& forward,
                      std::vector<uint8_t>& replies) {
  held_.insert(held_.end(), received.begin(), received.end());
  size_t at = 0;
  while (isPptp_ && at < held_.size()) {
    const Octets rest = Octets(held_).subspan(at);
    isPptp_ = mayBePptp(rest);
    if (!isPptp_ || rest.size() < headerSize || rest.size() < load16(rest.data())) break;
    const Octets message = rest.first(load16(rest.data()));
    if (answer && isEchoRequest(message)) {
      reply(message, replies);
    } else {
      forward.insert(forward.end(), message.begin(), message.end());
    }
    at += message.size();
  }
  if (!isPptp_) {
    forward.insert(forward.end(), held_.begin() + static_cast<ptrdiff_t>(at), held_.end());
    at = held_.size();
  }
  held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(at));
}

}  // namespace pptp
