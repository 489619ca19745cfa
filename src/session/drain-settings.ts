/** What is configured of the menu `/system drain`. Pure. */

import { integer } from '../base/kind.ts';
import { menu, type ValuesOf } from '../base/setting.ts';

export const drainMenu = menu({
  path: '/system drain',
  kind: 'settings',
  help: 'Takes this node out of service: soft waits for its users to leave, hard ends their sessions, cancel takes calls again.',
  rows: {
    rate: {
      kind: integer(1, 10_000),
      default: 50,
      applies: 'live',
      help: 'Sessions that hard ends in a second: RADIUS servers and the other nodes have to bear those who come again.',
    },
  },
});

export type DrainSettings = ValuesOf<typeof drainMenu>;
