#include "privileges.h"

#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "descriptor.h"
#include "tun.h"

namespace pptp {
namespace {

bool hasCapability(unsigned number) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) < 0) return false;
  return (data[number / 32].effective & 1U << number % 32) != 0;
}

std::string lacks(const std::string& capability, const std::string& purpose) {
  return capability + " is missing (" + purpose + "): start as root, give the capability with `setcap " +
         "cap_net_admin,cap_net_raw+ep` on the program, or add it to the container or unit";
}

}  // namespace

std::string missingPrivilege() {
  if (!hasCapability(CAP_NET_ADMIN)) return lacks("CAP_NET_ADMIN", "interfaces and routes");
  const Descriptor gre(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_GRE));
  if (!gre && (errno == EPERM || errno == EACCES)) return lacks("CAP_NET_RAW", "GRE sockets");
  if (!gre) return std::string("no GRE socket can be opened: ") + strerror(errno);
  if (tunDevice()) return {};
  const std::string problem = strerror(errno);
  return "/dev/net/tun cannot be opened (" + problem +
         "): load the module (`modprobe tun`), or give the device to the container";
}

}  // namespace pptp
