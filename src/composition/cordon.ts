/** The cordon of the Kubernetes node, which the concentrator's drain follows if the options ask for it. */

import { systemClock } from '../base/clock.io.ts';
import type { Log } from '../base/observe.ts';
import { systemRandom } from '../base/random.io.ts';
import { apiServerAt } from '../kubernetes/api-server.io.ts';
import { CordonWatch } from '../kubernetes/cordon-watch.ts';
import { eventOf } from '../session/events.ts';
import type { Concentrator } from './concentrator.ts';
import type { Options } from './options.ts';

/** Undefined if nobody asks for it, or if this is no pod, which the log is told: the node serves all the same. */
export function cordonWatchOf(
  { watchCordon, pod }: Pick<Options, 'watchCordon' | 'pod'>,
  log: Log,
  concentrator: Pick<Concentrator, 'cordon'>,
): CordonWatch | undefined {
  if (!watchCordon) return undefined;
  if (pod === undefined) {
    log('warning', 'system', 'cannot see whether Kubernetes cordons the node: this is no pod', {
      ...eventOf('cordon-unwatched'),
      code: 'NO_POD',
      hint: '--watch-cordon needs NODE_NAME (spec.nodeName, by the downward API), and KUBERNETES_SERVICE_HOST.',
    });
    return undefined;
  }
  return new CordonWatch(pod.node, {
    clock: systemClock,
    random: systemRandom,
    log,
    ask: apiServerAt(pod.apiServer),
    cordoned: (isCordoned) => concentrator.cordon(isCordoned),
  });
}
