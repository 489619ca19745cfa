/**
 * The life of a session as a table: which step may follow which. The conductor (session.ts) moves through it and nothing
 * else does; a step that the table does not have is a bug and throws. Pure.
 */

/**
 * | state | what is awaited |
 * |---|---|
 * | ringing | the call to be connected (RFC 2637); as a server it is at once |
 * | linking | LCP to open |
 * | authenticating | proof, and the authority's verdict |
 * | preparing | the interface, named and addressed |
 * | networking | CCP and IPCP to open |
 * | up | the end |
 * | ending | the engine's final counters |
 * | ended | nothing |
 *
 * LCP may start over at any time (RFC 1661 section 3.4): from everywhere behind it the session goes back to linking.
 * One that a process before this one has brought up is up at once.
 */
export type LifeState =
  | 'ringing'
  | 'linking'
  | 'authenticating'
  | 'preparing'
  | 'networking'
  | 'up'
  | 'ending'
  | 'ended';

const followers: Readonly<Record<LifeState, readonly LifeState[]>> = {
  ringing: ['linking', 'up', 'ending'],
  linking: ['authenticating', 'ending'],
  authenticating: ['preparing', 'linking', 'ending'],
  preparing: ['networking', 'linking', 'ending'],
  networking: ['up', 'linking', 'ending'],
  up: ['networking', 'linking', 'ending'],
  ending: ['ended'],
  ended: [],
};

/** The state after moving to `next`. */
export function moveTo(state: LifeState, next: LifeState): LifeState {
  if (!followers[state].includes(next)) throw new Error(`a session does not go from ${state} to ${next}`);
  return next;
}

/** True while the session may still come up or stay up. */
export function isAlive(state: LifeState): boolean {
  return state !== 'ending' && state !== 'ended';
}
