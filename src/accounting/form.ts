/**
 * Forms: how values of a type are written as JSON and read again. The type is declared once, as a form; what does not fit
 * the form is refused whole. JSON as such knows neither octets nor 64 bits: octets are base64, large numbers decimal text.
 * Pure.
 */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** `read` gives undefined for what is not of this form. */
export interface Form<T> {
  write(value: T): Json;
  read(json: Json | undefined): T | undefined;
}

export const text: Form<string> = {
  write: (value) => value,
  read: (json) => (typeof json === 'string' ? json : undefined),
};

/** A whole number that a double holds exactly. */
export const whole: Form<number> = {
  write(value) {
    // What could not be read again must not be written.
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a whole number: ${value}`);
    return value;
  },
  read: (json) => (Number.isSafeInteger(json) ? (json as number) : undefined),
};

/** Milliseconds of a clock, and the like: what stands behind the point is of no use to anybody. */
export const rounded: Form<number> = { write: Math.round, read: whole.read };

export const flag: Form<boolean> = {
  write: (value) => value,
  read: (json) => (typeof json === 'boolean' ? json : undefined),
};

export const large: Form<bigint> = {
  write: String,
  read: (json) => (typeof json === 'string' && /^\d{1,20}$/.test(json) ? BigInt(json) : undefined),
};

export const octets: Form<Uint8Array> = {
  write: (value) => btoa(String.fromCharCode(...value)),
  read(json) {
    if (typeof json !== 'string' || !/^([A-Za-z\d+/]{4})*([A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(json)) {
      return undefined;
    }
    return Uint8Array.from(atob(json), (character) => character.charCodeAt(0));
  },
};

/** One of `words`. */
export function word<const W extends string>(...words: readonly W[]): Form<W> {
  return { write: (value) => value, read: (json) => words.find((each) => each === json) };
}

export function listOf<T>(form: Form<T>): Form<readonly T[]> {
  return {
    write: (values) => values.map((value) => form.write(value)),
    read(json) {
      if (!Array.isArray(json)) return undefined;
      const values = json.map((each: Json) => form.read(each));
      return values.every((value) => value !== undefined) ? values : undefined;
    },
  };
}

/** Values by whatever names. */
export function mapOf<T>(form: Form<T>): Form<ReadonlyMap<string, T>> {
  return {
    write: (values) => Object.fromEntries(Array.from(values, ([name, value]) => [name, form.write(value)])),
    read(json) {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
      const values = new Map<string, T>();
      for (const [name, each] of Object.entries(json as { readonly [name: string]: Json })) {
        const value = form.read(each);
        if (value === undefined) return undefined;
        values.set(name, value);
      }
      return values;
    },
  };
}

/** Undefined is written as null. A property that is missing is another thing: its object does not fit. */
export interface Absence {
  readonly absent: true;
}
const absence: Absence = { absent: true };

/** A value, or none. For properties only: an object reads it. */
export function maybe<T>(form: Form<T>): Form<T | undefined> & Absence {
  return {
    ...absence,
    write: (value) => (value === undefined ? null : form.write(value)),
    read: (json) => (json === null ? undefined : form.read(json)),
  };
}

/** A property may be missing: of the value, and of what an older program has written. */
export interface Omission {
  readonly omissible: true;
}

/** A value, or no property at all. */
export function optional<T>(form: Form<T>): Form<T | undefined> & Omission {
  return {
    omissible: true,
    write: (value) => (value === undefined ? null : form.write(value)),
    read: (json) => form.read(json),
  };
}

type FormsOf<T> = { readonly [Name in keyof T]-?: Form<T[Name]> };

/** An object that has all of these properties; others are let pass unread, so that a newer program's lines can be read. */
export function objectOf<T extends object>(forms: FormsOf<T>): Form<T> {
  const rows = Object.entries(forms) as [string, Form<unknown> & Partial<Absence & Omission>][];
  return {
    write(value) {
      const present = rows.filter(([name, form]) => !form.omissible || value[name as keyof T] !== undefined);
      return Object.fromEntries(present.map(([name, form]) => [name, form.write(value[name as keyof T])]));
    },
    read(json) {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
      const properties = json as { readonly [name: string]: Json };
      const value: Record<string, unknown> = {};
      for (const [name, form] of rows) {
        const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
        if (property === undefined && form.omissible) continue;
        const read = form.read(property);
        if (read === undefined && !(form.absent && property === null)) return undefined;
        value[name] = read;
      }
      return value as T;
    },
  };
}

/** The members of the union `T` whose `tag` can be `Kind`, without it. */
type Case<T, Tag extends keyof T, Kind> = T extends unknown
  ? Kind extends T[Tag]
    ? Omit<T, Tag>
    : never
  : never;

/** A union, told apart by its property `tag`. */
export function unionOf<Tag extends string, T extends { readonly [Name in Tag]: string }>(
  tag: Tag,
  forms: { readonly [Kind in T[Tag]]: Form<Case<T, Tag, Kind>> },
): Form<T> {
  const formOf = (kind: unknown) =>
    typeof kind === 'string' && Object.hasOwn(forms, kind)
      ? (forms[kind as T[Tag]] as Form<object>)
      : undefined;
  return {
    write(value) {
      const form = formOf(value[tag]);
      if (form === undefined) throw new Error(`no form for ${value[tag]}`);
      return { [tag]: value[tag], ...(form.write(value) as object) };
    },
    read(json) {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
      const kind = (json as { readonly [name: string]: Json })[tag];
      const read = formOf(kind)?.read(json);
      return read === undefined ? undefined : ({ [tag]: kind, ...read } as unknown as T);
    },
  };
}
