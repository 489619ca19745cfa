/**
 * Asks a server that has fallen silent whether it is back: Status-Server (RFC 5997), each a fresh packet, on the port of the
 * role that is in question. Never sent to a server that answers.
 */

import type { Clock, Timer } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { probeIntervalMs } from './health.ts';
import type { Holder } from './line.ts';
import type { Lines } from './lines.ts';
import { authenticatorBytes, codes, type Packet } from './packet.ts';
import type { BadReply } from './replies.ts';
import { jitter } from './retransmission.ts';
import { sealAccessRequest } from './sign.ts';

export interface ProberPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly lines: Lines;
  readonly secret: Uint8Array;
  judge(octets: Uint8Array, request: Uint8Array): Packet | BadReply;
  /** The server has answered. */
  answered(): void;
}

export class Prober {
  readonly #ports: ProberPorts;
  #timer: Timer | undefined;
  #isProbing = false;

  constructor(ports: ProberPorts) {
    this.#ports = ports;
  }

  /** Sends one now, and goes on until it is stopped. */
  start(): void {
    if (this.#isProbing) return;
    this.#isProbing = true;
    this.#turn();
  }

  stop(): void {
    this.#isProbing = false;
    this.#timer?.cancel();
  }

  /** A socket has opened: no need to wait for the next turn. */
  opened(): void {
    if (this.#isProbing) this.#turn();
  }

  #turn(): void {
    const { clock, random } = this.#ports;
    this.#timer?.cancel();
    this.#timer = clock.arm(probeIntervalMs * (1 + jitter(random)), () => this.#turn());
    this.#probe();
  }

  #probe(): void {
    const { lines, random, secret, judge, answered } = this.#ports;
    let request: Uint8Array | undefined;
    const holder: Holder = {
      received: (octets) => {
        if (request === undefined || typeof judge(octets, request) === 'string') return;
        place?.line.release(place.identifier);
        answered();
      },
      opened: () => {},
      stranded: () => {},
    };
    const place = lines.take(holder);
    if (place === undefined) return;
    const { line, identifier } = place;
    const authenticator = random(authenticatorBytes);
    const packet = { code: codes.statusServer, identifier, authenticator, attributes: new Uint8Array() };
    request = sealAccessRequest(packet, secret);
    line.send(request);
    line.rest(identifier);
  }
}
