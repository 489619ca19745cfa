/**
 * The files of the node's page, read once: the page itself, its script and its style, and uPlot, which draws the charts. Nothing
 * of it comes from anywhere but the node, and the browser is told to take nothing from elsewhere.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Page, PageAt } from './page.ts';

const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
} as const;

const own = (name: string): string => fileURLToPath(new URL(`page/${name}`, import.meta.url));
const charts = (name: string): string => createRequire(import.meta.url).resolve(`uplot/dist/${name}`);

export function pagesOfFolder(): ReadonlyMap<string, PageAt> {
  const files = [
    ['/', 'text/html; charset=utf-8', own('index.html')],
    ['/page.css', 'text/css; charset=utf-8', own('page.css')],
    ['/page.js', 'text/javascript; charset=utf-8', own('page.js')],
    ['/uplot.js', 'text/javascript; charset=utf-8', charts('uPlot.esm.js')],
    ['/uplot.css', 'text/css; charset=utf-8', charts('uPlot.min.css')],
  ] as const;
  return new Map(
    files.map(([path, type, file]) => {
      const page: Page = { status: 200, type, headers, body: readFileSync(file, 'utf8') };
      return [path, (_, answer) => answer(page)] satisfies [string, PageAt];
    }),
  );
}
