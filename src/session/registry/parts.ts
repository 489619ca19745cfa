/**
 * The two parts of the registry in Redis, and what they ask of each other: redis.io.ts keeps sessions and claims, nodes.io.ts knows who
 * lives (beats, fences, commands, burials). They meet in the sorted set of owners (keys.ts). Types only.
 */

import type { Registry, RegistryPorts } from './registry.ts';

/** What the part that knows nodes asks. */
export interface NodesPorts
  extends Pick<RegistryPorts, 'status' | 'perform' | 'reaped' | 'fenced' | 'conflict'> {
  /** Own ones that are up. */
  sessionIds(): readonly string[];
  /**
   * This owner counts in Redis, which may know nothing of its sessions: after the first beat, after others had given the node up, and
   * when Redis had lost its keys. All is written again. Called again and again it does no harm.
   */
  joined(): void;
}

export interface Nodes extends Pick<Registry, 'nodes' | 'command' | 'wasReaped' | 'close'> {
  /** `done` after the first beat, or when it is plain that Redis is away. */
  begin(ports: NodesPorts, done: () => void): void;
  /** Whether Redis answers, and this owner counts there. */
  readonly isOnline: boolean;
  /** False until all nodes that live have had time to tell a Redis that lost something what they have: nobody leases blocks before. */
  readonly isSettled: boolean;
}
