#include "tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace pptp {
namespace {

// Linux 6.2; older headers do not know them.
constexpr unsigned tunUso4 = 0x20;
constexpr unsigned tunUso6 = 0x40;

/// What the kernel's dev_valid_name() allows, and no '%', which would be a pattern.
bool isValidName(const char* name) {
  const size_t length = strnlen(name, IFNAMSIZ);
  if (length == 0 || length >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return false;
  for (size_t i = 0; i < length; i++)
    if (strchr("/:%", name[i]) != nullptr || isspace(static_cast<unsigned char>(name[i]))) return false;
  return true;
}

/// Makes the interface `name` of the kind that `mode` says, and asks for nothing of it.
int openDevice(const char* name, short mode, TunInterface& made) {
  if (!isValidName(name)) return EINVAL;
  if (if_nametoindex(name) != 0) return EEXIST;
  Descriptor device = tunDevice();
  if (!device) return errno;

  ifreq request{};
  memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
  request.ifr_flags = static_cast<short>(mode | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL);
  if (ioctl(device.number(), TUNSETIFF, &request) < 0) return errno == EBUSY ? EEXIST : errno;
  made.index = if_nametoindex(name);
  if (made.index == 0) return errno;
  made.descriptor = std::move(device);
  return 0;
}

}  // namespace

Descriptor tunDevice() { return Descriptor(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)); }

int tunOpen(const char* name, TunInterface& made) {
  if (const int errorNumber = openDevice(name, IFF_TUN, made); errorNumber != 0) return errorNumber;
  constexpr unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  const int device = made.descriptor.number();
  if (ioctl(device, TUNSETOFFLOAD, tcp | tunUso4 | tunUso6) < 0 && ioctl(device, TUNSETOFFLOAD, tcp) < 0)
    return errno;
  return 0;
}

int tapOpen(const char* name, TunInterface& made) {
  if (const int errorNumber = openDevice(name, IFF_TAP, made); errorNumber != 0) return errorNumber;
  constexpr char highest =
      '\xFE';  // of the first octets that are neither a group's nor anybody's of the factory
  const int device = made.descriptor.number();
  ifreq request{};
  if (ioctl(device, SIOCGIFHWADDR, &request) < 0) return errno;
  request.ifr_hwaddr.sa_data[0] = highest;
  return ioctl(device, SIOCSIFHWADDR, &request) < 0 ? errno : 0;
}

bool tunMergesUdp() {
  utsname system;
  int major = 0;
  int minor = 0;
  if (uname(&system) < 0 || sscanf(system.release, "%d.%d", &major, &minor) != 2) return false;
  return major > 6 || (major == 6 && minor >= 2);
}

}  // namespace pptp
