/** What a node begins with that was given no configuration: a server that works, and one user whom nobody can guess. Pure. */

import type { Random } from '../base/random.ts';

/** 32 characters, so that five random bits choose one evenly; none that is taken for another when read aloud. */
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
/** 100 bits: out of reach of guessing, even of a captured MS-CHAPv2 exchange. */
const passwordLength = 20;

export interface FirstStart {
  readonly script: string;
  readonly user: string;
  readonly password: string;
}

/**
 * A script, and the credentials that it lets in. The addresses are in a profile of its own: those of a built-in one would be
 * demanded by our clients too, which use it unless told otherwise.
 */
export function firstStart(random: Random): FirstStart {
  const user = 'subscriber';
  const password = Array.from(random(passwordLength), (octet) => alphabet[octet % alphabet.length]).join('');
  const script = `# Written on the first start, because there was no configuration. Yours to change.
/ip pool
add name=subscribers ranges=10.77.0.2-10.77.255.254
/ppp profile
add name=subscribers local-address=10.77.0.1 remote-address=subscribers \\
    use-encryption=yes
/ppp secret
add name=${user} password=${password} profile=subscribers service=pptp
/interface pptp-server server
set enabled=yes
`;
  return { script, user, password };
}
