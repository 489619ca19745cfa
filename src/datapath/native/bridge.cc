#include "bridge.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "descriptor.h"

namespace pptp {

/// What an interface is, its driver says, also in a namespace whose /sys is another's.
int bridgeFind(const char* name, uint32_t& index) {
  index = if_nametoindex(name);
  if (index == 0) return ENODEV;
  const Descriptor any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!any) return errno;
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  ifreq request{};
  memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
  request.ifr_data = reinterpret_cast<char*>(&driver);
  const bool isTold = ioctl(any.number(), SIOCETHTOOL, &request) == 0;
  return isTold && strncmp(driver.driver, "bridge", sizeof driver.driver) == 0 ? 0 : EOPNOTSUPP;
}

}  // namespace pptp
