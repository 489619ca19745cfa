// The events on their way to control: none is lost with a control that dies before it has done what they ask.
#include "outbox.h"

#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

using namespace pptp;
using namespace pptp::contract;

namespace {

/// A control that reads and may die.
struct Ends {
  int pair[2];
  Ends() { CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0); }
  ~Ends() {
    close(pair[0]);
    close(pair[1]);
  }
  /// The types of all messages that have come.
  std::vector<uint16_t> read() {
    std::vector<uint8_t> octets(1 << 16);
    const ssize_t length = recv(pair[1], octets.data(), octets.size(), MSG_DONTWAIT);
    std::vector<uint16_t> types;
    for (ssize_t at = 0; at < length;) {
      const MessageView message{octets.data() + at};
      types.push_back(message.type());
      at += message.header().size;
    }
    return types;
  }
};

const auto nobody = [](MessageView) {};
constexpr size_t quotaSize = headerSize + Quota::size;
constexpr size_t listeningSize = headerSize + Listening::size;

}  // namespace

LAW("what was sent and not heard is sent again to the next control, in order; what was heard is not") {
  Outbox outbox;
  Ends first, second;
  outbox.push(Quota{1});
  outbox.push(Quota{2});
  outbox.push(TcpClosed{3, 0});
  CHECK(outbox.send(first.pair[0]) == 0 && outbox.unsent() == 0);
  CHECK((first.read() == std::vector<uint16_t>{Quota::type, Quota::type, TcpClosed::type}));
  CHECK(outbox.heard(quotaSize, nobody));
  outbox.rewind();
  CHECK(outbox.send(second.pair[0]) == 0);
  CHECK((second.read() == std::vector<uint16_t>{Quota::type, TcpClosed::type}));
}

LAW("answers to a control's own questions die with it") {
  Outbox outbox;
  Ends first, second;
  outbox.push(Listening{1, 0, 1723});
  outbox.push(Quota{2});
  CHECK(outbox.send(first.pair[0]) == 0);
  outbox.rewind();
  CHECK(outbox.send(second.pair[0]) == 0);
  CHECK((second.read() == std::vector<uint16_t>{Quota::type}));
}

LAW("each message is told once when it is heard, however many at a time") {
  Outbox outbox;
  Ends ends;
  std::vector<uint16_t> told;
  const auto tell = [&](MessageView message) { told.push_back(message.type()); };
  outbox.push(Quota{1});
  outbox.push(Listening{1, 0, 1723});
  outbox.push(Quota{2});
  CHECK(outbox.send(ends.pair[0]) == 0 && told.empty());
  CHECK(outbox.heard(quotaSize + listeningSize, tell));
  CHECK((told == std::vector<uint16_t>{Quota::type, Listening::type}));
  CHECK(outbox.heard(quotaSize, tell) && told.size() == 3 && outbox.backlog() == 0);
}

LAW("nobody has heard what was not sent, nor half a message") {
  Outbox outbox;
  Ends ends;
  outbox.push(Quota{1});
  CHECK(!outbox.heard(quotaSize, nobody));
  CHECK(outbox.send(ends.pair[0]) == 0);
  CHECK(!outbox.heard(quotaSize - 1, nobody) && !outbox.heard(quotaSize + 1, nobody));
  CHECK(outbox.heard(quotaSize, nobody));
}

LAW("what is heard is forgotten: the octets kept do not grow while control keeps up") {
  Outbox outbox;
  Ends ends;
  for (uint32_t call = 0; call < 200'000; ++call) {
    outbox.push(Quota{call});
    CHECK(outbox.send(ends.pair[0]) == 0 && ends.read().size() == 1 && outbox.heard(quotaSize, nobody));
  }
  CHECK(outbox.backlog() == 0 && outbox.unsent() == 0);
}
