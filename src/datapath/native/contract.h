// The contract of ../contract.ts in C++: every message between control and engine, each field written once.
//
// A message is a header, fields at fixed offsets, and at most one tail; all numbers are little-endian. The
// lists below make the packed structs that the engine reads and writes, and the description that `pptp-engine
// --contract` prints; a test compares that with describeContract() of contract.ts. What each message means is
// said there.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

static_assert(std::endian::native == std::endian::little, "the contract's structs are read in place");

namespace pptp::contract {

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;

inline constexpr uint16_t version = 5;
inline constexpr size_t messageBytesMax = 1 << 20;
inline constexpr size_t memoBytesMax = 16'384;

inline constexpr uint16_t peerCallIdKnown = 1;  // call-open flags
inline constexpr uint16_t framingAddressControl = 1;
inline constexpr uint16_t framingProtocolField = 2;
inline constexpr uint16_t framingShortSequence = 4;
inline constexpr uint8_t directionReceive = 1;
inline constexpr uint8_t directionTransmit = 2;
inline constexpr uint16_t attachReceive = 1;
inline constexpr uint16_t attachTransmit = 2;
inline constexpr uint16_t attachEncryptionRequired = 4;
inline constexpr uint16_t takesTaggedFrames = 1;  // call-bridge
inline constexpr uint16_t takesInlineManagement = 2;
inline constexpr uint16_t takesControlIndicator = 4;

// Handles: generation above slot; generation 0 names nothing.
inline constexpr size_t slotCount = 1 << 16;
constexpr uint16_t slotOf(uint32_t handle) { return static_cast<uint16_t>(handle); }
constexpr uint16_t generationOf(uint32_t handle) { return static_cast<uint16_t>(handle >> 16); }

// The lists are tables, and stay as they are set.
// clang-format off

// Fields: number(type, name), space(size, name) for reserved octets, octets(size, name), chars(size, name),
// tail(name).
// Commands and events: message(struct, "name", type, fields).

#define PPTP_NO_FIELDS(number, space, octets, chars, tail)
#define PPTP_HEARD(number, space, octets, chars, tail) number(u32, length)
#define PPTP_HELLO_COMMAND(number, space, octets, chars, tail) number(u16, version) space(2, reserved)
#define PPTP_LISTEN(number, space, octets, chars, tail) \
  number(u32, token) number(u32, address) number(u16, port) number(u16, backlog)
#define PPTP_TOKEN(number, space, octets, chars, tail) number(u32, token)
#define PPTP_CONNECT(number, space, octets, chars, tail) \
  number(u32, token) number(u32, localAddress) number(u32, address) number(u16, port) space(2, reserved) \
  number(u32, timeoutMs)
#define PPTP_TCP_OCTETS(number, space, octets, chars, tail) number(u32, connection) tail(bytes)
#define PPTP_TCP_CLOSE(number, space, octets, chars, tail) \
  number(u32, connection) number(u8, abort) space(3, reserved)
#define PPTP_CALL_OPEN(number, space, octets, chars, tail) \
  number(u32, call) number(u32, localAddress) number(u32, peerAddress) \
  number(u16, peerCallId) number(u16, flags)
#define PPTP_CALL_PEER(number, space, octets, chars, tail) \
  number(u32, call) number(u16, peerCallId) space(2, reserved)
#define PPTP_CALL_FRAME(number, space, octets, chars, tail) \
  number(u32, call) number(u16, protocol) space(2, reserved) tail(information)
#define PPTP_CALL_FRAMING(number, space, octets, chars, tail) \
  number(u32, call) number(u16, flags) number(u16, peerMru) number(u32, ourMagic) number(u32, peerMagic) \
  number(u16, frameBytesMax) number(u16, mrru)
#define PPTP_CALL_KEYS(number, space, octets, chars, tail) \
  number(u32, call) number(u8, direction) number(u8, bits) number(u8, stateless) \
  space(1, reserved) octets(16, startKey)
#define PPTP_CALL(number, space, octets, chars, tail) number(u32, call)
#define PPTP_CALL_ATTACH(number, space, octets, chars, tail) \
  number(u32, call) number(u32, link) number(u16, flags) number(u16, mssClamp)
#define PPTP_CALL_BRIDGE(number, space, octets, chars, tail) \
  number(u32, call) number(u32, link) number(u16, flags) number(u16, takes)
#define PPTP_CALL_WATCH(number, space, octets, chars, tail) \
  number(u32, call) number(u32, silentMs) number(u32, probeMs) number(u32, idleMs)
#define PPTP_CALL_SHAPE(number, space, octets, chars, tail) \
  number(u32, call) number(u8, direction) space(3, reserved) \
  number(u64, limit) number(u64, burst) number(u64, threshold) number(u32, burstTimeMs)
#define PPTP_CALL_QUOTA(number, space, octets, chars, tail) \
  number(u32, call) number(u64, receiveOctets) number(u64, transmitOctets) number(u64, totalOctets)
#define PPTP_CALL_MEMO(number, space, octets, chars, tail) number(u32, call) tail(memo)
#define PPTP_LINK_OPEN(number, space, octets, chars, tail) number(u32, link) chars(16, name) chars(16, bridge)
#define PPTP_LINK(number, space, octets, chars, tail) number(u32, link)
#define PPTP_NETLINK(number, space, octets, chars, tail) number(u32, token) tail(messages)

#define PPTP_COMMANDS(message) \
  message(HelloCommand, "hello", 1, PPTP_HELLO_COMMAND) \
  message(Listen, "listen", 2, PPTP_LISTEN) \
  message(Unlisten, "unlisten", 3, PPTP_TOKEN) \
  message(Connect, "connect", 4, PPTP_CONNECT) \
  message(TcpSend, "tcp-send", 5, PPTP_TCP_OCTETS) \
  message(TcpClose, "tcp-close", 6, PPTP_TCP_CLOSE) \
  message(CallOpen, "call-open", 16, PPTP_CALL_OPEN) \
  message(CallPeer, "call-peer", 17, PPTP_CALL_PEER) \
  message(CallFrame, "call-frame", 18, PPTP_CALL_FRAME) \
  message(CallFraming, "call-framing", 19, PPTP_CALL_FRAMING) \
  message(CallKeys, "call-keys", 20, PPTP_CALL_KEYS) \
  message(CallFlush, "call-flush", 21, PPTP_CALL) \
  message(CallAttach, "call-attach", 22, PPTP_CALL_ATTACH) \
  message(CallWatch, "call-watch", 23, PPTP_CALL_WATCH) \
  message(CallMemo, "call-memo", 24, PPTP_CALL_MEMO) \
  message(CallClose, "call-close", 25, PPTP_CALL) \
  message(CallShape, "call-shape", 26, PPTP_CALL_SHAPE) \
  message(CallQuota, "call-quota", 27, PPTP_CALL_QUOTA) \
  message(CallBridge, "call-bridge", 28, PPTP_CALL_BRIDGE) \
  message(LinkOpen, "link-open", 32, PPTP_LINK_OPEN) \
  message(LinkClose, "link-close", 33, PPTP_LINK) \
  message(LinkWatch, "link-watch", 35, PPTP_LINK) \
  message(Netlink, "netlink", 34, PPTP_NETLINK) \
  message(CountersGet, "counters-get", 40, PPTP_TOKEN) \
  message(Heard, "heard", 42, PPTP_HEARD) \
  message(Stop, "stop", 41, PPTP_NO_FIELDS)

#define PPTP_CALL_COUNTERS(number, space, octets, chars, tail) \
  number(u64, receivedOctets) number(u64, transmittedOctets) \
  number(u64, receivedPackets) number(u64, transmittedPackets) number(u64, shaped) \
  number(u32, receivedFrames) number(u32, transmittedFrames) \
  number(u32, duplicates) number(u32, late) number(u32, reordered) number(u32, lost) \
  number(u32, fragmentsLost) number(u32, fragmentsLate) \
  number(u32, malformed) number(u32, undecryptable) number(u32, unencrypted) number(u32, dropped) \
  number(u32, silentMs) number(u32, idleMs)

#define PPTP_COUNTER_ROW(number, space, octets, chars, tail) \
  number(u32, call) space(4, reserved) PPTP_CALL_COUNTERS(number, space, octets, chars, tail)

#define PPTP_HELLO_EVENT(number, space, octets, chars, tail) \
  number(u16, version) number(u16, workers) number(u32, pid) number(u32, held)
#define PPTP_CONNECTION_HELD(number, space, octets, chars, tail) \
  number(u32, connection) number(u32, localAddress) number(u32, peerAddress) number(u16, localPort) \
  number(u16, peerPort)
#define PPTP_LINK_HELD(number, space, octets, chars, tail) \
  number(u32, link) number(u32, interfaceIndex) chars(16, name)
#define PPTP_CALL_HELD(number, space, octets, chars, tail) \
  number(u32, call) number(u32, link) number(u32, bridgeLink) number(u32, localAddress) number(u32, peerAddress) \
  number(u16, peerCallId) space(2, reserved) tail(memo)
#define PPTP_LISTENING(number, space, octets, chars, tail) \
  number(u32, token) number(u32, errorNumber) number(u16, port) space(2, reserved)
#define PPTP_ACCEPTED(number, space, octets, chars, tail) \
  number(u32, token) number(u32, connection) number(u32, localAddress) number(u32, peerAddress) \
  number(u16, localPort) number(u16, peerPort)
#define PPTP_CONNECTED(number, space, octets, chars, tail) \
  number(u32, token) number(u32, errorNumber) number(u32, connection) number(u32, localAddress) \
  number(u16, localPort) space(2, reserved)
#define PPTP_TCP_CLOSED(number, space, octets, chars, tail) number(u32, connection) number(u32, errorNumber)
#define PPTP_FRAME(number, space, octets, chars, tail) \
  number(u32, call) number(u16, protocol) number(u8, first) space(1, reserved) tail(information)
#define PPTP_SILENT(number, space, octets, chars, tail) number(u32, call) number(u32, probe)
#define PPTP_CLOSED(number, space, octets, chars, tail) \
  number(u32, errorNumber) number(u32, call) space(4, reserved) \
      PPTP_CALL_COUNTERS(number, space, octets, chars, tail)
#define PPTP_LINK_OPENED(number, space, octets, chars, tail) \
  number(u32, link) number(u32, errorNumber) number(u32, interfaceIndex)
#define PPTP_NETLINK_DONE(number, space, octets, chars, tail) \
  number(u32, token) number(u32, errorNumber) number(u32, performed) tail(text)
#define PPTP_COUNTERS(number, space, octets, chars, tail) number(u32, token) tail(rows)
#define PPTP_TOTALS(number, space, octets, chars, tail) \
  number(u32, token) number(u32, calls) number(u32, connections) number(u32, links) \
  number(u64, receivedPackets) number(u64, transmittedPackets) number(u64, unknownCalls) \
  number(u64, malformed) number(u64, staleHandles) number(u64, refusedConnections) \
  number(u64, droppedFrames) number(u64, ringFull) tail(workers)
#define PPTP_WORKER_ROW(number, space, octets, chars, tail) \
  number(u64, processorUs) number(u32, socketDrops) space(4, reserved)
#define PPTP_TROUBLE(number, space, octets, chars, tail) number(u32, errorNumber) tail(text)

#define PPTP_EVENTS(message) \
  message(HelloEvent, "hello", 129, PPTP_HELLO_EVENT) \
  message(ConnectionHeld, "connection-held", 130, PPTP_CONNECTION_HELD) \
  message(LinkHeld, "link-held", 131, PPTP_LINK_HELD) \
  message(CallHeld, "call-held", 132, PPTP_CALL_HELD) \
  message(SnapshotEnd, "snapshot-end", 133, PPTP_NO_FIELDS) \
  message(Listening, "listening", 144, PPTP_LISTENING) \
  message(Accepted, "accepted", 145, PPTP_ACCEPTED) \
  message(Connected, "connected", 146, PPTP_CONNECTED) \
  message(TcpData, "tcp-data", 147, PPTP_TCP_OCTETS) \
  message(TcpClosed, "tcp-closed", 148, PPTP_TCP_CLOSED) \
  message(Frame, "frame", 160, PPTP_FRAME) \
  message(Silent, "silent", 161, PPTP_SILENT) \
  message(Idle, "idle", 162, PPTP_CALL) \
  message(CipherLost, "cipher-lost", 163, PPTP_CALL) \
  message(Closed, "closed", 164, PPTP_CLOSED) \
  message(Quota, "quota", 165, PPTP_CALL) \
  message(LinkOpened, "link-opened", 176, PPTP_LINK_OPENED) \
  message(LinkClosed, "link-closed", 177, PPTP_LINK) \
  message(LinkWanted, "link-wanted", 179, PPTP_LINK) \
  message(NetlinkDone, "netlink-done", 178, PPTP_NETLINK_DONE) \
  message(Counters, "counters", 184, PPTP_COUNTERS) \
  message(Totals, "totals", 185, PPTP_TOTALS) \
  message(Trouble, "trouble", 186, PPTP_TROUBLE)

#define PPTP_NUMBER_MEMBER(kind, name) kind name{};
#define PPTP_OCTETS_MEMBER(size, name) uint8_t name[size]{};
#define PPTP_TEXT_MEMBER(size, name) char name[size]{};
#define PPTP_TAIL_MEMBER(name)
#define PPTP_NUMBER_SIZE(kind, name) +sizeof(kind)
#define PPTP_OCTETS_SIZE(size, name) +(size)

// clang-format on

#pragma pack(push, 1)

struct Header {
  u32 size;  // of the whole message
  u16 type;
  u16 reserved;
};

// `size` is of the fields on the wire, which for a message without fields differs from sizeof.
#define PPTP_STRUCT(name, text, number, fields)                                                             \
  struct name {                                                                                             \
    static constexpr uint16_t type = number;                                                                \
    static constexpr size_t size =                                                                          \
        0 fields(PPTP_NUMBER_SIZE, PPTP_OCTETS_SIZE, PPTP_OCTETS_SIZE, PPTP_OCTETS_SIZE, PPTP_TAIL_MEMBER); \
    fields(PPTP_NUMBER_MEMBER, PPTP_OCTETS_MEMBER, PPTP_OCTETS_MEMBER, PPTP_TEXT_MEMBER, PPTP_TAIL_MEMBER)  \
  };
PPTP_COMMANDS(PPTP_STRUCT)
PPTP_EVENTS(PPTP_STRUCT)
PPTP_STRUCT(CounterRow, "counterRow", 0, PPTP_COUNTER_ROW)
PPTP_STRUCT(WorkerRow, "workerRow", 0, PPTP_WORKER_ROW)
#undef PPTP_STRUCT

#pragma pack(pop)

inline constexpr size_t headerSize = sizeof(Header);
static_assert(headerSize == 8);

/// Writes the description as JSON to standard output.
void print();

}  // namespace pptp::contract
