// Every bound of the engine, each with its reason. What meets a bound is counted, never silently lost.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pptp {

// --- Packets ---

/// Packets per system call, both ways. From 1 to 16 the cost per packet halves, from 64 to 256 it no longer
/// falls.
inline constexpr size_t packetBatch = 64;

/// Octets of a packet's place: an outer IPv4 header with options, GRE, PPP, MPPE and 1,500 octets fit; two
/// places are one page.
inline constexpr size_t packetPlaceSize = 2048;

/// Free octets before a payload that is to be sent, for MPPE (2), PPP (4) and GRE (16), rounded up to a cache
/// line.
inline constexpr size_t packetHeadroom = 64;

/// Places for received packets, per worker. Those of a batch are free again at its end; the rest may wait in
/// the reorder windows of 60 calls at a time. When they run out, windows are released early.
inline constexpr size_t receivePlaces = 2048;

/// Octets, per worker, of the frames of one batch that were put together from fragments: as many as a batch
/// has places for, and at least one of the longest. When they run out the batch is finished early.
inline constexpr size_t reassembledBytes = packetBatch * packetPlaceSize;

/// How long a packet may wait for those before it. Longer than paths reorder, shorter than a TCP sender's
/// patience.
inline constexpr uint64_t reorderWaitUs = 10'000;

/// Super-packets read from one TUN before the next TUN has its turn.
inline constexpr int tunReadsPerTurn = 8;

/// Octets of one read from a TUN: the virtio header and the largest IP packet.
inline constexpr size_t tunReadSize = 10 + 65'536;

/// Packets that wait in the kernel for one TUN: the only buffer that subscribers' traffic sees in our
/// direction.
inline constexpr uint32_t tunQueueLength = 1000;

/// Octets of the raw socket's buffers: 30 ms at 1 Gbit/s of small packets, whose kernel bookkeeping counts
/// too.
inline constexpr int greBufferBytes = 8 << 20;

/// Packets of one call after which they are acknowledged though no data leaves, a quarter of the window that
/// PPTP peers are used to. Fewer wait for data, or for the next watch period: Windows' own acknowledgment
/// timer is 100 ms too.
inline constexpr uint16_t acknowledgmentEvery = 16;

/// A busy worker looks again for so long before it sleeps: waking an idle virtual processor costs more than
/// this.
inline constexpr uint64_t spinUs = 15;

/// How often a worker looks for silent and idle calls; the precision of `silent` and `idle`.
inline constexpr uint64_t watchPeriodMs = 100;

/// Between two `cipher-lost` of one call: control's Reset-Request, or the peer's packet that answers it, may
/// be lost.
inline constexpr uint64_t cipherLostPeriodUs = 1'000'000;

/// Frames that one call may send to control at once, and how many are granted again in each watch period
/// (1,280 a second): a flood of one subscriber must not fill the ring that all of the worker's calls share.
inline constexpr uint16_t frameCreditMax = 256;
inline constexpr uint16_t frameCreditPerPeriod = 128;

/// Octets of control's frames that wait for the peer's Call ID: several of LCP's, which are sent in the
/// meantime only by a client.
inline constexpr size_t waitingFrameBytes = 2048;

/// What may leave for a peer at once after a pause, as time at its rate: a worker that wakes late by a few
/// milliseconds must not cost it any of its rate. Two packets at least.
inline constexpr uint64_t shaperDepthUs = 10'000;
inline constexpr uint64_t shaperDepthOctets = 3000;

/// What may come from a peer at once. Nothing waits in this direction, so the bucket has to be as deep as TCP
/// is rough: a sender that lost a whole flight is silent for 200 ms at least (Linux's least retransmission
/// timeout), and what it could have sent meanwhile must not be lost to it. Ten packets at least, with which
/// TCP begins [RFC 6928].
inline constexpr uint64_t policerDepthUs = 300'000;
inline constexpr uint64_t policerDepthOctets = 15'000;

// --- Between the threads ---

/// Octets of a worker's command ring: more than the longest message twice, so that every message finds room
/// in the end. When it is full control waits; nothing is dropped.
inline constexpr size_t commandRingBytes = 4 << 20;

/// Octets of a worker's event ring, and how many of them frames leave free for the events that must not be
/// lost.
inline constexpr size_t eventRingBytes = 2 << 20;
inline constexpr size_t eventRingReserve = 256 << 10;

/// Octets of housekeeping's command ring: four of the longest netlink commands.
inline constexpr size_t housekeepingRingBytes = 4 << 20;

/// Interfaces that are closed together: 64 take hardly longer than one, which takes 20 ms.
inline constexpr size_t closingTogether = 64;

// --- Control ---

/// Octets of events that wait for control, be it slow or away; past them frames are dropped and TCP
/// connections are not read. Seconds of a busy node's login traffic.
inline constexpr size_t eventBacklogBytes = 8 << 20;

/// How long the engine tries to end in order after SIGTERM or `stop`.
inline constexpr uint64_t endPatienceMs = 10'000;

// --- TCP ---

/// Connections. A PPTP tunnel needs one; a node's descriptors and memory bear no more tunnels than this.
inline constexpr size_t connectionsMax = 16'384;

/// Octets that wait for a peer that does not read: hundreds of control messages, none of which is longer than
/// 220.
inline constexpr size_t sendBacklogBytes = 64 << 10;

/// Octets of one connection kept for the next control; past them the connection is not read.
inline constexpr size_t octetsWhileAway = 4096;

/// How long a connection that we close may take to send what waits and to be closed by the peer too. Closing
/// with unread octets would send a reset, which could destroy our last message on its way.
inline constexpr uint64_t closePatienceMs = 2'000;

/// Connections accepted from one listener before others have their turn.
inline constexpr int acceptsPerTurn = 64;

inline constexpr uint32_t listenersMax = 64;

}  // namespace pptp
