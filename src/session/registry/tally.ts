/** What happens between the nodes of a service, counted. Each name is a metric. */

import { type Tally, tally } from '../../base/observe.ts';

const happenings = {
  decidedAlone: 'Claims that this node granted by itself because Redis was away.',
  failures: 'Commands to Redis that failed, or were not answered in time.',
  addressConflicts: 'Sessions that had to end because another one had the better claim to their address.',
  userConflicts: 'Sessions that had to end because their user was over his limit.',
} as const;

export const registryTally: Tally<keyof typeof happenings> = tally('registry', happenings);
