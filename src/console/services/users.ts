/**
 * Who may come in by a service, and what he may do there. A name and a proof enter; what his group allows leaves, or nothing: then
 * the log has the reason, in RouterOS's words, and he who failed too often waits. A changed user is another one at once, also in
 * sessions that are open. Pure.
 */

import { createHash } from 'node:crypto';
import { equalInConstantTime, toBytes } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { contains, formatIpv4, type Ipv4 } from '../../base/ip.ts';
import { type Log, tally } from '../../base/observe.ts';
import type { MenuPath } from '../../base/setting.ts';
import type { Live } from '../face.ts';
import { Attempts } from './attempts.ts';
import { type GroupName, groupNames, type UserSettings } from './settings.ts';

/** The closed set of rights, in RouterOS's words. `policy`: to change who may come in, and where. */
const policies = ['read', 'write', 'policy', 'sensitive'] as const;
type Policy = (typeof policies)[number];
export type Rights = ReadonlySet<Policy>;

/** RouterOS's `read` sees passwords; here it does not, because what only watches needs none. */
const rightsOfGroup: Readonly<Record<GroupName, Rights>> = {
  full: new Set(policies),
  write: new Set(['read', 'write', 'sensitive']),
  read: new Set(['read']),
};

const policyMenus: ReadonlySet<MenuPath> = new Set(['/user', '/ip service']);

/** Whether `rights` are enough to change something in the menu at `path`. */
export function mayChange(rights: Rights, path: MenuPath): boolean {
  return rights.has(policyMenus.has(path) ? 'policy' : 'write');
}

/** `/user`: its menu shows no passwords. */
export const users: Live = { items: (configured, answer) => answer({ items: configured }) };

/** `/user group`. */
export const groups: Live = {
  items: (_, answer) =>
    answer({
      items: groupNames.map((name, at) => {
        const policy = policies.map((each) => (rightsOfGroup[name].has(each) ? each : `!${each}`)).join();
        return { id: `*${at + 1}`, flags: '', values: { name, policy }, isConfigured: false };
      }),
    }),
};

export const servicesTally = tally('services', {
  refusedAddress: 'Connections from an address that the service is not for.',
  refusedFull: 'Connections beyond max-sessions of the service.',
  logins: 'Logins.',
  loginFailures: 'Logins that failed.',
  loginsDelayed: 'Logins that were refused unseen, because too many from that address had failed.',
  malformed: 'Connections that spoke something else.',
  overlong: 'Sentences and requests that were too long.',
  tooMany: 'Commands beyond those that one connection may have on their way.',
  silent: 'Connections that began something and did not finish it in time.',
  slowReaders: 'Connections that did not read what they had asked for.',
});

/** How a password is shown to be known. */
export type Proof =
  | { readonly password: string }
  /** RouterOS before 6.43: MD5 of a zero, the password and our challenge. */
  | { readonly challenge: Uint8Array; readonly response: string };

/** Names in the log are cut: they come from strangers. */
const loggedNameMax = 64;

export class Gate {
  readonly #log: Log;
  readonly #attempts: Attempts;
  #users: ReadonlyMap<string, UserSettings> = new Map();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#attempts = new Attempts(clock);
  }

  configure(users: readonly UserSettings[]): void {
    this.#users = new Map(users.map((user) => [user.name, user]));
  }

  /** Whether `name` is let in, who calls from `from` by `via`, such as `api`. */
  admits(name: string, proof: Proof, from: Ipv4, via: string): boolean {
    if (this.#attempts.isBarred(from)) {
      servicesTally.add('loginsDelayed');
      return false;
    }
    const why = this.#objection(this.#users.get(name), proof, from);
    if (why === undefined) {
      servicesTally.add('logins');
      this.#attempts.succeeded(from);
      return true;
    }
    servicesTally.add('loginFailures');
    const address = formatIpv4(from);
    const user = name.slice(0, loggedNameMax);
    const text = `login failure for user ${user} from ${address} via ${via}`;
    this.#log('error', 'system', text, { user, address, via, why });
    if (this.#attempts.failed(from)) {
      const barred = `too many login failures from ${address}: nobody is let in from there for ${this.#attempts.barredText}`;
      this.#log('warning', 'system', barred, { address });
    }
    return false;
  }

  /** What `name` may do now; undefined if he may not be here any more. */
  rights(name: string, from: Ipv4): Rights | undefined {
    const user = this.#users.get(name);
    const isWelcome = user !== undefined && !user.disabled && isFrom(user, from);
    return isWelcome ? rightsOfGroup[user.group] : undefined;
  }

  /** The proof is looked at first, and of a user who is not there too: how long it takes tells nothing. */
  #objection(user: UserSettings | undefined, proof: Proof, from: Ipv4): string | undefined {
    const password = user?.password.reveal() ?? '';
    const isProven = proves(proof, password);
    if (user === undefined) return 'no such user in /user';
    if (password === '') return 'the user has no password: set one in /user';
    if (!isProven) return 'wrong password';
    if (user.disabled) return 'the user is disabled';
    return isFrom(user, from) ? undefined : 'not from this address: see address= of /user';
  }
}

function isFrom({ address }: UserSettings, from: Ipv4): boolean {
  return address.length === 0 || address.some((prefix) => contains(prefix, from));
}

function proves(proof: Proof, password: string): boolean {
  if ('password' in proof) return isSame(proof.password, password);
  const digest = createHash('md5')
    .update(Uint8Array.of(0))
    .update(password)
    .update(proof.challenge)
    .digest('hex');
  return isSame(proof.response.toLowerCase(), `00${digest}`);
}

/** In a time that does not depend on where they differ, nor on how long the second is: digests are compared. */
function isSame(one: string, other: string): boolean {
  return equalInConstantTime(digestOf(one), digestOf(other));
}

function digestOf(text: string): Uint8Array {
  return createHash('sha256').update(toBytes(text)).digest();
}
