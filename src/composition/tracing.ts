/** The console's traces: those of this node, and where in the service a user is instead. */

import type { Tracing } from '../console/trace.ts';
import type { Registry } from '../session/registry/registry.ts';
import type { Traces } from '../session/trace/traces.ts';

/** Of the node `here`. */
export function tracingOf(here: string, traces: Traces, registry: Pick<Registry, 'list'>): Tracing {
  return {
    begin: (wanted) => traces.begin(wanted),
    elsewhere: ({ user, callerId, interface: name }, answer) =>
      registry.list((rows) => {
        const nodes = new Set<string>();
        for (const row of rows) {
          const isMeant =
            row.node !== here &&
            (user === undefined || row.user === user) &&
            (callerId === undefined || row.callerId === callerId) &&
            (name === undefined || row.interfaceName === name);
          if (isMeant) nodes.add(row.node);
        }
        answer([...nodes]);
      }),
  };
}
