// All that the native tests need: laws with names, checks that say where they failed, seeded randomness that
// says its seed. A program is a list of laws; its exit status is 0 when all held. An argument is a seed to
// repeat a random run with.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace check {

struct Law {
  const char* name;
  void (*body)();
};

inline std::vector<Law>& laws() {
  static std::vector<Law> all;
  return all;
}

inline bool declare(const char* name, void (*body)()) {
  laws().push_back({name, body});
  return true;
}

inline const char* current = "";
inline uint64_t seed = 0;

inline void failed(const char* file, int line, const char* text) {
  fprintf(stderr, "FAILED: %s\n  %s:%d: %s\n  seed %llu\n", current, file, line, text,
          static_cast<unsigned long long>(seed));
  exit(1);
}

/// A generator of its own for every law, all from the program's one seed.
inline std::mt19937_64 random() { return std::mt19937_64(seed); }

using Bytes = std::vector<uint8_t>;

inline Bytes hex(std::string_view text) {
  Bytes bytes;
  std::string digits;
  for (const char c : text) {
    if (isxdigit(static_cast<unsigned char>(c))) digits += c;
  }
  for (size_t at = 0; at + 1 < digits.size(); at += 2) {
    bytes.push_back(static_cast<uint8_t>(strtoul(digits.substr(at, 2).c_str(), nullptr, 16)));
  }
  return bytes;
}

inline Bytes randomBytes(std::mt19937_64& random, size_t length) {
  Bytes bytes(length);
  for (uint8_t& octet : bytes) octet = static_cast<uint8_t>(random());
  return bytes;
}

}  // namespace check

#define LAW_NAMED(id, text)                                                        \
  static void law##id();                                                           \
  [[maybe_unused]] static const bool declared##id = check::declare(text, law##id); \
  static void law##id()
#define LAW_AT(line, text) LAW_NAMED(line, text)
#define LAW(text) LAW_AT(__LINE__, text)

#define CHECK(condition)                                             \
  do {                                                               \
    if (!(condition)) check::failed(__FILE__, __LINE__, #condition); \
  } while (0)

int main(int count, char** arguments) {
  check::seed = count > 1 ? strtoull(arguments[1], nullptr, 10) : std::random_device{}();
  for (const check::Law& law : check::laws()) {
    check::current = law.name;
    law.body();
  }
  printf("%zu laws hold (seed %llu)\n", check::laws().size(), static_cast<unsigned long long>(check::seed));
}
