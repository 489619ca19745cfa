import { describe, expect, it } from 'vitest';
import { concat, fromHex, toBytes } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { limits } from '../../../src/base/limits.ts';
import { below, seededRandom } from '../../../src/base/random.ts';
import { Framing } from '../../../src/pptp/framing.ts';
import { messageOf, readVectors } from './vectors.ts';

const vectors = readVectors('pptp-messages.txt');
const stream = concat(...vectors.map((vector) => vector.octets));
const expected = vectors.map(messageOf);

describe('a stream of every message', () => {
  it('is cut into them when it comes at once', () => {
    expect(new Framing().push(stream)).toEqual(expected);
  });

  it('is cut into them when it comes octet by octet', () => {
    const framing = new Framing();

    const found = [...stream].flatMap((octet) => framing.push(Uint8Array.of(octet)));

    expect(found).toEqual(expected);
    expect(framing.pendingBytes).toBe(0);
  });

  it('is cut into them when it is split at any octet', () => {
    for (let at = 0; at <= stream.length; at += 1) {
      const framing = new Framing();
      const found = [...framing.push(stream.subarray(0, at)), ...framing.push(stream.subarray(at))];
      expect(found, `split at ${at}`).toEqual(expected);
    }
  });

  it('is cut into them when it comes in random pieces', () => {
    const seed = 2637;
    const random = seededRandom(seed);
    for (let run = 0; run < 200; run += 1) {
      const framing = new Framing();
      const found = [];
      for (let at = 0; at < stream.length; ) {
        const size = 1 + below(random, 400);
        found.push(...framing.push(stream.subarray(at, at + size)));
        at += size;
        expect(framing.pendingBytes).toBeLessThan(limits.pptpMessageBytes);
      }
      expect(found, `seed ${seed}, run ${run}`).toEqual(expected);
    }
  });
});

describe('what is not PPTP', () => {
  const echo = fromHex('001000011a2b3c4d0005000000000001');

  it('is told once, after the messages before it', () => {
    const framing = new Framing();

    const found = framing.push(concat(echo, toBytes('GET / HTTP/1.1\r\n\r\n'), echo));

    expect(found).toMatchObject([{ name: 'echoRequest' }, { code: 'PPTP_BAD_MESSAGE_TYPE' }]);
    expect(found[1]).toBeInstanceOf(Malformed);
  });

  it('leaves a stream from which nothing is read any more and nothing is kept', () => {
    const framing = new Framing();
    framing.push(toBytes('SSH-2.0-OpenSSH_9.2p1\r\n'));

    expect(framing.push(echo)).toEqual([]);
    expect(framing.pendingBytes).toBe(0);
  });

  it('is told by the header alone: no octet of the body is waited for', () => {
    expect(new Framing().push(fromHex('fff000011a2b3c4d00050000'))).toEqual([
      new Malformed('PPTP_BAD_LENGTH', 'length', 0),
    ]);
  });
});

it('keeps its own octets, so that the caller may use his buffer again', () => {
  const framing = new Framing();
  const buffer = Uint8Array.from(vectors[0]?.octets ?? []);
  framing.push(buffer.subarray(0, 100));
  const rest = buffer.slice(100);
  buffer.fill(0xee);

  expect(framing.push(rest)).toEqual(expected.slice(0, 1));
});
