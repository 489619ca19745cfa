/**
 * Names of the interfaces of sessions. RouterOS's name of a dynamic interface is `<pptp-USER>`; the kernel takes 15 octets,
 * no white space, slash or colon, and takes a percent sign for a format. Who asks gets a name that the kernel takes and that nobody else has. Pure.
 */

/** IFNAMSIZ less its closing zero. */
const kernelNameBytesMax = 15;

export class InterfaceNames {
  readonly #taken = new Set<string>();

  /** How many are taken. */
  get held(): number {
    return this.#taken.size;
  }

  /** Takes exactly this name; false if someone has it. */
  takeExactly(name: string): boolean {
    if (this.#taken.has(name)) return false;
    this.#taken.add(name);
    return true;
  }

  /** Takes `<pptp-user>`, or `<pptp-user-1>` and on if that is taken; a long user name is cut and keeps its brackets. */
  takeDynamic(user: string): string {
    const safe = user.replace(/[^\x21-\x7e]|[%/:<>]/g, '_') || '_';
    for (let copy = 0; ; copy += 1) {
      const suffix = copy === 0 ? '>' : `-${copy}>`;
      const name = `<pptp-${safe}`.slice(0, kernelNameBytesMax - suffix.length) + suffix;
      if (this.takeExactly(name)) return name;
    }
  }

  release(name: string): void {
    this.#taken.delete(name);
  }
}
