/**
 * Echo requests by the system's own `ping`, which may open the socket that control may not. One process for each command, ended
 * with it. What it prints is understood in iputils.ts.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Fault } from '../base/fault.ts';
import type { Echo } from './echo.ts';
import { argumentsFor, PingReader } from './iputils.ts';

/** Both of its outputs in one, so that what it complains about stays between the requests that it is about. */
const script = 'exec ping "$@" 2>&1';
/** The shell's, for a program that is not there. */
const notFound = 127;
/** Its own: some requests were not answered. */
const unanswered = 1;

export const systemPing: Echo = {
  send(request, tell) {
    const words = ['-c', script, 'ping', ...argumentsFor(request)];
    const child = spawn('/bin/sh', words, { stdio: ['ignore', 'pipe', 'ignore'], env: environment() });
    const reader = new PingReader(request.target);
    let complaint = '';
    createInterface({ input: child.stdout }).on('line', (line) => {
      const answer = reader.read(line);
      if (answer !== undefined) tell(answer);
      else if (/^(ping|sh|\/bin\/sh): /.test(line)) complaint = line;
    });
    // A shell that cannot be started is told like a ping that cannot.
    child.on('error', (error) => tell({ event: 'end', fault: faultOf(notFound, error.message) }));
    child.on('close', (status) => {
      if (status === null) return; // Stopped by us: nobody listens any more.
      const fault = status > unanswered ? faultOf(status, complaint) : undefined;
      if (fault === undefined) for (const answer of reader.rest(request.count ?? 0)) tell(answer);
      tell({ event: 'end', fault });
    });
    return () => child.kill('SIGKILL');
  },
};

/** Its words are understood in one language only. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' };
}

function faultOf(status: number, complaint: string): Fault {
  if (status === notFound) {
    const hint = 'Install it: apt-get install iputils-ping.';
    return new Fault('CONSOLE_PING', 'system', 'failure: this system has no ping', hint);
  }
  const hint =
    'Does the name exist, is the source an address of this node, and may its user open ICMP sockets?';
  return new Fault('CONSOLE_PING', 'system', `failure: ${complaint || `ping ended with ${status}`}`, hint);
}
