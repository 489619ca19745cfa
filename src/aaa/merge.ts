/**
 * What several levels say together: a secret or a RADIUS server's reply, the profile that it names, the server's default
 * profile, strongest first.
 *
 * Levels in, one `Grant` out. The strongest level that says something wins, value by value, with RouterOS's one exception:
 * for the two addresses, a single address beats a pool whatever the levels.
 */

import type { AddressOrPool } from '../base/kind.ts';
import type { Grant, Limits } from './grant.ts';
import type { Route } from './route.ts';
import type { PppSecret, Profile } from './settings.ts';

/** What one level may say; silence is a missing value, `default`, an empty list or text, or no limit of octets. */
export interface Level
  extends Partial<Omit<Profile, 'name' | 'comment'>>,
    Partial<Pick<PppSecret, 'routes' | 'limitBytesIn' | 'limitBytesOut'>>,
    Partial<Pick<Grant, 'encryptionBits' | 'portLimit' | 'mtu'>> {
  /** Both directions together. */
  readonly limitBytesTotal?: number;
}

/** What holds if no level says anything: RouterOS's built-in behaviour. */
const builtIn = { useEncryption: 'no', useCompression: 'no', onlyOne: 'no', changeTcpMss: 'yes' } as const;

/** `levels` strongest first; `profile` names the strongest profile among them. */
export function merge(profile: string, levels: readonly Level[]): Grant {
  const first = firstOf(levels);
  const tristate = (key: 'useCompression' | 'onlyOne' | 'changeTcpMss') =>
    (first(key) ?? builtIn[key]) === 'yes';
  const encryption = first('useEncryption');

  return {
    profile,
    localAddress: chooseAddress(levels.map(({ localAddress }) => localAddress)),
    remoteAddress: chooseAddress(levels.map(({ remoteAddress }) => remoteAddress)),
    bridge: first('bridge'),
    dnsServer: first('dnsServer') ?? [],
    winsServer: first('winsServer') ?? [],
    routes: levels.flatMap(({ routes = [] }): readonly Route[] => routes),
    useEncryption: encryption === undefined || encryption === 'default' ? builtIn.useEncryption : encryption,
    encryptionBits: first('encryptionBits'),
    useCompression: tristate('useCompression'),
    changeTcpMss: tristate('changeTcpMss'),
    onlyOne: tristate('onlyOne'),
    portLimit: first('portLimit'),
    mtu: first('mtu'),
    limits: mergeLimits(levels),
  };
}

function mergeLimits(levels: readonly Level[]): Limits {
  const first = firstOf(levels);
  const quota = (key: 'limitBytesIn' | 'limitBytesOut' | 'limitBytesTotal') =>
    levels.map((level) => level[key]).find(Boolean);
  return {
    sessionTimeoutMs: limit(first('sessionTimeout')),
    idleTimeoutMs: limit(first('idleTimeout')),
    rates: first('rateLimit'),
    quota: {
      receiveOctets: quota('limitBytesIn'),
      transmitOctets: quota('limitBytesOut'),
      totalOctets: quota('limitBytesTotal'),
    },
    filters: { incoming: first('incomingFilter'), outgoing: first('outgoingFilter') },
    addressLists: first('addressList') ?? [],
  };
}

/** Finds what the strongest level says that says anything. */
function firstOf(levels: readonly Level[]): <K extends keyof Level>(key: K) => Level[K] | undefined {
  return (key) => levels.map((level) => level[key]).find(isSaid);
}

function isSaid(value: Level[keyof Level]): boolean {
  if (value === undefined || value === 'default' || value === '') return false;
  return !Array.isArray(value) || value.length > 0;
}

/** A time of zero is said, and says "none". */
function limit(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

function chooseAddress(said: readonly (AddressOrPool | undefined)[]): AddressOrPool | undefined {
  return said.find((choice) => choice !== undefined && 'address' in choice) ?? said.find(isSaid);
}
