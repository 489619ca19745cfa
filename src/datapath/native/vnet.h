// What stands before every packet on a TUN descriptor with IFF_VNET_HDR: ten octets in host order, the layout
// of struct virtio_net_hdr. The kernel's own header cannot be included from C++ (a field of it is named
// `class`).
#pragma once

#include <cstdint>

namespace pptp {

struct VnetHeader {
  uint8_t flags = 0;
  uint8_t gsoType = 0;
  uint16_t headerLength = 0;    // IP and transport header of a super-packet
  uint16_t gsoSize = 0;         // payload of each segment
  uint16_t checksumStart = 0;   // where the checksum begins to count
  uint16_t checksumOffset = 0;  // where it is stored, counted from checksumStart
};
static_assert(sizeof(VnetHeader) == 10);

inline constexpr uint8_t vnetNeedsChecksum = 1;  // flags

inline constexpr uint8_t vnetGsoNone = 0;  // gsoType
inline constexpr uint8_t vnetGsoTcp4 = 1;
inline constexpr uint8_t vnetGsoTcp6 = 4;
inline constexpr uint8_t vnetGsoUdp = 5;  // Linux 6.2
inline constexpr uint8_t vnetGsoEcn = 0x80;

}  // namespace pptp
