/** What a process has cost the machine so far, as the kernel counts it. */

import { readFileSync } from 'node:fs';

/** Processor time that it has taken, all threads together; to a hundredth of a second. */
export function cpuSecondsOf(pid: number): number {
  const [, after = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [userTicks = 0, systemTicks = 0] = after.split(' ').slice(11, 13).map(Number);
  return (userTicks + systemTicks) / 100;
}

/** Memory that it has now, in megabytes of a million octets. */
export function residentMegabytesOf(pid: number): number {
  const [, kibibytes = '0'] = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kibibytes) * 1024) / 1e6;
}
