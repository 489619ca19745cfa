/**
 * What several levels say together: a secret, its profile, the server's default profile, strongest first. RADIUS attributes
 * are one more level.
 *
 * Levels in, one `Grant` out. The strongest level that says something wins, value by value, with RouterOS's one exception:
 * for the two addresses, a single address beats a pool whatever the levels.
 */

import type { AddressOrPool } from '../base/kind.ts';
import type { Grant } from './grant.ts';
import type { Route } from './route.ts';
import type { Profile, Secret } from './settings.ts';

/** What one level may say; silence is a missing value, `default`, an empty list or text, or no limit of octets. */
export interface Level
  extends Partial<Omit<Profile, 'name' | 'comment'>>,
    Partial<Pick<Secret, 'routes' | 'limitBytesIn' | 'limitBytesOut'>> {}

/** What holds if no level says anything: RouterOS's built-in behaviour. */
const builtIn = { useEncryption: 'no', useCompression: 'no', onlyOne: 'no', changeTcpMss: 'yes' } as const;

/** `levels` strongest first; `profile` names the strongest profile among them. */
export function merge(profile: string, levels: readonly Level[]): Grant {
  const first = <K extends keyof Level>(key: K) => levels.map((level) => level[key]).find(isSaid);
  const tristate = (key: 'useCompression' | 'onlyOne' | 'changeTcpMss') =>
    (first(key) ?? builtIn[key]) === 'yes';
  const encryption = first('useEncryption');

  return {
    profile,
    localAddress: chooseAddress(levels.map(({ localAddress }) => localAddress)),
    remoteAddress: chooseAddress(levels.map(({ remoteAddress }) => remoteAddress)),
    dnsServer: first('dnsServer') ?? [],
    winsServer: first('winsServer') ?? [],
    routes: levels.flatMap(({ routes = [] }): readonly Route[] => routes),
    useEncryption: encryption === undefined || encryption === 'default' ? builtIn.useEncryption : encryption,
    useCompression: tristate('useCompression'),
    changeTcpMss: tristate('changeTcpMss'),
    onlyOne: tristate('onlyOne'),
    sessionTimeoutMs: limit(first('sessionTimeout')),
    idleTimeoutMs: limit(first('idleTimeout')),
    rateLimit: first('rateLimit') ?? '',
    limitBytesIn: limit(levels.map(({ limitBytesIn }) => limitBytesIn).find(Boolean)),
    limitBytesOut: limit(levels.map(({ limitBytesOut }) => limitBytesOut).find(Boolean)),
  };
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
