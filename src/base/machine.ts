/**
 * State machines as tables: one row per event, one cell per state, complete by type. An event goes in, actions and the next
 * state come out; the machine itself does nothing. Pure.
 */

/** What a cell says: the actions in the standard's order, then the next state. */
export interface Cell<State extends string, Action extends string> {
  readonly actions: readonly Action[];
  readonly next: State;
}

/** A table without holes. `undefined` is a cell where the event cannot happen: it is counted, and the state stays. */
export type Table<State extends string, Event extends string, Action extends string> = {
  readonly [E in Event]: { readonly [S in State]: Cell<State, Action> | undefined };
};

/** The cell for `event` in `state`. */
export function step<State extends string, Event extends string, Action extends string>(
  table: Table<State, Event, Action>,
  state: State,
  event: Event,
): Cell<State, Action> | undefined {
  return table[event][state];
}
