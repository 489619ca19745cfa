/**
 * MD4 (RFC 1320): the hash under NT passwords. Node's OpenSSL refuses it, rightly; Microsoft's PPP authentication cannot do
 * without. For nothing else.
 */

/** The step order of section 3.4: for each round, which word of the block, by what rotation. */
const rounds = [
  { constant: 0, rotations: [3, 7, 11, 19], words: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] },
  {
    constant: 0x5a827999,
    rotations: [3, 5, 9, 13],
    words: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
  },
  {
    constant: 0x6ed9eba1,
    rotations: [3, 9, 11, 15],
    words: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
  },
] as const;

/** The functions F, G and H of section 3.4. */
const mixes = [
  (x: number, y: number, z: number) => (x & y) | (~x & z),
  (x: number, y: number, z: number) => (x & y) | (x & z) | (y & z),
  (x: number, y: number, z: number) => x ^ y ^ z,
] as const;

const blockSize = 64;

/** The 16 octets of `message`'s digest. */
export function md4(message: Uint8Array): Uint8Array {
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
  const padded = pad(message);
  for (let at = 0; at < padded.length; at += blockSize)
    absorb(state, new DataView(padded.buffer, at, blockSize));

  const digest = new DataView(new ArrayBuffer(16));
  for (const [at, word] of state.entries()) digest.setUint32(4 * at, word, true);
  return new Uint8Array(digest.buffer);
}

/** Sections 3.1 and 3.2: one bit, zeros, and the length in bits. */
function pad(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / blockSize) * blockSize);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(message.length) * 8n, true);
  return padded;
}

function absorb(state: Uint32Array, block: DataView): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (const [index, { constant, rotations, words }] of rounds.entries()) {
    const mix = mixes[index] as (typeof mixes)[number];
    for (const [step, word] of words.entries()) {
      const sum = (a + mix(b, c, d) + block.getUint32(4 * word, true) + constant) | 0;
      const bits = rotations[step % 4] as number;
      [a, b, c, d] = [d, (sum << bits) | (sum >>> (32 - bits)), b, c];
    }
  }
  for (const [at, word] of [a, b, c, d].entries()) state[at] = (state[at] as number) + word;
}
