/**
 * The option negotiation automaton of RFC 1661 section 4.1, cell for cell: ten states, sixteen events, in the RFC's order and
 * with its abbreviations. A cell lists its actions and the number of the next state; `none` is the RFC's dash.
 *
 * Of the RFC's footnotes, [r] (restart on Open) and [p] (passive) are options that are not taken; [x] marks a crossed
 * acknowledgment and changes nothing in the table. Knows no packet and no timer: negotiator.ts performs the actions.
 */

import type { Cell, Table } from '../base/machine.ts';

export const states = [
  'Initial',
  'Starting',
  'Closed',
  'Stopped',
  'Closing',
  'Stopping',
  'Req-Sent',
  'Ack-Rcvd',
  'Ack-Sent',
  'Opened',
] as const;
export type State = (typeof states)[number];

export const events = [
  'Up',
  'Down',
  'Open',
  'Close',
  'TO+',
  'TO-',
  'RCR+',
  'RCR-',
  'RCA',
  'RCN',
  'RTR',
  'RTA',
  'RUC',
  'RXJ+',
  'RXJ-',
  'RXR',
] as const;
export type Event = (typeof events)[number];

/** RFC 1661 section 4.4, in its order. */
export type Action =
  | 'tlu'
  | 'tld'
  | 'tls'
  | 'tlf'
  | 'irc'
  | 'zrc'
  | 'scr'
  | 'sca'
  | 'scn'
  | 'str'
  | 'sta'
  | 'scj'
  | 'ser';

type StateNumber = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
type Entry = readonly [...Action[], StateNumber] | undefined;
type Ten<T> = readonly [T, T, T, T, T, T, T, T, T, T];

function row(...entries: Ten<Entry>): Readonly<Record<State, Cell<State, Action> | undefined>> {
  const cells = states.map((state, at) => {
    const entry = entries[at];
    if (entry === undefined) return [state, undefined];
    const actions = entry.slice(0, -1) as Action[];
    return [state, { actions, next: states[entry.at(-1) as StateNumber] }];
  });
  return Object.fromEntries(cells);
}

const none = undefined;
const [tlu, tld, tls, tlf] = ['tlu', 'tld', 'tls', 'tlf'] as const;
const [irc, zrc] = ['irc', 'zrc'] as const;
const [scr, sca, scn, str, sta, scj, ser] = ['scr', 'sca', 'scn', 'str', 'sta', 'scj', 'ser'] as const;

// biome-ignore format: the columns are the RFC's
export const automaton: Table<State, Event, Action> = {
  //           0 Initial   1 Starting     2 Closed       3 Stopped            4 Closing   5 Stopping
  //           6 Req-Sent      7 Ack-Rcvd      8 Ack-Sent      9 Opened
  'Up':    row([2],        [irc, scr, 6], none,          none,                none,       none,
               none,           none,           none,           none),
  'Down':  row(none,       none,          [0],           [tls, 1],            [0],        [1],
               [1],            [1],            [1],            [tld, 1]),
  'Open':  row([tls, 1],   [1],           [irc, scr, 6], [3],                 [5],        [5],
               [6],            [7],            [8],            [9]),
  'Close': row([0],        [tlf, 0],      [2],           [2],                 [4],        [4],
               [irc, str, 4],  [irc, str, 4],  [irc, str, 4],  [tld, irc, str, 4]),

  'TO+':   row(none,       none,          none,          none,                [str, 4],   [str, 5],
               [scr, 6],       [scr, 6],       [scr, 8],       none),
  'TO-':   row(none,       none,          none,          none,                [tlf, 2],   [tlf, 3],
               [tlf, 3],       [tlf, 3],       [tlf, 3],       none),

  'RCR+':  row(none,       none,          [sta, 2],      [irc, scr, sca, 8],  [4],        [5],
               [sca, 8],       [sca, tlu, 9],  [sca, 8],       [tld, scr, sca, 8]),
  'RCR-':  row(none,       none,          [sta, 2],      [irc, scr, scn, 6],  [4],        [5],
               [scn, 6],       [scn, 7],       [scn, 6],       [tld, scr, scn, 6]),
  'RCA':   row(none,       none,          [sta, 2],      [sta, 3],            [4],        [5],
               [irc, 7],       [scr, 6],       [irc, tlu, 9],  [tld, scr, 6]),
  'RCN':   row(none,       none,          [sta, 2],      [sta, 3],            [4],        [5],
               [irc, scr, 6],  [scr, 6],       [irc, scr, 8],  [tld, scr, 6]),

  'RTR':   row(none,       none,          [sta, 2],      [sta, 3],            [sta, 4],   [sta, 5],
               [sta, 6],       [sta, 6],       [sta, 6],       [tld, zrc, sta, 5]),
  'RTA':   row(none,       none,          [2],           [3],                 [tlf, 2],   [tlf, 3],
               [6],            [6],            [8],            [tld, scr, 6]),

  'RUC':   row(none,       none,          [scj, 2],      [scj, 3],            [scj, 4],   [scj, 5],
               [scj, 6],       [scj, 7],       [scj, 8],       [scj, 9]),
  'RXJ+':  row(none,       none,          [2],           [3],                 [4],        [5],
               [6],            [6],            [8],            [9]),
  'RXJ-':  row(none,       none,          [tlf, 2],      [tlf, 3],            [tlf, 2],   [tlf, 3],
               [tlf, 3],       [tlf, 3],       [tlf, 3],       [tld, irc, str, 5]),

  'RXR':   row(none,       none,          [2],           [3],                 [4],        [5],
               [6],            [7],            [8],            [ser, 9]),
};
