// Ethernet frames in PPP (RFC 3518 section 4.2), as a bridge's two halves exchange them:
//
//   |F|0|Z|B| Pads |  MAC type  |  Ethernet frame, without its check sequence unless F is set  |  pads  |
//
// Frames are read whatever the peer has agreed to send, and written only if it takes them. B marks a frame of
// the bridges' own (BPDUs); Z, that the padding of a short frame was left out, which is the next network
// card's to put back. Pure; what is negotiated is control's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pptp {

inline constexpr size_t bcpHeaderSize = 2;
inline constexpr size_t ethernetHeaderSize = 14;

/// What the peer takes beyond plain Ethernet frames.
struct BridgeTakes {
  bool taggedFrames = false;      // with a VLAN tag
  bool inlineManagement = false;  // the bridges' own, BPDUs
  bool controlIndicator = false;  // these with a mark
};

/// Whether `data` begins like a bridged Ethernet frame: what tells a decrypted one from nonsense.
bool bcpBegins(const uint8_t* data, size_t length);

/// Finds the Ethernet frame in an information field; false if there is none, or of another network.
bool bcpParse(const uint8_t* data, size_t length, std::span<const uint8_t>& frame);

/// Whether the peer takes this frame.
bool bcpMayPass(std::span<const uint8_t> frame, BridgeTakes takes);

/// Writes the header in front of `frame`, which is a whole Ethernet header at least.
void bcpPrepend(uint8_t* frame, BridgeTakes takes);

}  // namespace pptp
