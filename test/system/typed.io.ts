/**
 * What an operator types at a node's console, and what he reads: `pptpctl` without its process.
 *
 *     expect(await typed(server, '/ppp secret', 'add name=jack password=pass \\', 'local-address=10.0.0.1')).toBe('');
 */

import { join } from 'node:path';
import { Fault } from '../../src/base/fault.ts';
import { Daemon } from '../../src/console/daemon.io.ts';
import type { Concentrator } from './concentrator.io.ts';

/** Types `lines` at a console of its own, and gives back all that was answered, faults too. */
export async function typed({ directory }: Concentrator, ...lines: readonly string[]): Promise<string> {
  const daemon = new Daemon(join(directory, 'run', 'console.sock'));
  let answer = '';
  try {
    const { fault } = await daemon.run(
      { run: `${lines.join('\n')}\n`, width: undefined, json: false },
      async (text) => {
        answer += text;
      },
    );
    return fault === undefined ? answer : `${answer}${fault.text}\n  ${fault.hint}\n`;
  } finally {
    daemon.close();
  }
}

/** Time for what is due at once, on a machine that is busy. */
const patienceMs = 20_000;
/** Between two looks at what tells nobody that it has changed. */
const lookMs = 50;

/** Types `lines` until `pattern` is answered, also while the node is still starting. */
export async function answered(
  node: Concentrator,
  pattern: RegExp,
  ...lines: readonly string[]
): Promise<string> {
  const untilMs = Date.now() + patienceMs;
  for (;;) {
    const answer = await typed(node, ...lines).catch((error: unknown) => {
      if (error instanceof Fault) return error.message;
      throw error;
    });
    if (pattern.test(answer)) return answer;
    if (Date.now() > untilMs) throw new Error(`${lines.join('; ')} never answered ${pattern}:\n${answer}`);
    await new Promise((look) => setTimeout(look, lookMs));
  }
}

/** Waits until `check` holds: for what the kernel does after the answer. */
export async function until(check: () => boolean): Promise<void> {
  for (const untilMs = Date.now() + patienceMs; !check(); ) {
    if (Date.now() > untilMs) throw new Error(`never: ${check}`);
    await new Promise((look) => setTimeout(look, lookMs));
  }
}

/** An answer as the manuals' examples are to be compared: what differs from run to run is a word, and a gap is a space. */
export function shapeOf(answer: string): string {
  return answer
    .replaceAll(/\b[0-9A-F]{2}(:[0-9A-F]{2}){5}\b/g, 'MAC')
    .replaceAll(/(?<=\s)(\d+[wdhm])*\d+s\b/g, 'TIME')
    .replaceAll(/ {2,}/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}
