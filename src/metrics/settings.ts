/** The menu `/system metrics`: where the node tells how it is. Pure. */

import { integer, ipv4, yesNo } from '../base/kind.ts';
import { menu, type ValuesOf } from '../base/setting.ts';

const loopback = 0x7f000001;

export const metricsMenu = menu({
  path: '/system metrics',
  kind: 'settings',
  help: 'How the node tells of itself to those that watch it, over HTTP.',
  rows: {
    enabled: { kind: yesNo, default: true, applies: 'live', help: 'Whether it tells.' },
    address: {
      kind: ipv4,
      default: loopback,
      applies: 'live',
      help: 'Address to listen on; 0.0.0.0: all. There is no login: keep it from those whom it does not concern.',
    },
    port: { kind: integer(1, 65_535), default: 9723, applies: 'live', help: 'TCP port.' },
    sessions: {
      kind: yesNo,
      default: true,
      applies: 'live',
      help: 'Whether it tells of single sessions, with the names of their users.',
    },
  },
});

/** As configured. */
export type MetricsSettings = ValuesOf<typeof metricsMenu>;
