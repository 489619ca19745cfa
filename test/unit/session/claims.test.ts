/** Places and addresses between the authority's word and the session: what is claimed, and by whom it is given back. */

import { beforeEach, describe, expect, it } from 'vitest';
import { merge } from '../../../src/aaa/merge.ts';
import type { Question } from '../../../src/aaa/question.ts';
import { profileMenu } from '../../../src/aaa/settings.ts';
import { refused, type Verdict } from '../../../src/aaa/verdict.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import { formatIpv4, parseIpv4 } from '../../../src/base/ip.ts';
import type { AddressOrPool } from '../../../src/base/kind.ts';
import { silent } from '../../../src/base/observe.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { defaultsOf } from '../../../src/base/setting.ts';
import { Addresses } from '../../../src/session/addresses.ts';
import { Claims } from '../../../src/session/claims.ts';
import { MemoryRegistry } from '../../../src/session/registry/memory.ts';
import { factsOf } from '../accounting/facts.ts';

const ip = (text: string): number => parseIpv4(text) ?? Number.NaN;
const pool = { pool: 'subscribers' };
const first = ip('10.0.0.1');
const size = 16;

let registry: MemoryRegistry;
let addresses: Addresses;
let claims: Claims;
let alive: Set<string>;
let judged: (() => void)[];

beforeEach(() => {
  registry = new MemoryRegistry({ node: 'here', bootId: 'boot' }, new VirtualClock());
  addresses = new Addresses({ random: seededRandom(5) });
  const range = { first, last: first + size - 1 };
  addresses.configure([{ name: pool.pool, ranges: [range], nextPool: undefined, comment: '' }]);
  alive = new Set();
  judged = [];
});

/** Everybody is let in, and given `remoteAddress`, when the authority gets to it. */
function serve(remoteAddress: AddressOrPool): void {
  const grant = { ...merge('any', [defaultsOf(profileMenu)]), onlyOne: true, remoteAddress };
  claims = new Claims({
    authority: {
      judge: ({ identity }, answer) => {
        const accepted = { accept: true, user: identity.sessionId.slice(0, 4), grant } as const;
        judged.push(() =>
          answer({ ...accepted, message: '', source: 'local', classes: [], interimMs: undefined }),
        );
      },
    },
    addresses,
    registry,
    log: silent,
    policy: () => 'reject',
    isAlive: (sessionId) => alive.has(sessionId),
    replace: (_victims, ended) => ended(),
  });
}

/** The verdict, if there is one yet. */
function ask(sessionId: string): { verdict: Verdict | undefined } {
  const asked: { verdict: Verdict | undefined } = { verdict: undefined };
  const { identity } = factsOf(sessionId);
  const octets = new Uint8Array();
  const credentials = { method: 'pap', name: sessionId, nameOctets: octets, password: octets } as const;
  const question: Question = { credentials, callerId: '', defaultProfile: '', identity };
  alive.add(sessionId);
  claims.judge(question, (verdict) => {
    asked.verdict = verdict;
  });
  return asked;
}

function judgeAll(): void {
  for (const judge of judged.splice(0)) judge();
}

function name(address: number): void {
  registry.claimAddress(
    { address, sessionId: `named-${formatIpv4(address)}`, user: 'somebody', policy: 'reject' },
    () => {},
  );
}

describe('an address out of a pool', () => {
  it('is never one that was named for somebody, wherever he is', () => {
    serve(pool);
    for (let address = first; address < first + size - 2; address += 2) name(address);

    const verdicts = ['anna', 'bert', 'cleo'].map(ask);
    judgeAll();

    expect(verdicts.map(({ verdict }) => verdict?.accept)).toEqual([true, true, true]);
    const drawn = ['anna', 'bert', 'cleo'].map((who) => addresses.takeRemote(pool, who, who));
    expect(drawn.every((address) => typeof address === 'number' && (address - first) % 2 === 1)).toBe(true);
    expect(new Set(drawn).size).toBe(3);
  });

  it('is all that is taken, whatever was drawn in vain', () => {
    serve(pool);
    for (let address = first; address < first + size / 2; address += 1) name(address);

    ask('anna');
    judgeAll();

    expect(addresses.usageOf('subscribers')).toMatchObject({ size, used: 1 });
    addresses.release('anna');
    expect(addresses.usageOf('subscribers')).toMatchObject({ size, used: 0 });
  });

  it('is refused when almost all are named', () => {
    serve(pool);
    for (let address = first; address < first + size; address += 1) name(address);

    const asked = ask('anna');
    judgeAll();

    expect(asked.verdict).toMatchObject({ accept: false, reason: 'address-in-use' });
  });

  it('is not asked for when there is none: the session says so itself', () => {
    serve({ pool: 'nowhere' });

    const asked = ask('anna');
    judgeAll();

    expect(asked.verdict?.accept).toBe(true);
  });
});

describe('a session that ends while it is judged', () => {
  it('takes neither a place nor an address', () => {
    serve(pool);
    ask('anna-1');
    registry.ended('anna-1');
    alive.delete('anna-1');

    judgeAll();
    const again = ask('anna-2');
    judgeAll();

    expect(again.verdict?.accept).toBe(true);
    expect(addresses.usageOf('subscribers')?.used).toBe(1);
  });
});

it('a named address that somebody has is refused', () => {
  serve({ address: first });
  name(first);

  const asked = ask('anna');
  judgeAll();

  expect(asked.verdict).toEqual(refused('address-in-use', '10.0.0.1'));
});
