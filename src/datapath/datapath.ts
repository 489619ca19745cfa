/**
 * The face that the session layer has of the engine: commands go down, events come up, both as values of the contract.
 * engine.io.ts (the real one, through the unix socket) and fake.ts (in memory) have this face, and pass the same suite.
 */

import type { Command, Event } from './contract.ts';

export interface Datapath {
  /** Performs `command` after all sent before it. Never fails here: an event tells what became of it. */
  send(command: Command): void;
  /** Sets who gets the events, in order, one at a time, never from within `send`. */
  listen(onEvent: (event: Event) => void): void;
}
