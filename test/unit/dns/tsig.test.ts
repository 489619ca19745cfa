import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { below, seededRandom } from '../../../src/base/random.ts';
import { decodeMessage, type Message } from '../../../src/dns/message.ts';
import { claimedError, type Key, keyAlgorithms, type Proven, sign, verify } from '../../../src/dns/tsig.ts';
import { readVectors } from '../radius/vectors.ts';

const vectors = readVectors('dns-tsig.txt').map((vector) => ({
  title: vector.title,
  key: { name: vector.text('key'), algorithm: 'hmac-sha256', secret: vector.octets('secret') } as Key,
  wallMs: 1000 * Number(vector.text('at')),
  request: vector.octets('request'),
  reply: vector.octets('reply'),
  unsigned: Number(vector.text('unsigned')),
}));
const signed = vectors.filter(({ unsigned }) => unsigned === 0);
const [first] = signed;
if (first === undefined) throw new Error('no vector');

/** A message as it was before it was signed. */
function unsignedOf(octets: Uint8Array): Uint8Array {
  const { additionals } = decodeMessage(octets) as Message;
  const bare = octets.slice(0, additionals.at(-1)?.at);
  bare[11] = (bare[11] ?? 0) - 1;
  return bare;
}

const macOf = (octets: Uint8Array, key: Key, wallMs: number) => (verify(octets, key, wallMs) as Proven).mac;

describe.each(signed)('$title', ({ key, wallMs, request, reply }) => {
  it('has the request that we would have signed', () => {
    expect(toHex(sign(unsignedOf(request), key, wallMs).octets)).toBe(toHex(request));
  });

  it('has the reply of who knows the key', () => {
    const proven = verify(reply, key, wallMs, macOf(request, key, wallMs));

    expect(proven).toMatchObject({ error: 0, message: { isResponse: true, rcode: 0 } });
  });

  it('proves nothing if a single bit is another', () => {
    const mac = macOf(request, key, wallMs);
    for (let bit = 0; bit < 8 * reply.length; bit += 1) {
      const spoiled = reply.slice();
      spoiled[bit >> 3] = (spoiled[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const verdict = verify(spoiled, key, wallMs, mac);
      // The ID is not signed but by its copy (section 5.3), and the transaction looks at it; case of names does not count.
      const isHarmless = typeof verdict !== 'string' && (bit < 16 || (bit & 7) === 5);
      if (!isHarmless) expect(verdict, `bit ${bit}`).toBeTypeOf('string');
    }
  });

  it('answers that request and no other', () => {
    expect(verify(reply, key, wallMs)).toBe('wrong-signature');
    expect(verify(reply, key, wallMs, new Uint8Array(32))).toBe('wrong-signature');
  });
});

describe.each(vectors.filter(({ unsigned }) => unsigned !== 0))(
  '$title',
  ({ key, wallMs, reply, unsigned }) => {
    it('proves nothing, and claims why', () => {
      expect(verify(reply, key, wallMs, new Uint8Array(32))).toBe('unsigned');
      expect(claimedError(decodeMessage(reply) as Message)).toBe(unsigned);
    });
  },
);

describe('a signature', () => {
  const { key, wallMs, request } = first;

  it('is worth something for five minutes, before and after', () => {
    expect(verify(request, key, wallMs + 300_999)).toBeTypeOf('object');
    expect(verify(request, key, wallMs - 300_000)).toBeTypeOf('object');
    expect(verify(request, key, wallMs + 301_000)).toBe('wrong-time');
    expect(verify(request, key, wallMs - 300_001)).toBe('wrong-time');
  });

  it('is by the key that it names', () => {
    expect(verify(request, { ...key, name: 'other.key' }, wallMs)).toBe('wrong-key');
    expect(verify(request, { ...key, algorithm: 'hmac-sha512' }, wallMs)).toBe('wrong-key');
    expect(verify(request, { ...key, secret: fromHex('00') }, wallMs)).toBe('wrong-signature');
    expect(verify(request, { ...key, name: 'PPTP.Key' }, wallMs)).toBeTypeOf('object');
  });

  it('is nowhere but last, and once', () => {
    const twice = sign(request, key, wallMs).octets;

    expect(verify(twice, key, wallMs)).toBe('malformed');
    expect(verify(unsignedOf(request), key, wallMs)).toBe('unsigned');
    expect(verify(request.slice(1), key, wallMs)).toBe('malformed');
  });

  it.each(keyAlgorithms)('is made and checked with %s', (algorithm) => {
    const made = sign(unsignedOf(request), { ...key, algorithm }, wallMs);

    expect(verify(made.octets, { ...key, algorithm }, wallMs)).toMatchObject({ error: 0, mac: made.mac });
  });

  const seed = 8_945;

  it(`is not found in other octets, and none of them throws (seed ${seed})`, () => {
    const random = seededRandom(seed);
    const verdicts = new Set<unknown>();
    for (let round = 0; round < 10_000; round += 1) {
      const spoiled = request.slice(0, 12 + below(random, request.length - 11));
      // Behind the ID, which is not signed but by its copy.
      for (let flip = below(random, 8); flip >= 0; flip -= 1) {
        const at = 2 + below(random, spoiled.length - 2);
        spoiled[at] = (spoiled[at] ?? 0) ^ (1 + below(random, 31));
      }
      const verdict = verify(spoiled, key, wallMs);
      const isHarmless = typeof verdict !== 'string' && toHex(spoiled.slice(2)) === toHex(request.slice(2));
      if (!isHarmless) verdicts.add(typeof verdict === 'string' ? verdict : 'proven');
    }

    expect(verdicts).toContain('malformed');
    expect(verdicts).not.toContain('proven');
  });
});
