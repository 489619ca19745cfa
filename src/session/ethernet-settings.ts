/** `/interface ethernet`: the host's own interfaces. Of their settings only those that concern subscribers are set here. */

import { choice } from '../base/kind.ts';
import { menu, type ValuesOf } from '../base/setting.ts';
import { interfaceName } from '../net/interface-name.ts';
import { interfaceNaming } from './server-settings.ts';

export const ethernetMenu = menu({
  path: '/interface ethernet',
  kind: 'list',
  help: "The host's Ethernet interfaces.",
  flags: [
    { letter: 'X', name: 'disabled' },
    { letter: 'R', name: 'running' },
  ],
  naming: interfaceNaming,
  isGiven: true,
  rows: {
    name: {
      kind: interfaceName,
      default: '',
      applies: 'live',
      readOnly: true,
      help: 'Name of the interface, which the host gives.',
    },
    arp: {
      kind: choice(['enabled', 'proxy-arp']),
      default: 'enabled',
      applies: 'live',
      help: 'Whether ARP for the addresses of connected users is answered here (proxy-arp): they are part of this network.',
    },
  },
});

/** An Ethernet interface as configured. */
export type EthernetInterface = ValuesOf<typeof ethernetMenu>;
