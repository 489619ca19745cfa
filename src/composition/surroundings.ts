/** What the console's commands need of the node beside its configuration: time, its name, its scripts, echo requests, safe mode. */

import { join } from 'node:path';
import { systemClock } from '../base/clock.io.ts';
import { Fault } from '../base/fault.ts';
import { readScript, writeScript } from '../config/file.io.ts';
import type { Scripts, Surroundings } from '../console/desk.ts';
import { systemPing } from '../console/ping.io.ts';
import { SafeMode, type SafeModePorts } from '../console/safe-mode.ts';
import type { Tracing } from '../console/trace.ts';
import { version } from './membership.ts';

/** Of the node `identity`, whose state directory is `state`: scripts stand in `files` below it. */
export function surroundingsOf(
  identity: string,
  state: string,
  ports: SafeModePorts,
  tracing: Tracing,
): Surroundings {
  return {
    clock: systemClock,
    identity,
    version,
    scripts: scriptsIn(join(state, 'files')),
    echo: systemPing,
    safeMode: new SafeMode(ports),
    tracing,
  };
}

function scriptsIn(directory: string): Scripts {
  return {
    read: (name, answer) => void readScript(join(directory, name)).then(answer, refused(answer)),
    write: (name, text, answer) =>
      void writeScript(join(directory, name), text).then(() => answer(undefined), refused(answer)),
  };
}

/** Hands a fault on; what is none is our own mistake. */
function refused(answer: (fault: Fault) => void): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof Fault)) throw error;
    answer(error);
  };
}
