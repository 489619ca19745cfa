/**
 * Whose protocol somebody wants to see, and whether a call may be it. A user is not known before he has said his name, an interface not
 * before it has one: until then the answer is that nobody knows. Pure.
 */

/** All that is given must be true; at least one is. */
export interface Wanted {
  readonly user?: string | undefined;
  /** The address that he calls from. */
  readonly callerId?: string | undefined;
  /** As the log names it: `<pptp-bob>`, and before that `<pptp-5>`. */
  readonly interface?: string | undefined;
}

/** What is known of a call by now. */
export interface Known {
  readonly callerId: string;
  /** Names that were said, and the one that he was let in by. */
  readonly users: readonly string[];
  /** Names of its interface, from the provisional to the last. */
  readonly interfaces: readonly string[];
  /** He is let in, and his interface has its name: no other will come. */
  readonly isNamed: boolean;
}

/** Undefined while nobody can know. */
export function suits(wanted: Wanted, known: Known): boolean | undefined {
  const answers = [callerSuits(wanted, known), userSuits(wanted, known), interfaceSuits(wanted, known)];
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}

function callerSuits({ callerId }: Wanted, known: Known): boolean {
  return callerId === undefined || callerId === known.callerId;
}

/** A name also suits without the domain of Windows that stands before it. Until he is let in he may say another, or be given one. */
function userSuits({ user }: Wanted, { users, isNamed }: Known): boolean | undefined {
  if (user === undefined) return true;
  const isHis = users.some((said) => said === user || said.slice(said.lastIndexOf('\\') + 1) === user);
  return isHis || (isNamed ? false : undefined);
}

function interfaceSuits({ interface: name }: Wanted, { interfaces, isNamed }: Known): boolean | undefined {
  if (name === undefined || interfaces.includes(name)) return true;
  return isNamed ? false : undefined;
}
