/** The menu of the licence: `/system license`. Pure. */

import { choice } from '../base/kind.ts';
import { menu, type ValuesOf } from '../base/setting.ts';
import { licenceLevels } from './levels.ts';

export const licenceMenu = menu({
  path: '/system license',
  kind: 'settings',
  help: 'How many tunnels of subscribers this node may serve at a time.',
  rows: {
    level: {
      kind: choice(licenceLevels),
      default: 'level6',
      applies: 'live',
      help: 'level1 is 1 tunnel, level3 and level4 are 200, level5 and level6 as many as the machine carries.',
    },
  },
});

export type LicenceSettings = ValuesOf<typeof licenceMenu>;
