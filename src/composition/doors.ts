/** The ports of `/ip service`, each with the server that speaks its protocol behind it. */

import { systemClock } from '../base/clock.io.ts';
import type { Log } from '../base/observe.ts';
import { systemRandom } from '../base/random.io.ts';
import { apiServer } from '../console/services/api.io.ts';
import type { EventLoop } from '../console/services/drive.ts';
import { restServer } from '../console/services/rest.io.ts';
import { Service } from '../console/services/services.io.ts';
import type { ServicesPorts } from '../console/services/services.ts';

const loop: EventLoop = { nowMs: () => performance.now(), soon: (act) => void setImmediate(act) };

export function doorOf(log: Log): ServicesPorts['door'] {
  return (name, gate, desk) => {
    const ports = { log, gate, desk, random: systemRandom, loop };
    const isApi = name === 'api' || name === 'api-ssl';
    return new Service({
      clock: systemClock,
      log,
      makeServer: (credentials) => (isApi ? apiServer(ports, credentials) : restServer(ports, credentials)),
    });
  };
}
