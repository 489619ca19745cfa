/**
 * RADIUS as an authority (RFC 2865, RFC 2548, RFC 3579): a question becomes an Access-Request, and what comes back a verdict.
 *
 * Enter: a question, and the exchange's outcome. Leave: the query, and one verdict. An Access-Accept lets the user in only if all
 * of it can be followed, and if it brings what the method needs. That a reply comes from the server, the exchange has checked.
 */

import { toText } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { Malformed } from '../base/fault.ts';
import { formatIpv4 } from '../base/ip.ts';
import type { Log } from '../base/observe.ts';
import { withoutDomain } from '../ppp/auth/mschap-hash.ts';
import {
  type Attribute,
  type AttributeCodec,
  type Attributes,
  attribute,
  roomOf,
} from '../radius/attribute.ts';
import { codes } from '../radius/packet.ts';
import type { Outcome, Query, QueryWatch, Round } from '../radius/query.ts';
import { credentialAttributes } from './credential-attributes.ts';
import type { Grant } from './grant.ts';
import type { SessionIdentity } from './identity.ts';
import { identityAttributes } from './identity-attributes.ts';
import { interimMsOf } from './limits-of.ts';
import { merge } from './merge.ts';
import type { Question } from './question.ts';
import { bitsOf, mppeKeysOf, mschap2SuccessOf, mschapErrorOf, replyMessageOf } from './radius-proof.ts';
import { Unreadable } from './reading.ts';
import { isFramedPpp, levelOf } from './reply.ts';
import type { Profile } from './settings.ts';
import { type Accepted, type Refused, refused, type Verdict } from './verdict.ts';

/** Asks a server, and calls `done` once. */
export type Ask = (query: Query, done: (outcome: Outcome) => void) => void;

export interface RadiusPorts {
  readonly ask: Ask;
  readonly codec: AttributeCodec;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Log;
  readonly watch?: WatchSession;
}

/** Who looks on at a query about the session of `user`, if anybody does. */
export type WatchSession = (identity: SessionIdentity, user: string) => QueryWatch | undefined;

type Reply = Extract<Outcome, { got: 'reply' }>;

/** [RFC 2865 5.1] A longer name would be cut, and then be somebody else's. */
const nameBytesMax = 253;

/** [RFC 5080 2.2.1] MRD. A peer has given up by then: Windows waits for 30 s. */
const deadlineMs = 30_000;

/** Asks about `question`. `profiles` are those of the moment of the answer, and `answer` is called once. */
export function judgeByRadius(
  question: Question,
  profiles: () => ReadonlyMap<string, Profile>,
  ports: RadiusPorts,
  answer: (verdict: Verdict) => void,
): void {
  if (question.credentials.nameOctets.length > nameBytesMax) return answer(refused('name-too-long'));
  ports.ask(queryOf(question, ports), (outcome) => {
    if (outcome.got === 'no-server') answer(refused('no-radius-server'));
    else if (outcome.got === 'silence') answer(refused('radius-silent'));
    else answer(judge(question, outcome, profiles(), ports));
  });
}

function queryOf(question: Question, { codec, clock, watch }: RadiusPorts): Query {
  const { credentials, identity, resume } = question;
  const watching = watch?.(identity, credentials.name);
  const domain = toText(domainOf(credentials.nameOctets));
  return {
    role: 'authentication',
    code: codes.accessRequest,
    urgency: 'urgent',
    deadlineMs,
    calledId: formatIpv4(identity.localAddress),
    ...(domain !== '' && { domain }),
    ...(resume && { server: resume.server }),
    attributes: (round) => codec.encode(requestOf(question, round, clock.wallMs())),
    ...(watching && { watch: watching }),
  };
}

/** The domain before a backslash; nothing if there is none. */
function domainOf(name: Uint8Array): Uint8Array {
  return name.subarray(0, Math.max(0, name.length - withoutDomain(name).length - 1));
}

/** The name goes as the peer sent it, domain and all: it is part of what is hashed, and the server knows best what it is. */
function requestOf(
  { credentials, identity, resume }: Question,
  round: Round,
  wallMs: number,
): readonly Attribute[] {
  const domain = domainOf(credentials.nameOctets);
  // One that does not fit beside a vendor's number is no domain of Windows.
  const isDomain = domain.length > 0 && domain.length <= roomOf('MS-CHAP-Domain');
  return [
    ...identityAttributes(identity, credentials.nameOctets),
    ...credentialAttributes(credentials, round, resume?.state),
    ...(isDomain ? [attribute('MS-CHAP-Domain', domain)] : []),
    attribute('Event-Timestamp', Math.floor(wallMs / 1000)),
  ];
}

function judge(
  question: Question,
  reply: Reply,
  profiles: ReadonlyMap<string, Profile>,
  { codec, clock, log }: RadiusPorts,
): Verdict {
  const { packet, round } = reply;
  const attributes = codec.decode(packet.attributes);
  if (attributes instanceof Malformed) return refused('radius-nonsense', `${round.server}, ${attributes}`);
  switch (packet.code) {
    case codes.accessAccept: {
      const verdict = accepted(question, attributes, round, profiles, clock.wallMs());
      if (verdict.accept) tellDepartures(question, attributes, verdict, log);
      return verdict;
    }
    case codes.accessReject:
      return rejected(attributes, round);
    case codes.accessChallenge:
      return challenged(question, attributes, round);
    default:
      return refused('radius-nonsense', `${round.server}, code ${packet.code}`);
  }
}

function accepted(
  question: Question,
  attributes: Attributes,
  round: Round,
  profiles: ReadonlyMap<string, Profile>,
  wallMs: number,
): Accepted | Refused {
  const { credentials } = question;
  if (!isFramedPpp(attributes)) return refused('other-service', round.server);
  const grant = grantOf(question, attributes, profiles, wallMs);
  if ('reason' in grant) return grant;

  const mschap2Success = credentials.method === 'mschap2' ? mschap2SuccessOf(attributes) : undefined;
  if (credentials.method === 'mschap2' && mschap2Success === undefined) {
    return refused('no-mschap2-success', round.server);
  }
  const mppeKeys = leavesKeys(question) ? mppeKeysOf(attributes, credentials, round) : undefined;
  if (leavesKeys(question) && mppeKeys === undefined && grant.useEncryption === 'required') {
    return refused('no-mppe-keys', round.server);
  }
  const user = attributes.first('User-Name') || toText(credentials.nameOctets);
  const eap = attributes.first('EAP-Message');
  return {
    accept: true,
    user,
    grant: { ...grant, encryptionBits: commonBits(grant.encryptionBits, mppeKeys && bitsOf(mppeKeys)) },
    source: 'radius',
    classes: attributes.all('Class'),
    // Zero leaves it to this node, as silence does.
    interimMs: interimMsOf(attributes) || undefined,
    message: replyMessageOf(attributes),
    ...(mschap2Success !== undefined && { mschap2Success }),
    ...(mppeKeys && { mppeKeys }),
    ...(eap && { eap }),
  };
}

/** Undefined is any strength. */
function commonBits(one: Grant['encryptionBits'], other: Grant['encryptionBits']): Grant['encryptionBits'] {
  if (one === undefined || other === undefined) return one ?? other;
  return new Set([...one].filter((bits) => other.has(bits)));
}

/** PAP and CHAP leave no keys: whether a session may do without is decided where encryption is negotiated. */
function leavesKeys({ credentials: { method } }: Question): boolean {
  return method !== 'pap' && method !== 'chap';
}

/** The reply, the profile that it names, the server's default profile. */
function grantOf(
  question: Question,
  attributes: Attributes,
  profiles: ReadonlyMap<string, Profile>,
  wallMs: number,
): Grant | Refused {
  const level = levelOf(attributes, wallMs);
  if (level instanceof Unreadable) return refused('unreadable-attribute', String(level));
  if ((level.sessionTimeout ?? 0) < 0) return refused('session-time-over');
  const defaultProfile = profiles.get(question.defaultProfile);
  if (defaultProfile === undefined) return refused('no-profile');
  const groupName = attributes.first('Mikrotik-Group') || undefined;
  const group = groupName === undefined ? defaultProfile : profiles.get(groupName);
  if (group === undefined) return refused('no-group', `Mikrotik-Group = ${groupName}`);
  return merge(group.name, [level, group, defaultProfile]);
}

/** Where the user gets something else than the server's operator may expect. */
function tellDepartures(question: Question, attributes: Attributes, verdict: Accepted, log: Log): void {
  const { user, grant, mppeKeys, interimMs = 0 } = verdict;
  const about = { sessionId: question.identity.sessionId, user };
  if (leavesKeys(question) && mppeKeys === undefined && grant.useEncryption === 'yes') {
    const text = `${user}: the RADIUS server sends no keys, data will not be encrypted`;
    log('warning', 'radius,ppp', text, about);
  }
  const asked = attributes.first('Acct-Interim-Interval') ?? 0;
  if (1000 * asked < interimMs) {
    const text = `${user}: Acct-Interim-Interval of ${asked} s is too short, ${interimMs / 1000} s is taken`;
    log('info', 'radius,accounting', text, about);
  }
}

/** The server's words to the user, if it has any: MS-CHAP-Error's before Reply-Message's. */
function rejected(attributes: Attributes, round: Round): Refused {
  const { errorCode, message: errorMessage } = mschapErrorOf(attributes);
  const said = errorMessage || replyMessageOf(attributes);
  const verdict = refused('radius-rejects', [round.server, said].filter((part) => part !== '').join(', '));
  const eap = attributes.first('EAP-Message');
  return {
    ...verdict,
    ...(errorCode !== undefined && { errorCode }),
    ...(said !== '' && { message: said }),
    ...(eap && { eap }),
  };
}

/** Only EAP can go on: the other methods have no second question that a peer would show to its user. */
function challenged({ credentials }: Question, attributes: Attributes, round: Round): Verdict {
  const eap = attributes.first('EAP-Message');
  if (credentials.method !== 'eap') return refused('unasked-challenge', round.server);
  if (eap === undefined) return refused('radius-nonsense', `${round.server}, no EAP-Message to go on with`);
  return { accept: undefined, eap, resume: { state: attributes.first('State'), server: round.server } };
}
