// PPP Multilink (RFC 1990) on one link: frames that are longer than the link takes travel in fragments, each
// with a sequence number of its own, which is not GRE's.
//
//   long:  |B|E|0|0|0|0|0|0|   sequence number (24 bits)   |     B: begins a frame, E: ends it
//   short: |B|E|0|0|   sequence number (12)  |
//
// What is cut is a whole PPP frame, from its protocol field on, as it would have been sent: encrypted, if it
// is. Fragments come in the order in which they were sent, because a call's window puts its packets in order,
// so a number that was passed over is a fragment that will not come in time [RFC 1990 4.1: with one link, M
// is the number received last]. We ask for long numbers only; short ones are written for a peer that wants
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace pptp {

inline constexpr size_t fragmentHeaderSize = 4;
inline constexpr size_t fragmentHeaderShort = 2;

/// Fragments in a row whose numbers lie behind, after which the peer is believed to have begun its numbers
/// anew: as many as GRE's strays.
inline constexpr uint8_t fragmentLateRun = 8;

struct FragmentHeader {
  uint32_t sequence;
  bool begins;
  bool ends;
};

/// Reads a long header; false if there is no whole one.
bool fragmentParse(const uint8_t* data, size_t length, FragmentHeader& header);

/// Writes the header in front of `payload`, the number in as many bits as there are, and returns where it
/// starts.
uint8_t* fragmentPrepend(uint8_t* payload, const FragmentHeader& header, bool isShort);

/// What has become of a fragment.
enum class FragmentFate : uint8_t {
  whole,     // it is a frame by itself, and has not been copied
  complete,  // it was the last of the frame that stands in frame()
  kept,      // others are to come
  late,      // those after it have been here already
  useless,   // the beginning of its frame is missing
  tooLong,   // its frame is longer than was agreed, and is given up
};
inline constexpr size_t fragmentFateCount = 6;

/// The frames of one call, put together again in memory that is taken once.
class Reassembly {
 public:
  struct Taken {
    FragmentFate fate;
    uint32_t lost = 0;         // numbers passed over before this one
    bool isMalformed = false;  // a frame that is too long, or was left without its end
  };

  /// `frameBytesMax`: octets of the longest frame, its protocol field included.
  explicit Reassembly(size_t frameBytesMax);

  Taken take(const FragmentHeader& header, std::span<const uint8_t> data);

  /// The frame that is complete; stays until the next fragment is taken.
  std::span<const uint8_t> frame() const { return {octets_.get(), length_}; }

 private:
  bool isLate(uint32_t sequence);
  FragmentFate add(const FragmentHeader& header, std::span<const uint8_t> data);

  std::unique_ptr<uint8_t[]> octets_;
  size_t capacity_;
  size_t length_ = 0;
  uint32_t expected_ = 0;
  uint8_t lateRun_ = 0;
  bool isStarted_ = false;  // the first number is the base
  bool isOpen_ = false;     // a frame has begun and not ended
};

}  // namespace pptp
