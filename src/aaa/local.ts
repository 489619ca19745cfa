/**
 * The local database as an authority: credentials against `/ppp secret` and `/ppp profile`.
 *
 * A question in, a `Verdict` out; nothing is kept. An unknown user costs the same work as a known one, and what a secret
 * forbids is told only to who knows its password. `unknown-user` is the caller's cue to ask RADIUS instead.
 */

import { toText } from '../base/bytes.ts';
import type { PasswordCredentials } from '../ppp/auth/credentials.ts';
import { withoutDomain } from '../ppp/auth/mschap-hash.ts';
import { Password } from '../ppp/auth/password.ts';
import { merge } from './merge.ts';
import { prove } from './proof.ts';
import type { Question } from './question.ts';
import type { PppSecret, Profile } from './settings.ts';
import { type Accepted, type RefusalReason, type Refused, refused } from './verdict.ts';

export interface LocalUsers {
  /** By name. */
  readonly secrets: ReadonlyMap<string, PppSecret>;
  readonly profiles: ReadonlyMap<string, Profile>;
}

/** Stands in for the password of a user that we do not know. */
const decoy = new Password('no such user');

/** A question about a password. EAP proves things that are not in this database. */
export interface LocalQuestion extends Pick<Question, 'callerId' | 'defaultProfile'> {
  readonly credentials: PasswordCredentials;
}

export function judgeLocally(question: LocalQuestion, users: LocalUsers): Accepted | Refused {
  const { credentials } = question;
  const secret = findSecret(credentials, users.secrets);
  const { proved, mschap2Success, mppeKeys } = prove(credentials, secret?.password ?? decoy);
  if (secret === undefined) return refused('unknown-user');
  if (!proved) return refused('wrong-password');

  const objection = objectionTo(secret, question);
  if (objection !== undefined) return refused(objection);
  const profile = users.profiles.get(secret.profile);
  const defaultProfile = users.profiles.get(question.defaultProfile);
  if (profile === undefined || defaultProfile === undefined) return refused('no-profile');

  return {
    accept: true,
    user: secret.name,
    grant: merge(profile.name, [secret, profile, defaultProfile]),
    source: 'local',
    classes: [],
    interimMs: undefined,
    message: 'access granted',
    ...(mschap2Success !== undefined && { mschap2Success }),
    ...(mppeKeys && { mppeKeys }),
  };
}

/** The secret of that name; `DOMAIN\jack` is `jack` unless there is a secret for the whole. */
function findSecret(
  { nameOctets }: PasswordCredentials,
  secrets: ReadonlyMap<string, PppSecret>,
): PppSecret | undefined {
  return secrets.get(toText(nameOctets)) ?? secrets.get(toText(withoutDomain(nameOctets)));
}

function objectionTo(secret: PppSecret, { callerId }: LocalQuestion): RefusalReason | undefined {
  if (secret.disabled) return 'disabled';
  if (secret.service !== 'any' && secret.service !== 'pptp') return 'wrong-service';
  if (secret.callerId !== '' && secret.callerId !== callerId) return 'wrong-caller';
  return undefined;
}
