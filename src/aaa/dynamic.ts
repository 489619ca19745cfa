/**
 * What a CoA- or Disconnect-Request means here (RFC 5176): which sessions it names, and what is to become of them. A request
 * enters, orders to sessions leave, and one answer: nothing, which is an ACK, or the Error-Cause of a NAK. That the request is
 * genuine, fresh and new has been seen to (radius/dynamic.ts).
 *
 * All or nothing: what cannot be read changes nobody, and if one session cannot be changed, the others are changed back.
 */

import { equal } from '../base/bytes.ts';
import { formatIpv4, type Ipv4 } from '../base/ip.ts';
import { type AttributeName, type Attributes, rowOf, type ValueOf } from '../radius/attribute.ts';
import type { Answer, DynamicRequest } from '../radius/dynamic.ts';
import { errorCauses } from '../radius/error-cause.ts';
import type { Change } from './change.ts';
import type { NasIdentity, SessionIdentity } from './identity.ts';

/** A session that is up, as far as a server can name it and order it about. */
export interface DynamicTarget {
  readonly identity: SessionIdentity;
  /** As accounting has it. */
  readonly user: string;
  readonly framedAddress: Ipv4;
  /** Chargeable-User-Identity as the server gave it; undefined: none. */
  readonly chargeableUserIdentity?: Uint8Array;
  /** What the session is held to now, all that a change can name; of sessionTimeoutMs what is left. */
  readonly standing: Required<Change>;
  /** All of it or nothing; `done` is called once, with what was in the way if it is nothing. */
  change(change: Change, done: Answer): void;
  /** Ends the session with Acct-Terminate-Cause 6, Admin-Reset. */
  disconnect(): void;
}

export interface DynamicPorts {
  /** How this node calls itself now. */
  nas(): NasIdentity;
  /** Every session that is up. */
  targets(): Iterable<DynamicTarget>;
  /** What attributes ask for; an attribute that it does not know is an Error-Cause, not ignored. */
  changeOf(attributes: Attributes): Change | Refusal;
  /** Whether a request that names several sessions is meant for all of them, or for none. */
  severalSessions(): 'all' | 'refuse';
  /** Looks on at what is asked of a session; gives back who is told what was answered. */
  watch?(target: DynamicTarget, request: DynamicRequest): Answer | undefined;
}

/** Why nothing is changed. */
export interface Refusal {
  /** Of radius/error-cause.ts. */
  readonly errorCause: number;
  readonly attribute: AttributeName;
}

type Matches<Of> = {
  readonly [Name in AttributeName]?: (of: Of, value: ValueOf<Name>) => boolean;
};

/** Section 3: what names this node. */
const nasMatches: Matches<NasIdentity> = {
  'NAS-Identifier': ({ identifier }, value) => value === identifier,
  'NAS-IP-Address': ({ address }, value) => value === address,
  'NAS-IPv6-Address': () => false,
};

/** Section 3: what names a session. Sessions have nothing of IPv6, nor a multilink. */
const sessionMatches: Matches<DynamicTarget> = {
  'Acct-Session-Id': ({ identity }, value) => value === identity.sessionId,
  'User-Name': ({ user }, value) => value === user,
  'NAS-Port': ({ identity }, value) => value === identity.nasPort,
  'NAS-Port-Id': ({ identity }, value) => value === identity.nasPortId,
  'Framed-IP-Address': ({ framedAddress }, value) => value === framedAddress,
  'Calling-Station-Id': ({ identity }, value) => value === formatIpv4(identity.peerAddress),
  'Called-Station-Id': ({ identity }, value) => value === formatIpv4(identity.localAddress),
  'Chargeable-User-Identity': ({ chargeableUserIdentity: own }, value) =>
    own !== undefined && equal(own, value),
  'Acct-Multi-Session-Id': () => false,
  'Framed-Interface-Id': () => false,
  'Framed-IPv6-Prefix': () => false,
};

/** Is the same in all sessions of an address of ours: narrows a choice, but alone it names nobody. */
const narrowing: AttributeName = 'Called-Station-Id';

/** What may come with a request and asks for nothing. */
const accompanying: readonly AttributeName[] = [
  'Service-Type',
  'Framed-Protocol',
  'NAS-Port-Type',
  'Reply-Message',
  'Acct-Terminate-Cause',
  'State',
  'Proxy-State',
  'Event-Timestamp',
  'Message-Authenticator',
];

const identifying = new Set(
  [...Object.keys(nasMatches), ...Object.keys(sessionMatches), ...accompanying].map(
    (name) => name as AttributeName,
  ),
);

/** RFC 2865 sections 5.6 and 5.7: all that sessions here can be. */
const framed = 2;
const ppp = 1;

/** Does what `request` asks, to every session that it names, and answers. */
export function actOn(request: DynamicRequest, ports: DynamicPorts, answer: Answer): void {
  const { kind, attributes } = request;
  const named = select(attributes, ports);
  if (typeof named === 'number') return answer(named);
  const watching = named.flatMap((target) => ports.watch?.(target, request) ?? []);
  const tell: Answer = (errorCause) => {
    for (const seen of watching) seen(errorCause);
    answer(errorCause);
  };
  const service = serviceTrouble(attributes) ?? unknownTrouble(attributes);
  if (service !== undefined) return tell(service);
  const asked = attributes.without(identifying);
  return kind === 'disconnect' ? disconnect(named, asked, tell) : change(named, asked, ports, tell);
}

/** The sessions that are meant, one or more; or why there are none. */
function select(attributes: Attributes, ports: DynamicPorts): readonly DynamicTarget[] | number {
  const targets = [...ports.targets()];
  const isOurs = (nas: NasIdentity) => fits(nasMatches, nas, attributes);
  // A session keeps the names that its node had when it began.
  if (!isOurs(ports.nas()) && !targets.some(({ identity }) => isOurs(identity.nas))) {
    return errorCauses.nasIdentificationMismatch;
  }
  if (!attributes.names.some((name) => name !== narrowing && name in sessionMatches)) {
    return errorCauses.missingAttribute;
  }
  const named = targets.filter((target) => fits(sessionMatches, target, attributes));
  if (named.length === 0) return errorCauses.sessionContextNotFound;
  const isTooMany = named.length > 1 && ports.severalSessions() === 'refuse';
  return isTooMany ? errorCauses.multipleSessionSelectionUnsupported : named;
}

/** True if every attribute that `matches` knows is right. */
function fits<Of>(matches: Matches<Of>, of: Of, attributes: Attributes): boolean {
  return attributes.names.every((name) => {
    const isRight = matches[name] as ((of: Of, value: unknown) => boolean) | undefined;
    return isRight === undefined || attributes.all(name).every((value) => isRight(of, value));
  });
}

/** Authorize-Only, for one, would be a question that we had to ask back. */
function serviceTrouble(attributes: Attributes): number | undefined {
  if (attributes.all('Service-Type').some((type) => type !== framed)) return errorCauses.unsupportedService;
  if (attributes.all('Framed-Protocol').some((type) => type !== ppp))
    return errorCauses.invalidAttributeValue;
  return undefined;
}

/** What a vendor has added that we do not know is passed over, as other access servers do; an RFC's attribute is not. */
function unknownTrouble({ unknown }: Attributes): number | undefined {
  return unknown.some(({ vendor }) => vendor === 0) ? errorCauses.unsupportedAttribute : undefined;
}

/** [RFC 5176 §3] A Disconnect-Request names sessions and asks for nothing else; Class may go with it. */
function disconnect(named: readonly DynamicTarget[], asked: Attributes, answer: Answer): void {
  const isMore = asked.names.some((name) => name !== 'Class' && rowOf(name).vendor === undefined);
  if (isMore) return answer(errorCauses.unsupportedAttribute);
  for (const target of named) target.disconnect();
  return answer();
}

function change(
  named: readonly DynamicTarget[],
  asked: Attributes,
  { changeOf }: DynamicPorts,
  answer: Answer,
): void {
  const wanted = changeOf(asked);
  if ('errorCause' in wanted) return answer(wanted.errorCause);
  const changes = named.map((target) => ({ target, wanted, before: only(wanted, target.standing) }));
  return together(
    changes.map(
      ({ target }) =>
        (done) =>
          target.change(wanted, done),
    ),
    (outcomes) => {
      const trouble = outcomes.find((outcome) => outcome !== undefined);
      if (trouble === undefined) return answer();
      const changed = changes.filter((_, at) => outcomes[at] === undefined);
      // A session that cannot go back either has ended: there is nobody left to hold to anything.
      return together(
        changed.map(
          ({ target, before }) =>
            (done) =>
              target.change(before, done),
        ),
        () => answer(trouble),
      );
    },
  );
}

/** What `standing` has in the places that `wanted` names. */
function only(wanted: Change, standing: Required<Change>): Change {
  return Object.fromEntries(Object.entries(standing).filter(([name]) => name in wanted));
}

/** Begins all of `actions`; when the last is done, tells the outcome of each. */
function together(
  actions: readonly ((done: Answer) => void)[],
  finished: (outcomes: readonly (number | undefined)[]) => void,
): void {
  const outcomes: (number | undefined)[] = actions.map(() => undefined);
  let pending = actions.length;
  if (pending === 0) return finished(outcomes);
  for (const [at, act] of actions.entries()) {
    act((outcome) => {
      outcomes[at] = outcome;
      pending -= 1;
      if (pending === 0) finished(outcomes);
    });
  }
}
