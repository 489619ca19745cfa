/**
 * The options of IPCP that we speak: IP-Address (RFC 1332 section 3.3) and the name servers of RFC 1877. IP-Addresses (the
 * option that RFC 1332 replaced) and Van Jacobson compression stand in no row and are rejected.
 */

import { Reader, Writer } from '../../base/bytes.ts';
import { anyAddress, type Ipv4 } from '../../base/ip.ts';
import type { OptionRow } from '../option.ts';

export interface IpcpSettings {
  /** Our address; undefined asks the peer for one. */
  readonly local: Ipv4 | undefined;
  /** The peer's address; undefined lets the peer choose. */
  readonly remote: Ipv4 | undefined;
  /** Told to a peer that asks: primary, secondary. What is not set is rejected. */
  readonly dns: readonly Ipv4[];
  readonly wins: readonly Ipv4[];
  /** Whether we ask the peer for its DNS servers. */
  readonly askDns: boolean;
}

export interface IpcpTerms {
  readonly settings: IpcpSettings;
  readonly offer: {
    address: Ipv4 | undefined;
    readonly dns: (Ipv4 | undefined)[];
  };
  /** The peer naked the address that was configured for us: it expects another one of us. */
  overruled: boolean;
  /** As acknowledged: undefined where the option was left out. */
  readonly agreed: {
    local: Ipv4 | undefined;
    remote: Ipv4 | undefined;
    readonly dns: (Ipv4 | undefined)[];
  };
}

type Row = OptionRow<IpcpTerms, Ipv4>;

const addressCodec = {
  decode: (data: Uint8Array) => (data.length === 4 ? new Reader(data).u32() : undefined),
  encode: (address: Ipv4) => new Writer(new Uint8Array(4)).u32(address).done(),
};

const ipAddress: Row = {
  type: 3,
  name: 'IP-Address',
  ...addressCodec,
  offer: ({ offer }) => offer.address,
  granted(address, { agreed }) {
    agreed.local = address;
  },
  // An address that was configured is not given up; the negotiator bounds how long a peer may insist.
  onNak(address, terms) {
    const { settings, offer } = terms;
    if (settings.local !== undefined) terms.overruled = address !== settings.local;
    else if (offer.address !== undefined) offer.address = address;
  },
  onReject({ offer }) {
    offer.address = undefined;
  },
  judge(address, { settings: { remote } }) {
    if (remote !== undefined) return address === remote ? 'ack' : { nak: remote };
    return address === anyAddress ? 'reject' : 'ack';
  },
  want: ({ settings }) => settings.remote,
  agreed(address, { agreed }) {
    agreed.remote = address;
  },
};

/** `which`: 0 primary, 1 secondary. Only DNS servers are asked for: NBNS is of no use to us as a client. */
function nameServer(type: number, name: string, list: 'dns' | 'wins', which: 0 | 1): Row {
  return {
    type,
    name,
    ...addressCodec,
    offer: ({ offer }) => (list === 'dns' ? offer.dns[which] : undefined),
    granted(address, { agreed }) {
      if (list === 'dns') agreed.dns[which] = address;
    },
    onNak(address, { offer }) {
      if (list === 'dns' && offer.dns[which] !== undefined) offer.dns[which] = address;
    },
    onReject({ offer }) {
      if (list === 'dns') offer.dns[which] = undefined;
    },
    judge(address, { settings }) {
      const configured = settings[list][which];
      if (configured === undefined) return 'reject';
      return address === configured ? 'ack' : { nak: configured };
    },
  };
}

export const ipcpOptions: readonly OptionRow<IpcpTerms>[] = [
  ipAddress,
  nameServer(129, 'Primary-DNS-Server-Address', 'dns', 0),
  nameServer(130, 'Primary-NBNS-Server-Address', 'wins', 0),
  nameServer(131, 'Secondary-DNS-Server-Address', 'dns', 1),
  nameServer(132, 'Secondary-NBNS-Server-Address', 'wins', 1),
];
