/** The running program as metrics read it: each part asked anew whenever somebody looks. */

import type { JournalWriter } from '../accounting/journal-writer.ts';
import { systemClock } from '../base/clock.io.ts';
import type { Licence } from '../licence/licence.ts';
import type { Reload, Subject } from '../metrics/subject.ts';
import type { Addresses } from '../session/addresses.ts';
import type { Server } from '../session/server.ts';
import type { Pool } from '../session/settings.ts';
import type { Switchboard } from '../session/switchboard.ts';
import type { Accounting } from './accounting.ts';
import { type Membership, version } from './membership.ts';
import type { Radius } from './radius.ts';
import type { Service } from './service.ts';

export interface Running {
  readonly node: string;
  readonly switchboard: Switchboard;
  readonly licence: Licence;
  readonly radius: Radius;
  readonly accounting: Accounting;
  readonly ledger: JournalWriter;
  readonly service: Service;
  readonly membership: Membership;
  readonly addresses: Addresses;
  pools(): readonly Pool[];
  lastReload(): Reload;
  unreadiness(): readonly string[];
  server(): Server;
}

export function subjectOf(running: Running): Subject {
  const { node, switchboard, licence, radius, accounting, ledger, addresses } = running;
  const { accountant } = accounting;
  return {
    node,
    version,
    clock: systemClock,
    switchboard,
    licence,
    radiusIncoming: radius.dynamic,
    get sessions() {
      return running.server().sessions.values();
    },
    get isDraining() {
      return running.server().isDraining;
    },
    get unreadiness() {
      return running.unreadiness();
    },
    get radius() {
      return radius.exchange.monitor();
    },
    get accounting() {
      return {
        sessions: accountant.sessions,
        pending: accountant.pending,
        oldestAtMs: ledger.oldestAtMs,
        journalBytes: ledger.octets,
        isHealthy: ledger.isHealthy,
        isFull: accountant.isFull,
      };
    },
    get pools() {
      return running.pools().flatMap(({ name }) => {
        const usage = addresses.usageOf(name);
        return usage === undefined ? [] : { name, ...usage };
      });
    },
    get lastReload() {
      return running.lastReload();
    },
    hasRedis: running.service.redis !== undefined,
    get isOnline() {
      return running.service.registry.isOnline;
    },
    get nodes() {
      return running.membership.nodes;
    },
  };
}
