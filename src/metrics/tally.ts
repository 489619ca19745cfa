/** What happens to those who look at the node, counted. */

import { tally } from '../base/observe.ts';

export const metricsTally = tally('metrics', {
  readersRefused: 'Requests for the series of sessions refused because others were being served.',
  readersDropped: 'Readers of the series of sessions that took nothing for too long, and were dropped.',
  unanswered: 'Looks at the counters that the engine did not answer in time.',
});
