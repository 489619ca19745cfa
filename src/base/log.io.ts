/**
 * The log on standard output: one JSON object a line, through pino. `topics` are RouterOS's, so that a line
 * `{"topics":"pptp,ppp,info","msg":"<pptp-alice>: connected"}` reads as RouterOS's own would.
 *
 * All lines of one turn of the event loop leave in one write: a write of each costs a tenth of what setting a session up does.
 */

import { pino } from 'pino';
import type { Log, Severity } from './observe.ts';

const pinoLevel = { debug: 'debug', info: 'info', warning: 'warn', error: 'error' } as const;

/** Lines below `lowest` are not written. */
export function jsonLog(lowest: Severity, destination: NodeJS.WritableStream = process.stdout): Log {
  const logger = pino(
    {
      base: null,
      level: pinoLevel[lowest],
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    byTurns(destination),
  );
  return (severity, topics, text, facts) =>
    logger[pinoLevel[severity]]({ topics: `${topics},${severity}`, ...facts }, text);
}

/** Gathers what is written until the end of the turn, or of the process. */
function byTurns(destination: NodeJS.WritableStream): { write(line: string): void } {
  let gathered = '';
  const flush = () => {
    if (gathered !== '') destination.write(gathered);
    gathered = '';
  };
  process.on('exit', flush);
  return {
    write(line) {
      if (gathered === '') setImmediate(flush);
      gathered += line;
    },
  };
}
