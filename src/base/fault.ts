/**
 * The two kinds of wrong: `Malformed`, a value, for what a peer sent; `Fault`, an exception, for what an operator or the
 * system must mend. A third kind, our own bug, is a plain `Error`: it is not handled, it ends the process.
 */

/** Bytes of a peer that do not follow the standard. Counted, never thrown. */
export class Malformed {
  /** Stable name of what is wrong, such as `PPTP_BAD_COOKIE`. */
  readonly code: string;
  /** The field at fault, in the standard's words. */
  readonly field: string;
  /** Offset of the field in octets. */
  readonly at: number;

  constructor(code: string, field: string, at: number) {
    this.code = code;
    this.field = field;
    this.at = at;
  }

  toString(): string {
    return `${this.code} (${this.field} at octet ${this.at})`;
  }
}

/** Whose move it is: the operator changes a setting or a right, the system is out of something. */
export type FaultOwner = 'operator' | 'system';

/** Something that an operator can act on: what happened, where, and what to do. */
export class Fault extends Error {
  /** Stable name, such as `ENGINE_NO_PRIVILEGE`. */
  readonly code: string;
  readonly owner: FaultOwner;
  /** What to do about it, as a whole sentence. */
  readonly hint: string;

  constructor(code: string, owner: FaultOwner, text: string, hint: string) {
    super(text);
    this.name = 'Fault';
    this.code = code;
    this.owner = owner;
    this.hint = hint;
  }
}

/** The name of a system error, such as `ENOENT`; undefined for what is none. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;
}

const rights = 'The user that the daemon runs as may not; change the owner or the mode.';

/**
 * What to throw for an error of the system while `what` was done: the `Fault`, its hint by the error's name. What is no
 * error of the system comes back as it is: it is our bug.
 */
export function systemFault(
  error: unknown,
  code: string,
  what: string,
  hints: Readonly<Record<string, string>>,
): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const hint = { EACCES: rights, EPERM: rights, ...hints }[errno] ?? 'See the error of the system.';
  return new Fault(code, 'system', `${what}: ${errno}`, hint);
}
