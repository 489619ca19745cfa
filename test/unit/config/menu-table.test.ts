/** The table of all menus in MENUS.md is what the menus say now. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { menus } from '../../../src/config/configuration.ts';
import { menuTable } from '../../../src/config/menu-table.ts';

const written = readFileSync(new URL('../../../src/config/MENUS.md', import.meta.url), 'utf8');

test('MENUS.md tells of every menu and property as they are; npm run menus writes it anew', () => {
  expect(written.slice(written.indexOf('####'))).toBe(menuTable(menus));
});

test('every property of both manuals has a row', () => {
  const rows = written.split('\n').filter((row) => /manual \|$/.test(row));

  for (const name of ['mtu', 'mru', 'mrru', 'dial-on-demand', 'default-route-distance', 'routes', 'arp']) {
    expect(
      rows.some((row) => row.includes(`\`${name}\``)),
      name,
    ).toBe(true);
  }
});
