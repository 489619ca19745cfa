/**
 * Callers of a service: our own clients, each with a name and one tunnel at a time. A name and an address to dial enter; who is up, and
 * with which address, leaves. A caller that is refused dials on, until he hangs up.
 */

import { formatIpv4, parseIpv4 } from '../../src/base/ip.ts';
import type { Dialer } from '../../src/client/dialer.ts';
import { Password } from '../../src/ppp/auth/password.ts';
import type { ClientHost } from './client-host.io.ts';

/** Quick to notice that nobody is there any more: a paused node is left after so long and five probes, in ms. */
const keepaliveTimeout = 2_000;

export class Caller {
  readonly user: string;
  readonly #host: ClientHost;
  readonly #name: string;
  #dialer: Dialer | undefined;
  #leaving: Promise<void> = Promise.resolve();

  /** `name` tells callers of one user apart. */
  constructor(host: ClientHost, user: string, name: string) {
    this.#host = host;
    this.user = user;
    this.#name = name;
  }

  get isIdle(): boolean {
    return this.#dialer === undefined;
  }

  /** The address that it has; undefined while it is not up. */
  get address(): string | undefined {
    const session = this.#dialer?.session;
    if (session?.state !== 'up' || session.agreed?.local === undefined) return undefined;
    return formatIpv4(session.agreed.local);
  }

  /** Each line of what it says goes to `said`. */
  dial(address: string, said: (text: string) => void = () => {}): void {
    const connectTo = { address: parseIpv4(address) ?? 0 };
    const choice = {
      name: this.#name,
      user: this.user,
      password: new Password('x'),
      connectTo,
      keepaliveTimeout,
    };
    this.#dialer = this.#host.dial(choice, (_severity, _topics, text) => said(text));
  }

  /** Resolves when nothing is left of its tunnels. */
  hangUp(): Promise<void> {
    const dialer = this.#dialer;
    this.#dialer = undefined;
    if (dialer !== undefined) {
      const ended = new Promise<void>((done) => dialer.end('client-disabled', done));
      this.#leaving = Promise.all([this.#leaving, ended]).then(() => {});
    }
    return this.#leaving;
  }
}
