/** Randomness as a port: the real source is random.io.ts; a seeded one, for tests and the simulation, stands here. */

/** `size` octets that a peer cannot guess. */
export type Random = (size: number) => Uint8Array;

/** The same octets for the same seed, always (xoshiro128** over a splitmix32 start). Never for secrets. */
export function seededRandom(seed: number): Random {
  let mix = seed >>> 0;
  const splitmix = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, d] = [splitmix(), splitmix(), splitmix(), splitmix()];
  const next = (): number => {
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return scrambled;
  };
  return (size) => Uint8Array.from({ length: size }, () => next() >>> 24);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** A number in 0 … `limit` - 1, from 32 random bits: fit for choices, not for keys. */
export function below(random: Random, limit: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = random(4);
  return Math.floor((((a << 24) | (b << 16) | (c << 8) | d) >>> 0) * (limit / 2 ** 32));
}
