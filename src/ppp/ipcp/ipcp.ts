/**
 * IPCP (RFC 1332 with RFC 1877): which addresses the two ends have. Information fields of IPCP frames go in; packets come out,
 * and the agreed addresses when the layer is up. When it may begin is the bundle's business.
 */

import { Malformed } from '../../base/fault.ts';
import { anyAddress, type Ipv4 } from '../../base/ip.ts';
import { type Arm, type Disarm, type Noted, note, type Send } from '../effect.ts';
import { type FinishCause, Negotiator, type NegotiatorEffect, steadyRestartMs } from '../negotiator.ts';
import { codes, decodePacket } from '../packet.ts';
import { ipcpProtocol } from '../protocol.ts';
import { type IpcpSettings, type IpcpTerms, ipcpOptions } from './options.ts';

export interface Addresses {
  readonly local: Ipv4;
  /** Undefined if the peer has told none: the interface then has no far address. */
  readonly remote: Ipv4 | undefined;
  /** The peer's DNS servers, if we asked. */
  readonly dns: readonly Ipv4[];
}

export type IpcpEffect =
  | Send
  | Arm<'ipcp'>
  | Disarm<'ipcp'>
  | Noted
  | { readonly do: 'ipcp-up'; readonly addresses: Addresses }
  /** Left Opened, to negotiate again or to end. */
  | { readonly do: 'ipcp-down' }
  | { readonly do: 'ipcp-finished'; readonly cause: FinishCause };

type Effects = readonly IpcpEffect[];

export class Ipcp {
  readonly #terms: IpcpTerms;
  readonly #negotiator: Negotiator<IpcpTerms, 'ipcp'>;
  #terminated = false;

  constructor(settings: IpcpSettings) {
    const dns = settings.askDns ? [anyAddress, anyAddress] : [];
    this.#terms = {
      settings,
      offer: { address: settings.local ?? anyAddress, dns },
      overruled: false,
      agreed: { local: undefined, remote: undefined, dns: [] },
    };
    this.#negotiator = new Negotiator(
      { name: 'ipcp', protocol: ipcpProtocol, rows: ipcpOptions, restartMs: steadyRestartMs },
      this.#terms,
    );
  }

  /** IPCP is open, with these addresses: a process before this one has negotiated it. Instead of `up`. */
  resume({ local, remote }: Addresses): void {
    const { offer, agreed } = this.#terms;
    offer.address = local;
    agreed.local = local;
    agreed.remote = remote;
    this.#negotiator.resume('Opened');
  }

  up(): Effects {
    return this.#of([...this.#negotiator.open(), ...this.#negotiator.up()]);
  }

  down(): Effects {
    return this.#of(this.#negotiator.down());
  }

  expired(): Effects {
    return this.#of(this.#negotiator.expired());
  }

  again(): Effects {
    return this.#of(this.#negotiator.again());
  }

  protocolRejected(): Effects {
    return this.#of(this.#negotiator.protocolRejected());
  }

  received(bytes: Uint8Array): Effects {
    const packet = decodePacket(bytes);
    if (packet instanceof Malformed) return [note('malformed')];
    const opened = this.#negotiator.state === 'Opened';
    const effects = this.#of(this.#negotiator.received(packet));
    if (packet.code !== codes.terminateRequest || opened || this.#terminated) return effects;
    // A peer that terminates while it negotiates wants no IPv4 from us.
    this.#terminated = true;
    return [...effects, ...this.#of(this.#negotiator.close('terminated', new Uint8Array()))];
  }

  #of(effects: readonly NegotiatorEffect<'ipcp'>[]): Effects {
    return effects.flatMap((effect) => this.#ofOne(effect));
  }

  #ofOne(effect: NegotiatorEffect<'ipcp'>): Effects {
    switch (effect.do) {
      case 'send':
      case 'arm':
      case 'disarm':
      case 'note':
        return [effect];
      case 'acknowledging':
        return [];
      case 'layer-up':
        return this.#opened();
      case 'layer-down':
        return [{ do: 'ipcp-down' }];
      case 'layer-finished':
        return [{ do: 'ipcp-finished', cause: effect.cause }];
    }
  }

  #opened(): Effects {
    const { settings, agreed, overruled } = this.#terms;
    // A side that leaves the option out has its own address, unless the other has named one that it must have instead.
    const local = agreed.local ?? (overruled ? undefined : settings.local) ?? anyAddress;
    if (local === anyAddress) return this.#of(this.#negotiator.close('no-convergence', new Uint8Array()));
    const remote = agreed.remote ?? settings.remote;
    const dns = agreed.dns.filter((server) => server !== undefined && server !== anyAddress) as Ipv4[];
    return [{ do: 'ipcp-up', addresses: { local, remote, dns } }];
  }
}
