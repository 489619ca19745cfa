/** The menus of the host's network, as rows: what is the host's is shown here, and only what concerns tunnels is ever set. Pure. */

import { ipv4, text } from '../base/kind.ts';
import { menu } from '../base/setting.ts';
import { ethernetMenu } from '../session/ethernet-settings.ts';
import { routeMenu } from '../session/route-settings.ts';
import { count, shown, word } from './live-menus.ts';

const mtu = shown(count, 'Largest packet that the interface sends.');
const macAddress = shown(word, 'Hardware address.');

export const interfaceMenu = menu({
  path: '/interface',
  kind: 'list',
  help: 'All interfaces: those of tunnels, and those of the host.',
  flags: [
    { letter: 'D', name: 'dynamic' },
    { letter: 'X', name: 'disabled' },
    { letter: 'R', name: 'running' },
  ],
  rows: {
    name: shown(text, 'Name of the interface.'),
    type: shown(word, 'What it is: pptp-in and pptp-out are tunnels.'),
    mtu,
    macAddress,
  },
});

export const ethernetViewMenu = menu({
  path: ethernetMenu.path,
  kind: 'list',
  help: ethernetMenu.help,
  flags: ethernetMenu.flags ?? [],
  rows: { name: ethernetMenu.rows.name, mtu, macAddress, arp: ethernetMenu.rows.arp },
});

export const addressMenu = menu({
  path: '/ip address',
  kind: 'list',
  help: 'Addresses of all interfaces; those of the host are set on the host.',
  flags: [{ letter: 'D', name: 'dynamic' }],
  rows: {
    address: shown(word, 'The address, and how much of it names the network.'),
    network: shown(ipv4, 'The network, or the other end of a tunnel.'),
    interface: shown(word, 'Interface that has it.'),
  },
});

export const routeViewMenu = menu({
  path: routeMenu.path,
  kind: 'list',
  help: routeMenu.help,
  flags: routeMenu.flags ?? [],
  rows: {
    dstAddress: routeMenu.rows.dstAddress,
    gateway: shown(word, 'Where it leads: an address, or an interface.'),
    distance: shown(count, 'Of two routes to one network the nearer one is used.'),
    interface: shown(word, 'Interface that it leads through.'),
    comment: routeMenu.rows.comment,
    disabled: routeMenu.rows.disabled,
  },
});
