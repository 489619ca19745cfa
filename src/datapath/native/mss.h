// Clamps the MSS option (RFC 9293 section 3.7.1) of TCP packets with SYN, IPv4 and IPv6, so that no
// connection through the tunnel has to discover its MTU the hard way. The checksum is changed incrementally;
// nothing else is touched.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pptp {

/// Lowers the MSS that `packet` announces to what an IP packet of `mtu` octets can carry. True if it was
/// changed.
bool mssClamp(uint8_t* packet, size_t length, uint16_t mtu);

}  // namespace pptp
