import { describe, expect, test } from 'vitest';
import { parseIpv4, parsePrefix } from '../../../src/base/ip.ts';
import { apply, difference, type Plan, undo } from '../../../src/net/plan.ts';

const address = (text: string): number => parseIpv4(text) ?? Number.NaN;
const prefix = (text: string) => parsePrefix(text) ?? { address: Number.NaN, length: 0 };

const plan: Plan = {
  linkName: '<pptp-ex>',
  mtu: 1450,
  local: address('10.0.103.1'),
  remote: address('10.0.103.2'),
  routes: [
    { destination: prefix('10.150.1.0/24'), gateway: address('10.0.103.2'), metric: 1 },
    { destination: prefix('10.150.2.0/24'), gateway: address('10.9.9.9'), metric: 2 },
  ],
};

const names = (requests: readonly { request: string }[]): string[] => requests.map(({ request }) => request);

describe('a plan', () => {
  test('is applied in an order in which each step can succeed', () => {
    expect(names(apply(plan, 7))).toEqual(['set-link', 'add-address', 'add-route', 'add-route']);
  });

  test('is undone in the reverse order', () => {
    expect(names(undo(plan, 7))).toEqual(['delete-route', 'delete-route', 'delete-address', 'set-link']);
    expect(undo(plan, 7).at(-1)).toMatchObject({ up: false });
  });

  test('leaves out a gateway that is the other end, and keeps another', () => {
    const [, , first, second] = apply(plan, 7);

    expect(first).not.toHaveProperty('gateway');
    expect(second).toMatchObject({ gateway: address('10.9.9.9') });
  });

  test('has a default route at its distance', () => {
    const routes = apply({ ...plan, routes: [], defaultRoute: { distance: 5 } }, 7);

    expect(routes.at(-1)).toMatchObject({
      request: 'add-route',
      destination: { address: 0, length: 0 },
      metric: 5,
    });
  });

  test('has a route once that is named twice', () => {
    const [route] = plan.routes;
    if (route === undefined) throw new Error('the plan has routes');

    expect(apply({ ...plan, routes: [route, route] }, 7)).toEqual(apply({ ...plan, routes: [route] }, 7));
  });
});

describe('the difference', () => {
  test('of equal plans is nothing', () => {
    expect(difference(plan, { ...plan, routes: [...plan.routes] }, 7)).toEqual([]);
  });

  test('of a route is that route', () => {
    const [kept, gone] = plan.routes;
    const fresh = { destination: prefix('10.150.3.0/24'), metric: 1 };
    const to = { ...plan, routes: kept === undefined ? [] : [fresh, kept] };

    expect(difference(plan, to, 7)).toMatchObject([
      { request: 'delete-route', destination: gone?.destination },
      { request: 'add-route', destination: fresh.destination },
    ]);
  });

  test('of the MTU leaves addresses alone', () => {
    expect(difference(plan, { ...plan, mtu: 1400 }, 7)).toEqual([
      { request: 'set-link', interfaceIndex: 7, up: true, mtu: 1400 },
    ]);
  });

  test('of an address takes the routes with it, because the kernel does', () => {
    const to = { ...plan, remote: address('10.0.103.9'), routes: plan.routes.slice(1) };

    expect(names(difference(plan, to, 7))).toEqual([
      'delete-route',
      'delete-route',
      'delete-address',
      'add-address',
      'add-route',
    ]);
  });
});
