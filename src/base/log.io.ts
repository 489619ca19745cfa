/**
 * The log on standard output: one JSON object a line, through pino. `topics` are RouterOS's, so that a line
 * `{"topics":"pptp,ppp,info","msg":"<pptp-alice>: connected"}` reads as RouterOS's own would.
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
    destination,
  );
  return (severity, topics, text, facts) =>
    logger[pinoLevel[severity]]({ topics: `${topics},${severity}`, ...facts }, text);
}
