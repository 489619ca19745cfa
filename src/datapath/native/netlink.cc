#include "netlink.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "invariant.h"
#include "netlink_message.h"

namespace pptp {
namespace {

/// Octets on their way to the kernel and back: the longest transaction is one command of control's, and each
/// of its messages may be refused by one of the kernel's, which counts as about 1 KiB.
constexpr int bufferBytes = 4 << 20;

/// Octets of an answer: half of what an event may be; a set is told in about 150.
constexpr size_t answerBytesMax = 512 << 10;

/// A question is asked again if what it is about changed meanwhile.
constexpr int questionsMax = 10;

/// The message before and after a transaction.
struct BatchEdge {
  nlmsghdr header;
  nfgenmsg about;
};

BatchEdge batchEdge(uint16_t type) {
  BatchEdge edge{};
  edge.header.nlmsg_len = sizeof edge;
  edge.header.nlmsg_type = type;
  edge.about.version = NFNETLINK_V0;
  edge.about.res_id = htons(NFNL_SUBSYS_NFTABLES);
  return edge;
}

/// Whether it ends the answer to a message.
bool isLast(const nlmsghdr* header) {
  return header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE;
}

/// 0 if it is none. EINTR: what is listed has changed meanwhile.
int errorIn(const nlmsghdr* header) {
  int error = 0;
  if (isLast(header) && header->nlmsg_len >= NLMSG_LENGTH(sizeof error))
    memcpy(&error, NLMSG_DATA(header), sizeof error);
  const bool isInterrupted =
      header->nlmsg_type != NLMSG_ERROR && (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
  return error == 0 && isInterrupted ? EINTR : -error;
}

/// The kernel's own, behind the number.
std::string wordsIn(const nlmsghdr* header) {
  if (header->nlmsg_type != NLMSG_ERROR || !(header->nlmsg_flags & NLM_F_ACK_TLVS)) return {};
  const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(header));
  auto rest = static_cast<int>(header->nlmsg_len - NLMSG_LENGTH(sizeof *error));
  for (auto* attribute = reinterpret_cast<const rtattr*>(error + 1); RTA_OK(attribute, rest);
       attribute = RTA_NEXT(attribute, rest)) {
    const auto* text = static_cast<const char*>(RTA_DATA(attribute));
    if (attribute->rta_type == NLMSGERR_ATTR_MSG) return {text, strnlen(text, RTA_PAYLOAD(attribute))};
  }
  return {};
}

}  // namespace

bool NetlinkSocket::open(int protocol) {
  socket_.reset(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!socket_) return false;
  const int on = 1;
  setsockopt(socket_.number(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(socket_.number(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  setsockopt(socket_.number(), SOL_SOCKET, SO_SNDBUFFORCE, &bufferBytes, sizeof bufferBytes);
  setsockopt(socket_.number(), SOL_SOCKET, SO_RCVBUFFORCE, &bufferBytes, sizeof bufferBytes);
  return true;
}

NetlinkResult NetlinkSocket::perform(Octets message) {
  begin();
  add(message, NLM_F_ACK);
  return exchange(sequence_);
}

NetlinkResult NetlinkSocket::ask(Octets message) {
  NetlinkResult result{EINTR};
  for (int asked = 0; result.errorNumber == EINTR && asked < questionsMax; asked++) {
    begin();
    add(message, NLM_F_DUMP);
    result = exchange(sequence_);
  }
  return result;
}

NetlinkResult NetlinkSocket::commit(Octets messages) {
  const BatchEdge before = batchEdge(NFNL_MSG_BATCH_BEGIN);
  const BatchEdge after = batchEdge(NFNL_MSG_BATCH_END);
  begin();
  add({reinterpret_cast<const uint8_t*>(&before), sizeof before}, 0);
  for (Octets rest = messages; !rest.empty();) {
    const Octets message = netlinkFirst(rest);
    rest = netlinkRest(rest);
    add(message, rest.empty() ? NLM_F_ACK : 0);
  }
  const uint32_t last = sequence_;
  add({reinterpret_cast<const uint8_t*>(&after), sizeof after}, 0);
  NetlinkResult result = exchange(last);
  if (result.performed > 0) result.performed--;  // the one before is none of the caller's
  return result;
}

void NetlinkSocket::begin() {
  request_.clear();
  first_ = sequence_ + 1;
}

/// Only what `flags` says is asked to be acknowledged: refusals come anyway.
void NetlinkSocket::add(Octets message, uint16_t flags) {
  nlmsghdr header;
  memcpy(&header, message.data(), sizeof header);
  header.nlmsg_flags = static_cast<uint16_t>((header.nlmsg_flags & ~NLM_F_ACK) | NLM_F_REQUEST | flags);
  header.nlmsg_seq = ++sequence_;
  header.nlmsg_pid = 0;
  const size_t at = request_.size();
  request_.insert(request_.end(), message.begin(), message.end());
  memcpy(request_.data() + at, &header, sizeof header);
  request_.resize(NLMSG_ALIGN(request_.size()));
}

/// Sends the request, and reads until its message `last` is answered.
NetlinkResult NetlinkSocket::exchange(uint32_t last) {
  if (send(socket_.number(), request_.data(), request_.size(), 0) < 0) return {errno};
  NetlinkResult result;
  alignas(nlmsghdr) uint8_t datagram[8192];
  for (bool isOver = false; !isOver;) {
    const ssize_t length = recv(socket_.number(), datagram, sizeof datagram, MSG_DONTWAIT);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == EAGAIN) return {EPROTO, "the kernel did not answer"};
    if (length < 0) return {errno};
    isOver = read({datagram, static_cast<size_t>(length)}, last, result);
  }
  if (result.errorNumber == 0) result.performed = last - first_ + 1;
  return result;
}

/// The first error counts: those after it may be its consequences. A transaction that is refused as a whole
/// is so by the number of its first message. True if nothing more will come.
bool NetlinkSocket::read(Octets datagram, uint32_t last, NetlinkResult& result) {
  bool isOver = false;
  for (Octets rest = datagram; !netlinkFirst(rest).empty(); rest = netlinkRest(rest)) {
    const Octets message = netlinkFirst(rest);
    const auto* header = reinterpret_cast<const nlmsghdr*>(message.data());
    const uint32_t at = header->nlmsg_seq - first_;
    if (at > last - first_) continue;  // of a request before, which was over earlier
    const int error = errorIn(header);
    if (error != 0 && result.errorNumber == 0) result = {error, wordsIn(header), at};
    if (isLast(header)) isOver = isOver || header->nlmsg_seq == last || (error != 0 && at == 0);
    if (isLast(header) || result.errorNumber != 0) continue;
    result.text.append(reinterpret_cast<const char*>(message.data()), message.size());
    result.text.resize(NLMSG_ALIGN(result.text.size()));
    if (result.text.size() > answerBytesMax) result = {EMSGSIZE, "the answer is too long"};
  }
  return isOver;
}

LinkRequest::LinkRequest(uint16_t type, uint32_t index) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  ifinfomsg interface {};
  interface.ifi_index = static_cast<int>(index);
  memcpy(octets_ + NLMSG_HDRLEN, &interface, sizeof interface);
  size_ = NLMSG_LENGTH(sizeof interface);
  header.nlmsg_len = static_cast<uint32_t>(size_);
  memcpy(octets_, &header, sizeof header);
}

LinkRequest& LinkRequest::add(uint16_t attribute, const void* value, size_t length) {
  invariant(size_ + RTA_SPACE(length) <= sizeof octets_, "our own requests are short");
  const rtattr header{static_cast<uint16_t>(RTA_LENGTH(length)), attribute};
  memcpy(octets_ + size_, &header, sizeof header);
  if (length != 0) memcpy(octets_ + size_ + RTA_LENGTH(0), value, length);
  size_ += RTA_SPACE(length);
  const auto total = static_cast<uint32_t>(size_);
  memcpy(octets_ + offsetof(nlmsghdr, nlmsg_len), &total, sizeof total);
  return *this;
}

size_t LinkRequest::begin(uint16_t attribute) {
  const size_t begun = size_;
  add(attribute, nullptr, 0);
  return begun;
}

LinkRequest& LinkRequest::end(size_t begun) {
  const auto length = static_cast<uint16_t>(size_ - begun);
  memcpy(octets_ + begun, &length, sizeof length);
  return *this;
}

}  // namespace pptp
