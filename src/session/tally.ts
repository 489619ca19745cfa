/** What becomes of the calls of subscribers, counted: how long they take to come up, how long they stay, and why they end. */

import { type Distribution, distribution, type Tally, tally } from '../base/observe.ts';
import { type Note, notes } from '../ppp/effect.ts';
import { endingTexts } from './ending.ts';
import type { SetUpPhase } from './set-up.ts';

/** Calls that ended before they were up. */
export const setUpFailureTally = tally('session-set-up', endingTexts);

/** Sessions that had been up, and ended. */
export const endingTally = tally('session', endingTexts);

/** What the machines of PPP note. */
export const pppTally: Tally<Note> = tally('ppp', notes);

/** What became of the calls of a control process before this one. */
export const takeoverTally = tally('takeover', {
  resumed: 'Sessions of a control process before this one that went on.',
  closed:
    'Calls of a control process before this one that could not go on, most often because they were not up yet.',
});

/** From the call's request to the network, in seconds: a subscriber redials after 30. */
export const setUpSeconds = distribution([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]);

/** The same by what was waited for. */
const boundsOfPhase = [0.01, 0.05, 0.25, 1, 5, 15];
export const setUpPhaseSeconds: Readonly<Record<SetUpPhase, Distribution>> = {
  linking: distribution(boundsOfPhase),
  authenticating: distribution(boundsOfPhase),
  preparing: distribution(boundsOfPhase),
  networking: distribution(boundsOfPhase),
};

/** In seconds, from one that flaps to one that is always on. */
export const lifetimeSeconds = distribution([10, 60, 300, 1_800, 3_600, 14_400, 86_400, 604_800]);
