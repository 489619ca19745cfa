/** What is counted of traces; what is shown of the counts is metrics'. */

import { type Tally, tally } from '../../base/observe.ts';

export const traceTally: Tally<'begun' | 'refused' | 'moments' | 'missed'> = tally('trace', {
  begun: 'traces of a subscriber that operators began',
  refused: 'traces that were not begun because as many were open as there may be',
  moments: 'packets, states and log lines that traces have shown',
  missed: 'packets, states and log lines that a trace should have shown and had no room for',
});
