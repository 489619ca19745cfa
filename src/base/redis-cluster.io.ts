/**
 * Where a key is in a Redis Cluster. All keys of one service have one hash tag, so that one server of the cluster has them all: to this
 * program a cluster is a server that moves, when a replica takes its place or its slot is given to another. Nodes to ask enter; the
 * node that says itself that it has the key leaves. How a node is asked is redis.io.ts's.
 */

export interface RedisPlace {
  readonly host: string;
  readonly port: number;
}

/** What one node of a cluster knows. */
export interface ClusterView {
  /** It sees most of the masters: what it says of the others is worth something. */
  readonly isWell: boolean;
  /** Who has the key. */
  readonly owner: RedisPlace | undefined;
  readonly nodes: readonly RedisPlace[];
}

/** Asks a node within a bounded time. */
export type AskNode = (place: RedisPlace) => Promise<ClusterView>;

/** Finds the owner of a key again and again; knows all nodes that it has ever heard of since the last time. */
export class ClusterGuide {
  readonly #startNodes: readonly RedisPlace[];
  readonly #ask: AskNode;
  #learnt: readonly RedisPlace[] = [];

  constructor(startNodes: readonly RedisPlace[], ask: AskNode) {
    this.#startNodes = startNodes;
    this.#ask = ask;
  }

  /**
   * Asks each node once, the owners that others name first: one that is dead, frozen or cut off from the rest is no owner. Rejects
   * with what was wrong with the first node.
   */
  async findOwner(): Promise<RedisPlace> {
    const waiting = [...this.#learnt, ...this.#startNodes];
    const asked = new Set<string>();
    let trouble: unknown;
    for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) {
      if (asked.has(nameOf(place))) continue;
      asked.add(nameOf(place));
      try {
        const { isWell, owner, nodes } = await this.#ask(place);
        if (!isWell || owner === undefined) throw new Error(`${nameOf(place)}: the cluster is down`);
        if (nameOf(owner) === nameOf(place)) {
          this.#learnt = [place, ...nodes];
          return place;
        }
        waiting.unshift(owner);
        waiting.push(...nodes);
      } catch (error) {
        trouble ??= error;
      }
    }
    throw trouble ?? new Error('no node of the cluster has the key');
  }
}

/** A node in the reply to CLUSTER SLOTS. Without a host it is where the one is that was asked. */
type SlotNode = readonly [host: string | null, port: number, ...rest: unknown[]];
type SlotRange = readonly [first: number, last: number, master: SlotNode, ...replicas: SlotNode[]];

/** The replies of the node at `asked` to CLUSTER SLOTS and CLUSTER INFO, as to `slot`. */
export function viewOf(slot: number, slots: unknown, info: string, asked: RedisPlace): ClusterView {
  const ranges = slots as readonly SlotRange[];
  const placeOf = ([host, port]: SlotNode): RedisPlace => ({ host: host || asked.host, port });
  const own = ranges.find(([first, last]) => first <= slot && slot <= last);
  return {
    isWell: /^cluster_state:ok/m.test(info),
    owner: own && placeOf(own[2]),
    nodes: ranges.flatMap(([, , ...nodes]) => nodes.map(placeOf)),
  };
}

export function nameOf({ host, port }: RedisPlace): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
