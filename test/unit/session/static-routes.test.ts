/** Which static routes lead through which tunnel, and when a change of them is one. */

import { expect, test } from 'vitest';
import { configurationOf, menus } from '../../../src/config/configuration.ts';
import { Store } from '../../../src/config/store.ts';
import { StaticRoutes } from '../../../src/session/static-routes.ts';

function routesOf(text: string) {
  return configurationOf(new Store(menus).proposeWhole([{ file: 'routes', text }]).tree).routes;
}

const two = routesOf(`/ip route
  add dst-address 10.150.1.0/24 gateway 10.0.103.2
  add dst-address=10.150.3.0/24 gateway=pptp-in1 distance=5
  add dst-address=10.150.4.0/24 gateway=10.0.103.2 disabled=yes`);

test('a route leads through the tunnel whose other end, or whose name, is its gateway', () => {
  const routes = new StaticRoutes();
  routes.configure(two);
  const end = 0x0a006702;
  const byEnd = { destination: { address: 0x0a960100, length: 24 }, metric: 1 };
  const byName = { destination: { address: 0x0a960300, length: 24 }, metric: 5 };

  expect(routes.through({ name: 'pptp-in1', remote: end })).toEqual([byEnd, byName]);
  expect(routes.through({ name: 'pptp-in2', remote: end })).toEqual([byEnd]);
  expect(routes.through({ name: 'pptp-in2', remote: end + 1 })).toEqual([]);
});

test('what is configured again is no change', () => {
  const routes = new StaticRoutes();

  expect([[], two, two, []].map((wanted) => routes.configure(wanted))).toEqual([false, true, false, true]);
});
