/**
 * Every bound of control, with its reason. A bound that is hit is tallied by who hits it. What only one file needs to know
 * stands beside its use; what an operator may meet stands here.
 */

export const limits = {
  /** Control connections on one node: level6 is unlimited in tunnels, a process is not in descriptors (20,000 is a common hard limit; half are TUN's). */
  connections: 10_000,
  /** Connections of one address that have not finished Start-Control-Connection: a NAT of clients redials together, a scanner opens hundreds. */
  halfOpenConnectionsPerAddress: 64,
  /** From accept to the first call established, in ms; Microsoft's client gives up after 30 s as well. */
  connectionSetUpMs: 30_000,
  /** Calls on one control connection: pptp-linux multiplexes all calls of one address over one connection. */
  callsPerConnection: 1_000,
  /** Octets of a message not yet complete: the longest PPTP message is Incoming-Call-Request with 220. */
  pptpMessageBytes: 512,
  /** How long a released call id rests before it is given out again: a stray GRE packet lives no longer than a minute. */
  callIdRestMs: 60_000,
  /** From call-open to network up: three attempts of a slow RADIUS server fit in. */
  sessionSetUpMs: 60_000,
  /** How long a graceful end waits for peers and final counters, in ms. */
  shutdownMs: 5_000,
} as const;
