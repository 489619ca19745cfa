/** `npm run menus`: writes the table of all menus (menu-table.ts) to where the README leads, MENUS.md beside this file's source. */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { menus } from './configuration.ts';
import { menuTable } from './menu-table.ts';

const file = fileURLToPath(new URL('../../src/config/MENUS.md', import.meta.url));
const head = '# Menus and properties\n\nWritten by `npm run menus`; a test compares it with the menus.\n\n';
writeFileSync(file, head + menuTable(menus));
