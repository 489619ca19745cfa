/**
 * The sockets towards one server: one, more on demand up to a bound, each with 256 identifiers; and one for every port of
 * ours that an earlier process sent a request from whose answer is still wanted. Over UDP each role has its own, so that a
 * backlog of accounting cannot hold up authentication; over TLS both roles share.
 */

import { type Holder, Line, type LineEvents, type LinePorts, type LocalEnd } from './line.ts';
import type { SentRequest } from './query.ts';
import type { WireEnds } from './wire.ts';

/** 4,096 identifiers: as many as `requests-max` may ask for. */
export const linesMax = 16;

/** A place on the wire. */
export interface Place {
  readonly line: Line;
  readonly identifier: number;
}

/** What the owner of requests needs to know of the sockets. */
export type LinesEvents = Omit<LineEvents, 'idle'>;

export class Lines {
  readonly #ends: WireEnds;
  readonly #ports: LinePorts;
  readonly #owners: LinesEvents[] = [];
  readonly #lines: Line[] = [];
  /** By our port. No fresh request goes here: it could take an identifier that a former one still needs. */
  readonly #former = new Map<number, Line>();
  readonly #events: LineEvents = {
    opened: () => this.#tell((owner) => owner.opened()),
    unreachable: (why) => this.#tell((owner) => owner.unreachable(why)),
    undelivered: () => this.#tell((owner) => owner.undelivered()),
    unasked: () => this.#tell((owner) => owner.unasked()),
    idle: () => {},
  };

  constructor(ends: WireEnds, ports: LinePorts) {
    this.#ends = ends;
    this.#ports = ports;
  }

  /** Over TLS nothing is sent twice on one connection, RFC 6613 section 2.6.1. */
  get isReliable(): boolean {
    return this.#ends.protocol === 'radsec';
  }

  /** Where the first socket is bound; undefined while it is not open. */
  get local(): LocalEnd | undefined {
    return this.#lines[0]?.local;
  }

  /** The same, also after it broke. */
  get bound(): LocalEnd | undefined {
    return this.#lines[0]?.bound;
  }

  /** Tells `owner` what happens from now on. The first socket is opened for the first owner. */
  join(owner: LinesEvents): void {
    this.#owners.push(owner);
    if (this.#lines.length === 0) this.#add();
  }

  /** A place for `holder`. Undefined if there is none now: `opened` says when it is worth asking again. */
  take(holder: Holder): Place | undefined {
    for (const line of this.#lines) {
      const identifier = line.take(holder);
      if (identifier !== undefined) return { line, identifier };
    }
    for (const line of this.#lines) line.want();
    const areAllFull = this.#lines.every(({ local }) => local !== undefined);
    if (areAllFull && this.#lines.length < linesMax) this.#add();
    return undefined;
  }

  /** The place that `sent` went out from: our port, its identifier. Undefined if it cannot be had. */
  retake({ port, octets }: SentRequest, holder: Holder): Place | undefined {
    const [, identifier] = octets;
    if (this.isReliable || identifier === undefined) return undefined;
    const line = this.#former.get(port) ?? this.#addFormer(port);
    return line?.seize(identifier, holder) ? { line, identifier } : undefined;
  }

  close(): void {
    for (const line of [...this.#lines, ...this.#former.values()]) line.close();
  }

  #add(): void {
    this.#lines.push(new Line(this.#ends, this.#ports, this.#events));
  }

  #addFormer(port: number): Line | undefined {
    if (this.#former.size >= linesMax) return undefined;
    const drop = (): void => {
      this.#former.delete(port);
      line.close();
    };
    const line = new Line({ ...this.#ends, sourcePort: port }, this.#ports, {
      ...this.#events,
      // Whoever waits here is told itself, as a holder.
      opened: () => {},
      unreachable: () => {
        drop();
        for (const holder of line.holders()) holder.stranded();
      },
      idle: drop,
    });
    this.#former.set(port, line);
    return line;
  }

  #tell(what: (owner: LinesEvents) => void): void {
    for (const owner of this.#owners) what(owner);
  }
}
