/**
 * Names of the interfaces of sessions. RouterOS's name of a dynamic interface is `<pptp-USER>`; what RouterOS has in one interface, a
 * port in a bridge, is another for Linux, `<bcp-USER>`. The kernel takes 15 octets,
 * no white space, slash or colon, and takes a percent sign for a format. Who asks gets a name that the kernel takes and that nobody else has. Pure.
 */

/** IFNAMSIZ less its closing zero. */
const kernelNameBytesMax = 15;

export class InterfaceNames {
  readonly #taken = new Set<string>();
  /** By name before it was cut short for a number: no copy below this is free. Users of one ISP often begin alike. */
  readonly #firstFree = new Map<string, number>();
  /** Which copy of which name a taken one is. */
  readonly #copies = new Map<string, { readonly of: string; readonly copy: number }>();

  /** How many are taken. */
  get held(): number {
    return this.#taken.size;
  }

  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** Takes exactly this name; false if someone has it. */
  takeExactly(name: string): boolean {
    if (this.#taken.has(name)) return false;
    this.#taken.add(name);
    return true;
  }

  /** Takes `<pptp-user>`, or `<pptp-user-1>` and on if that is taken; a long user name is cut and keeps its brackets. */
  takeDynamic(user: string): string {
    return this.#take(`<pptp-${safe(user)}`);
  }

  /** Takes `<bcp-user>` likewise, for the port in a bridge. */
  takePort(user: string): string {
    return this.#take(`<bcp-${safe(user)}`);
  }

  #take(wished: string): string {
    const whole = cutTo(wished, '>');
    if (this.takeExactly(whole)) return whole;
    for (let copy = this.#firstFree.get(whole) ?? 1; ; copy += 1) {
      const name = cutTo(wished, `-${copy}>`);
      if (!this.takeExactly(name)) continue;
      this.#copies.set(name, { of: whole, copy });
      this.#firstFree.set(whole, copy + 1);
      return name;
    }
  }

  release(name: string): void {
    this.#taken.delete(name);
    const { of, copy = 0 } = this.#copies.get(name) ?? {};
    if (of === undefined) return;
    this.#copies.delete(name);
    const firstFree = Math.min(copy, this.#firstFree.get(of) ?? 1);
    if (firstFree === 1) this.#firstFree.delete(of);
    else this.#firstFree.set(of, firstFree);
  }
}

function safe(user: string): string {
  return user.replace(/[^\x21-\x7e]|[%/:<>]/g, '_') || '_';
}

function cutTo(name: string, suffix: string): string {
  return name.slice(0, kernelNameBytesMax - suffix.length) + suffix;
}
