/** What happens between accounting and Redis, counted. Each name is a metric. */

import { type Tally, tally } from '../base/observe.ts';

const happenings = {
  copied: 'Copies of a stream made or corrected in Redis.',
  failures: 'Times that Redis did not answer, broke off or refused.',
  fallbacks: 'Times that the node began to deliver by itself because Redis stayed away.',
  takenBack: 'Records that were delivered by the node itself because Redis stayed away.',
  emptied: 'Times that Redis was found to have lost its keys.',
  inherited: 'Records of dead nodes delivered by this one.',
} as const;

export const sharedTally: Tally<keyof typeof happenings> = tally('accounting-redis', happenings);
