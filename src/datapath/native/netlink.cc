#include "netlink.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "invariant.h"

namespace pptp {

bool NetlinkSocket::open() {
  socket_.reset(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket_) return false;
  const int on = 1;
  setsockopt(socket_.number(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(socket_.number(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  return true;
}

NetlinkResult NetlinkSocket::perform(Octets message) {
  std::vector<uint8_t> request(message.begin(), message.end());
  nlmsghdr header;
  memcpy(&header, request.data(), sizeof header);
  header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
  header.nlmsg_seq = ++sequence_;
  header.nlmsg_pid = 0;
  memcpy(request.data(), &header, sizeof header);
  if (send(socket_.number(), request.data(), request.size(), 0) < 0) return {errno};
  return answer();
}

NetlinkResult NetlinkSocket::answer() {
  alignas(nlmsghdr) uint8_t buffer[8192];
  for (;;) {
    const ssize_t length = recv(socket_.number(), buffer, sizeof buffer, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return {errno};
    auto left = static_cast<int>(length);
    for (auto* header = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(header, static_cast<unsigned>(left));
         header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_seq != sequence_) continue;
      const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(header));
      NetlinkResult result{-error->error};
      if (!(header->nlmsg_flags & NLM_F_ACK_TLVS)) return result;
      auto rest = static_cast<int>(header->nlmsg_len - NLMSG_LENGTH(sizeof *error));
      for (auto* attribute = reinterpret_cast<const rtattr*>(error + 1); RTA_OK(attribute, rest);
           attribute = RTA_NEXT(attribute, rest))
        if (attribute->rta_type == NLMSGERR_ATTR_MSG)
          result.text.assign(static_cast<const char*>(RTA_DATA(attribute)),
                             strnlen(static_cast<const char*>(RTA_DATA(attribute)), RTA_PAYLOAD(attribute)));
      return result;
    }
  }
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
