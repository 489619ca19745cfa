// From the kernel to the tunnel: one packet read from a TUN becomes packets that fit the MTU.
// A TCP super-packet (TSO, IPv4 and IPv6) or UDP super-packet (USO) is cut into segments with their own
// lengths, identifications, sequence numbers, flags and checksums; any other packet is copied, its partial
// checksum completed. The caller says how large each buffer is, and stops when it likes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ip_header.h"
#include "vnet.h"

namespace pptp {

/// A pass over one packet. Points into the caller's memory and changes nothing there.
class Segmenter {
 public:
  /// Takes `packet` (an IP packet of `length` octets) and the header that came before it.
  /// False if they do not fit together; then there is nothing to write.
  bool open(const VnetHeader& vnet, const uint8_t* packet, size_t length);

  /// Packets still to be written.
  size_t remaining() const { return remaining_; }

  /// Size of the largest packet still to be written.
  size_t largest() const;

  /// Writes the next packet to `out` and returns its length; 0 if none is left or `capacity` is too small,
  /// then nothing is written.
  size_t write(uint8_t* out, size_t capacity);

 private:
  void finish(uint8_t* out, size_t payload, bool isFirst, bool isLast) const;

  VnetHeader vnet_ = {};
  IpHeader ip_ = {};
  const uint8_t* packet_ = nullptr;
  size_t length_ = 0;
  size_t headers_ = 0;      // IP and transport header: repeated in each segment
  size_t segmentSize_ = 0;  // payload octets of each segment but the last; 0: the packet is copied whole
  size_t at_ = 0;           // payload octets already written
  size_t index_ = 0;
  size_t remaining_ = 0;
};

}  // namespace pptp
