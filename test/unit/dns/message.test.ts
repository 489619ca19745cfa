import { describe, expect, it } from 'vitest';
import { concat, Writer } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { below, seededRandom } from '../../../src/base/random.ts';
import { decodeMessage, encodeMessage, type Message, types } from '../../../src/dns/message.ts';
import { addressOf } from '../../../src/dns/record.ts';
import { readVectors } from '../radius/vectors.ts';

const captured = readVectors('dns-tsig.txt').flatMap((vector) =>
  ['request', 'reply'].map((word) => ({ title: `${vector.title} (${word})`, octets: vector.octets(word) })),
);

/** What was said, without where. */
function said(message: Message) {
  const { answers, authorities, additionals } = message;
  const bare = (records: Message['answers']) => records.map(({ at, ...record }) => record);
  return {
    ...message,
    answers: bare(answers),
    authorities: bare(authorities),
    additionals: bare(additionals),
  };
}

describe.each(captured)('$title', ({ octets }) => {
  it('is read, and read again from what is written', () => {
    const message = decodeMessage(octets) as Message;
    const again = decodeMessage(encodeMessage(message)) as Message;

    expect(message).not.toBeInstanceOf(Malformed);
    expect(said(again)).toEqual(said(message));
  });

  it('is malformed at every shorter length', () => {
    for (let length = 0; length < octets.length; length += 1) {
      expect(decodeMessage(octets.slice(0, length)), `${length} octets`).toBeInstanceOf(Malformed);
    }
  });
});

it('reads an update as nsupdate writes it', () => {
  const [, vector] = readVectors('dns-tsig.txt');
  const message = decodeMessage(vector?.octets('request') ?? new Uint8Array()) as Message;

  expect(message).toMatchObject({ opcode: 5, isResponse: false });
  expect(message.questions).toEqual([{ name: 'example.net', type: types.soa, class: 1 }]);
  expect(message.answers.map(addressOf)).toEqual([0xc0000201]);
  expect(message.authorities).toMatchObject([
    { name: 'vpn.example.net', class: 254, ttl: 0 },
    { name: 'vpn.example.net', class: 1, ttl: 30 },
  ]);
});

describe.each(readVectors('dns-malformed.txt'))('$title', (vector) => {
  it('is malformed', () => {
    const [code = '', field = '', at = ''] = vector.text('malformed').split(' ');

    expect(decodeMessage(vector.octets('message'))).toEqual(new Malformed(code, field, Number(at)));
  });
});

const seed = 20_261_121;

it(`never throws, whatever octets come (seed ${seed})`, () => {
  const random = seededRandom(seed);
  const verdicts = new Set<boolean>();
  for (let round = 0; round < 20_000; round += 1) {
    const { octets } = captured[below(random, captured.length)] ?? { octets: new Uint8Array() };
    const spoiled = octets.slice(0, 1 + below(random, octets.length));
    for (let flip = below(random, 6); flip >= 0; flip -= 1) {
      spoiled[below(random, spoiled.length)] = random(1)[0] ?? 0;
    }
    verdicts.add(decodeMessage(spoiled) instanceof Malformed);
  }

  expect(verdicts).toEqual(new Set([true, false]));
});

it('follows no more pointers than a name can need', () => {
  // The question is a chain of 2,000 pointers, each of which leads to the one before it.
  const header = new Writer(new Uint8Array(12)).u32(1).u16(1).zeros(6).done();
  const chain = Array.from({ length: 2_000 }, (_, at) => {
    const target = at === 0 ? 2 : 12 + 3 + 2 * (at - 1);
    return new Writer(new Uint8Array(2)).u16(0xc000 | target).done();
  });
  const record = concat(Uint8Array.of(2), ...chain);

  expect(decodeMessage(concat(header, record))).toBeInstanceOf(Malformed);
});
