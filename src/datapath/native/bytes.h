// Network byte order, one load or store at a time. Unaligned addresses are welcome: everything goes
// through memcpy, which the compiler turns into one instruction.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace pptp {

inline constexpr bool hostIsLittleEndian = std::endian::native == std::endian::little;

inline uint16_t load16(const uint8_t* at) {
  uint16_t value;
  memcpy(&value, at, sizeof value);
  return hostIsLittleEndian ? __builtin_bswap16(value) : value;
}

inline uint32_t load32(const uint8_t* at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return hostIsLittleEndian ? __builtin_bswap32(value) : value;
}

inline void store16(uint8_t* at, uint16_t value) {
  if (hostIsLittleEndian) value = __builtin_bswap16(value);
  memcpy(at, &value, sizeof value);
}

inline void store32(uint8_t* at, uint32_t value) {
  if (hostIsLittleEndian) value = __builtin_bswap32(value);
  memcpy(at, &value, sizeof value);
}

}  // namespace pptp
