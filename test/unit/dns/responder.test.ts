import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../../src/base/bytes.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import { below, seededRandom } from '../../../src/base/random.ts';
import {
  decodeMessage,
  emptyMessage,
  encodeMessage,
  type Message,
  type Question,
  type ResourceRecord,
  rcodes,
  types,
} from '../../../src/dns/message.ts';
import { addressOf, extensionOf, extensionRecord } from '../../../src/dns/record.ts';
import { type Delegation, Responder } from '../../../src/dns/responder.ts';
import type { Member } from '../../../src/dns/selection.ts';
import { readVectors } from '../radius/vectors.ts';

const delegation: Delegation = {
  name: 'vpn.example.net',
  ttlMs: 30_000,
  nameServers: ['ns1.example.net', 'ns2.example.net'],
  addressesPerAnswer: 2,
};
const members: Member[] = [1, 2, 3].map((at) => ({ address: 0xc0000200 + at, weight: 100, isReady: true }));

function responder(change: Partial<Delegation> = {}, nodes: readonly Member[] = members) {
  const clock = new VirtualClock();
  const own = new Responder(
    { ...delegation, ...change },
    { clock, random: seededRandom(1), members: () => nodes },
  );
  const exchange = (query: Message<ResourceRecord>, transport: 'udp' | 'tcp' = 'udp'): Message => {
    const reply = own.reply(encodeMessage(query), transport) ?? new Uint8Array();
    return decodeMessage(reply) as Message;
  };
  const ask = (question: Partial<Question> = {}): Message => exchange(queryFor(question));
  return { clock, responder: own, exchange, ask };
}

function queryFor(question: Partial<Question>, additionals: readonly ResourceRecord[] = []) {
  const whole = { name: 'vpn.example.net', type: types.a, class: 1, ...question };
  return { ...emptyMessage(0x1234, 0), isRecursionDesired: true, questions: [whole], additionals };
}

/** The five numbers of an SOA record, which are its last 20 octets. */
const serialOf = ({ data }: ResourceRecord): number =>
  new DataView(data.buffer, data.length - 20).getUint32(0);

describe('a query for the name', () => {
  it('gets addresses of nodes that want callers, with authority and without recursion', () => {
    const reply = responder().ask();

    expect(reply).toMatchObject({
      id: 0x1234,
      isResponse: true,
      isAuthoritative: true,
      isTruncated: false,
      isRecursionDesired: true,
      rcode: 0,
      questions: [{ name: 'vpn.example.net', type: types.a, class: 1 }],
    });
    expect(reply.answers.map(({ ttl }) => ttl)).toEqual([30, 30]);
    const named = reply.answers.map(addressOf);
    expect(new Set(named).size).toBe(2);
    for (const address of named) expect(members.map((member) => member.address)).toContain(address);
  });

  it('is written octet by octet as RFC 1035 has it, the name by a pointer', () => {
    const [only] = members;
    const own = responder({}, only === undefined ? [] : [only]).responder;
    const question = '0376706e076578616d706c65036e657400 0001 0001';

    const reply = own.reply(fromHex(`beef 0100 0001 0000 0000 0000 ${question}`), 'udp');

    const answer = 'c00c 0001 0001 0000001e 0004 c0000201';
    expect(toHex(reply ?? new Uint8Array())).toBe(
      toHex(fromHex(`beef 8500 0001 0001 0000 0000 ${question} ${answer}`)),
    );
  });

  it('keeps the case that it came with', () => {
    const reply = responder().ask({ name: 'vPn.eXample.NET' });

    expect(reply.questions[0]?.name).toBe('vPn.eXample.NET');
    expect(reply.answers[0]?.name).toBe('vPn.eXample.NET');
  });

  it('gets NS and SOA at the name, and something if it asks for anything', () => {
    const { ask } = responder();

    expect(ask({ type: types.ns }).answers.map(({ type }) => type)).toEqual([types.ns, types.ns]);
    expect(ask({ type: types.soa }).answers.map(({ type }) => type)).toEqual([types.soa]);
    expect(ask({ type: types.any }).answers.map(({ type }) => type)).toEqual([types.a, types.a]);
  });

  it.each([28, 5, 16, 65])('gets nothing for type %d, for as long as the SOA says', (type) => {
    const reply = responder().ask({ type });

    expect(reply).toMatchObject({ rcode: 0, isAuthoritative: true, answers: [] });
    expect(reply.authorities).toMatchObject([{ name: 'vpn.example.net', type: types.soa, ttl: 30 }]);
  });

  it('gets nothing if nobody lives', () => {
    expect(responder({}, []).ask()).toMatchObject({
      rcode: 0,
      answers: [],
      authorities: [{ type: types.soa }],
    });
  });

  it('gets all who live if nobody is ready', () => {
    const full = members.map((member) => ({ ...member, weight: 0, isReady: false }));

    expect(responder({ addressesPerAnswer: 8 }, full).ask().answers).toHaveLength(3);
  });
});

describe('a query for something else', () => {
  it('does not exist below the name', () => {
    const reply = responder().ask({ name: 'x.vpn.example.net' });

    expect(reply).toMatchObject({ rcode: rcodes.nameError, isAuthoritative: true, answers: [] });
    expect(reply.authorities).toMatchObject([{ name: 'vpn.example.net', type: types.soa }]);
  });

  it.each(['example.net', 'www.example.net', 'myvpn.example.net', '', 'net'])('is refused: %j', (name) => {
    const reply = responder().ask({ name });

    expect(reply).toMatchObject({
      rcode: rcodes.refused,
      isAuthoritative: false,
      answers: [],
      authorities: [],
    });
  });

  it('is refused if it is a transfer, or of another class', () => {
    const { ask } = responder();

    expect(ask({ type: types.axfr }).rcode).toBe(rcodes.refused);
    expect(ask({ type: types.ixfr }).rcode).toBe(rcodes.refused);
    expect(ask({ class: 3 }).rcode).toBe(rcodes.refused);
  });
});

describe('EDNS', () => {
  const extension = (version: number): ResourceRecord =>
    extensionRecord({ payloadBytes: 4096, rcode: 0, version });

  it('is answered with EDNS, and only then', () => {
    const { exchange } = responder();
    const [own] = exchange(queryFor({}, [extension(0)])).additionals;

    expect(own && extensionOf(own)).toEqual({ payloadBytes: 1232, rcode: 0, version: 0 });
    expect(exchange(queryFor({})).additionals).toEqual([]);
  });

  it('of another version is told which one is known', () => {
    const reply = responder().exchange(queryFor({}, [extension(1)]));
    const [own] = reply.additionals;

    expect((own ? extensionOf(own).rcode : 0) | reply.rcode).toBe(rcodes.badVersion);
    expect(reply.answers).toEqual([]);
  });

  it('twice is a format error', () => {
    const query = queryFor({}, [extension(0), extension(0)]);

    expect(responder().exchange(query).rcode).toBe(rcodes.formatError);
  });

  it('with options and a cookie is tolerated', () => {
    const cookie = { ...extension(0), data: fromHex('000a0008dfa6f56d76ca4851') };

    expect(responder().exchange(queryFor({}, [cookie])).answers).toHaveLength(2);
  });
});

describe('the serial', () => {
  it('grows, and does not shrink when the clock is set back', () => {
    const { clock, ask } = responder();
    const serial = (): number => {
      const [record] = ask({ type: types.soa }).answers;
      return record === undefined ? 0 : serialOf(record);
    };

    const first = serial();
    clock.advance(10_000);
    expect(serial()).toBe(first + 10);
    clock.advance(-5_000);
    expect(serial()).toBe(first + 10);
  });
});

describe('what is no query', () => {
  it('gets nothing if it is a response or less than a header', () => {
    const { responder: own } = responder();
    const response = encodeMessage({ ...queryFor({}), isResponse: true });

    expect(own.reply(response, 'udp')).toBeUndefined();
    expect(own.reply(response.subarray(0, 11), 'udp')).toBeUndefined();
    expect(own.reply(new Uint8Array(), 'udp')).toBeUndefined();
    expect(own.tally.read('ignored')).toBe(3);
  });

  it('gets a header that says so', () => {
    const { responder: own, exchange } = responder();
    const octets = encodeMessage(queryFor({}));

    expect(exchange({ ...queryFor({}), opcode: 5 }).rcode).toBe(rcodes.notImplemented);
    expect(exchange({ ...queryFor({}), questions: [] }).rcode).toBe(rcodes.formatError);
    const two = [...queryFor({}).questions, ...queryFor({}).questions];
    expect(exchange({ ...queryFor({}), questions: two }).rcode).toBe(rcodes.formatError);
    expect(own.reply(octets.subarray(0, octets.length - 1), 'udp')).toHaveLength(12);
  });
});

describe('the length of a reply', () => {
  it('never exceeds a datagram of 512 octets, and more is left to TCP', () => {
    const nameServers = Array.from(
      { length: 8 },
      (_, at) => `${'n'.repeat(63)}.${'s'.repeat(50)}${at}.example.net`,
    );
    const { exchange, responder: own } = responder({ nameServers });
    const query = queryFor({ type: types.ns }, [
      extensionRecord({ payloadBytes: 65_535, rcode: 0, version: 0 }),
    ]);

    expect(exchange(query)).toMatchObject({ isTruncated: true, answers: [] });
    expect(exchange(query, 'tcp').answers).toHaveLength(8);
    expect(own.tally.read('truncated')).toBe(1);
  });

  it('with the longest name and the most addresses fits', () => {
    const name = ['a', 'b', 'c']
      .map((letter) => letter.repeat(63))
      .concat('d'.repeat(61))
      .join('.');
    const nodes = Array.from({ length: 20 }, (_, at) => ({ address: at, weight: 1, isReady: true }));
    const { exchange } = responder({ name, addressesPerAnswer: 8 }, nodes);
    const query = queryFor({ name }, [extensionRecord({ payloadBytes: 512, rcode: 0, version: 0 })]);

    expect(exchange(query)).toMatchObject({ isTruncated: false });
    expect(exchange(query).answers).toHaveLength(8);
  });
});

const seed = 1_035;

describe(`octets that nobody understands (seed ${seed})`, () => {
  const captured = readVectors('dns-tsig.txt').flatMap((vector) => [
    vector.octets('request'),
    vector.octets('reply'),
  ]);
  const sound = [...captured, encodeMessage(queryFor({})), encodeMessage(queryFor({ type: types.any }))];

  it('never make it throw, answer a response, or say more than a datagram', () => {
    const random = seededRandom(seed);
    const { responder: own } = responder();
    let longest = 0;
    let chatter = 0;
    let blown = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const octets = spoil(sound[below(random, sound.length)] ?? new Uint8Array(), random);
      const reply = own.reply(octets, 'udp');
      if (reply === undefined) continue;
      longest = Math.max(longest, reply.length);
      chatter += ((octets[2] ?? 0) >> 7) & 1;
      // Only who asks a whole question about the name gets more than he sent.
      const isAnswer = (reply[7] ?? 0) > 0 || (reply[9] ?? 0) > 0;
      if (!isAnswer && reply.length > octets.length) blown += 1;
    }

    expect(longest).toBeLessThanOrEqual(512);
    expect({ chatter, blown }).toEqual({ chatter: 0, blown: 0 });
    expect(own.tally.read('answered')).toBeGreaterThan(0);
    expect(own.tally.read('malformed')).toBeGreaterThan(0);
  });

  function spoil(octets: Uint8Array, random: ReturnType<typeof seededRandom>): Uint8Array {
    const kept = octets.slice(0, below(random, 3) === 0 ? below(random, octets.length + 1) : octets.length);
    const spoiled = concat(kept, random(below(random, 4) === 0 ? below(random, 20) : 0));
    for (let flip = below(random, 5); flip > 0 && spoiled.length > 0; flip -= 1) {
      spoiled[below(random, spoiled.length)] = random(1)[0] ?? 0;
    }
    return spoiled;
  }
});
