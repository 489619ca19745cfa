/**
 * All traces that are open on this node, and what is told to them beside the tunnels: the exchange with RADIUS servers. Enter: whom
 * somebody wants to see. Leave: traces, until they are closed. Pure.
 */

import type { DynamicTarget } from '../../aaa/dynamic.ts';
import type { SessionIdentity } from '../../aaa/identity.ts';
import { Fault, Malformed } from '../../base/fault.ts';
import { formatIpv4, type Ipv4 } from '../../base/ip.ts';
import type { Answer, DynamicRequest } from '../../radius/dynamic.ts';
import { codes, decodePacket, type Packet } from '../../radius/packet.ts';
import type { QueryWatch } from '../../radius/query.ts';
import type { Moment } from './moment.ts';
import { traceTally } from './tally.ts';
import { Trace, type TracePorts } from './trace.ts';
import { type Onlookers, TunnelTrace } from './tunnel-trace.ts';
import { suits, type Wanted } from './wanted.ts';

/** Traces at one time: more engineers do not look at one node, and each costs every packet a comparison. */
const tracesMax = 8;
/** Tunnels that keep what waits for their users: eight kilobytes each. */
const keepersMax = 1000;

export class Traces {
  readonly #ports: TracePorts;
  readonly #open = new Set<Trace>();
  readonly #onlookers: Onlookers;
  #keepers = 0;

  constructor(ports: TracePorts) {
    this.#ports = ports;
    this.#onlookers = {
      open: this.#open,
      wallMs: () => ports.clock.wallMs(),
      reserve: () => this.#reserve(),
      release: () => {
        this.#keepers -= 1;
      },
    };
  }

  /** Where what passes on a control connection of `peerAddress`, and in its calls, is to be told. */
  tunnel(peerAddress: Ipv4): TunnelTrace {
    return new TunnelTrace(peerAddress, this.#onlookers);
  }

  /** Begins a trace, which its owner closes. Throws a `Fault` if there are too many. */
  begin(wanted: Wanted): Trace {
    if (this.#open.size >= tracesMax) {
      traceTally.add('refused');
      const hint = `Each trace compares every packet of the node: no more than ${tracesMax} at one time. Leave another one first.`;
      throw new Fault('TRACE_TOO_MANY', 'operator', 'failure: too many traces are running', hint);
    }
    traceTally.add('begun');
    const trace = new Trace(wanted, this.#ports, (closed) => void this.#open.delete(closed));
    this.#open.add(trace);
    return trace;
  }

  /** Looks on at a query about the session of `user`. */
  readonly watch = (identity: SessionIdentity, user: string): QueryWatch => ({
    sent: (server, octets, isCopy) => {
      if (this.#open.size === 0) return;
      const packet = decodePacket(octets);
      if (packet instanceof Malformed) throw new Error(`a request of ours is none: ${packet}`);
      this.#tell(identity, user, packetMoment(isCopy ? 'sending again' : 'sending', server, packet));
    },
    received: (server, packet) => this.#tell(identity, user, packetMoment('received', server, packet)),
    discarded: (server, why) => this.#remark(identity, user, `discarded a reply of ${server}: ${why}`),
    timedOut: (server, waitedMs) =>
      this.#remark(identity, user, `no reply from ${server} within ${Math.round(waitedMs)} ms`),
  });

  /** Looks on at what a server asks of a session. */
  readonly watchRequest = ({ identity, user }: DynamicTarget, { kind, octets }: DynamicRequest): Answer => {
    const isChange = kind === 'change';
    const code = isChange ? codes.coaRequest : codes.disconnectRequest;
    this.#tell(identity, user, { kind: 'request', code, attributes: octets });
    return (errorCause) => {
      const title = isChange ? 'CoA' : 'Disconnect';
      const reply = errorCause === undefined ? 'Ack' : `Nak, Error-Cause = ${errorCause}`;
      this.#remark(identity, user, `answered ${title}-${reply}`);
    };
  };

  #remark(identity: SessionIdentity, user: string, text: string): void {
    this.#tell(identity, user, { kind: 'remark', topics: 'radius,debug', text });
  }

  #tell({ sessionId, peerAddress, nasPortId }: SessionIdentity, user: string, moment: Moment): void {
    if (this.#open.size === 0) return;
    const known = {
      callerId: formatIpv4(peerAddress),
      users: [user],
      interfaces: [`<${nasPortId}>`],
      isNamed: true,
    };
    for (const trace of this.#open) {
      if (trace.follows(sessionId) || suits(trace.wanted, known))
        trace.give(moment, this.#ports.clock.wallMs());
    }
  }

  #reserve(): boolean {
    if (this.#keepers >= keepersMax) return false;
    this.#keepers += 1;
    return true;
  }
}

function packetMoment(did: string, server: string, { code, identifier, attributes }: Packet): Moment {
  return { kind: 'packet', did, server, code, identifier, attributes };
}
