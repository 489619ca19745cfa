/** `/system identity`: how the node calls itself. */

import { text } from '../base/kind.ts';
import { menu, type ValuesOf } from '../base/setting.ts';

export const identityMenu = menu({
  path: '/system identity',
  kind: 'settings',
  help: 'The name of this node.',
  rows: {
    name: {
      kind: text,
      default: '',
      applies: 'restart',
      help: 'Name of the node, in the prompt, in RADIUS and in the service; empty: what --identity says.',
    },
  },
});

export type IdentitySettings = ValuesOf<typeof identityMenu>;
