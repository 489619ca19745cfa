import { describe, expect, it } from 'vitest';
import type { QueryWatch } from '../../../src/radius/query.ts';
import { packetName } from '../../../src/radius/words.ts';
import { answering, World } from './world.ts';

/** What is seen of one query, in order. */
function watched(): { readonly seen: string[]; readonly watch: QueryWatch } {
  const seen: string[] = [];
  return {
    seen,
    watch: {
      sent: (server, [code = 0], isCopy) =>
        seen.push(`${isCopy ? 'again ' : ''}${packetName(code)} to ${server}`),
      received: (server, { code }) => seen.push(`${packetName(code)} from ${server}`),
      discarded: (server, why) => seen.push(`${why} from ${server}`),
      timedOut: (server, waitedMs) => seen.push(`${server} silent for ${Math.round(waitedMs / 1000)} s`),
    },
  };
}

describe('who looks on at a query', () => {
  it('sees each packet of it, which server it went to, and what was discarded', () => {
    const world = new World([{ address: '192.0.2.1' }, { address: '192.0.2.2' }]);
    world.behaviours.set('192.0.2.1', ({ octets, reply }) =>
      reply(octets.map((octet, at) => (at === 0 ? 2 : octet))),
    );
    world.behaviours.set('192.0.2.2', answering);
    const { seen, watch } = watched();
    const { got } = world.ask({ watch });
    world.clock.advance(30_000);

    expect(got()).toBe('reply');
    expect(seen).toEqual([
      'Access-Request to 192.0.2.1:1812',
      'wrong-authenticator from 192.0.2.1:1812',
      '192.0.2.1:1812 silent for 1 s',
      'again Access-Request to 192.0.2.1:1812',
      'wrong-authenticator from 192.0.2.1:1812',
      '192.0.2.1:1812 silent for 2 s',
      'again Access-Request to 192.0.2.1:1812',
      'wrong-authenticator from 192.0.2.1:1812',
      '192.0.2.1:1812 silent for 4 s',
      'Access-Request to 192.0.2.2:1812',
      'Access-Accept from 192.0.2.2:1812',
    ]);
  });
});
