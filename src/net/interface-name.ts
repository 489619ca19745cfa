/** Names of interfaces and bridges, as an operator may give them. Pure. */

import { type Kind, refuse } from '../base/setting.ts';

/**
 * What the kernel takes as an interface's name: 15 octets (IFNAMSIZ less its closing zero), no white space, slash or colon, and
 * no percent sign, which it would take for a format (`eth%d`).
 */
export const interfaceName: Kind<string> = {
  label: 'name',
  quoted: true,
  parse(typed) {
    if (typed.includes('%')) {
      return refuse.failure('the name of an interface has no percent sign: the kernel takes it for a format');
    }
    if (/^(?!\.{1,2}$)[!-.0-9;-~]{1,15}$/.test(typed)) return typed;
    return refuse.failure(
      'the name of an interface has 1 to 15 characters of ASCII, no white space, slash or colon',
    );
  },
  format: (value) => value,
};

/** The empty text is none: the next level is asked. */
export const optionalInterfaceName: Kind<string | undefined> = {
  ...interfaceName,
  optional: true,
  parse: (typed) => (typed === '' ? undefined : interfaceName.parse(typed)),
  format: (value) => value ?? '',
};
