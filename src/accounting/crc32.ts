/** CRC-32 of IEEE 802.3 (reflected polynomial EDB88320), as `zip` and `gzip` have it: finds lines that a disk has mangled. */

const table = Uint32Array.from({ length: 256 }, (_, octet) => {
  let remainder = octet;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  return remainder;
});

/** 0 … 2^32 - 1. */
export function crc32(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const octet of bytes) remainder = (remainder >>> 8) ^ (table[(remainder ^ octet) & 255] ?? 0);
  return (remainder ^ 0xffffffff) >>> 0;
}
