/**
 * Which addresses an answer names, and in which order: nodes go in, addresses come out, each drawn by its weight among those
 * that are left. So the first is every node's in proportion to its weight, exactly. Resolvers that turn the order about keep
 * that share nearly, as long as an answer names few of many. Pure.
 */

import type { Ipv4 } from '../base/ip.ts';
import { limits } from '../base/limits.ts';
import { below, type Random } from '../base/random.ts';

/** A node that lives. */
export interface Member {
  readonly address: Ipv4;
  /** Callers that it has room for: a whole number. */
  readonly weight: number;
  /** Whether it wants callers. */
  readonly isReady: boolean;
}

/** Tunnels that a node has room for by its licence (`limit`, undefined for unlimited), of which `used` are taken. */
export function freeTunnels(limit: number | undefined, used: number): number {
  // Unlimited is what a process can hold.
  return Math.max(0, (limit ?? limits.connections) - used);
}

/** At most `count` different addresses. If nobody is ready, all who live are alike: a node may be about to be, and refuses if not. */
export function selectAddresses(members: readonly Member[], count: number, random: Random): readonly Ipv4[] {
  const ready = members.filter(({ isReady, weight }) => isReady && weight > 0);
  const candidates = ready.length > 0 ? ready : members.map((member) => ({ ...member, weight: 1 }));
  const weights = new Map<Ipv4, number>();
  for (const { address, weight } of candidates) weights.set(address, (weights.get(address) ?? 0) + weight);

  const selected: Ipv4[] = [];
  while (selected.length < count && weights.size > 0) {
    const address = draw(weights, random);
    weights.delete(address);
    selected.push(address);
  }
  return selected;
}

function draw(weights: ReadonlyMap<Ipv4, number>, random: Random): Ipv4 {
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  let left = below(random, total);
  for (const [address, weight] of weights) {
    if (left < weight) return address;
    left -= weight;
  }
  throw new Error('a number below the sum of the weights falls on one of them');
}
