import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/base/clock.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { emptyMessage, encodeMessage, type Message, type ResourceRecord } from '../../../src/dns/message.ts';
import { addressRecord } from '../../../src/dns/record.ts';
import { type LineEvents, type Outcome, Transaction, type Transport } from '../../../src/dns/transaction.ts';
import { type Key, type Proven, sign, verify } from '../../../src/dns/tsig.ts';

const key: Key = { name: 'pptp.key', algorithm: 'hmac-sha256', secret: new Uint8Array(32).fill(7) };
const request = { opcode: 0, questions: [{ name: 'vpn.example.net', type: 1, class: 1 }] };

/** A transaction whose server is the test. */
function begin(what: ConstructorParameters<typeof Transaction>[0] = request) {
  const clock = new VirtualClock();
  const sent: { transport: Transport; octets: Uint8Array; atMs: number }[] = [];
  const outcomes: Outcome[] = [];
  const lines: { transport: Transport; events: LineEvents; isClosed: boolean }[] = [];
  const transaction = new Transaction(
    what,
    key,
    {
      clock,
      random: seededRandom(1),
      openLine(transport, events) {
        const line = { transport, events, isClosed: false };
        lines.push(line);
        return {
          send: (octets) => void sent.push({ transport, octets, atMs: clock.nowMs() }),
          close: () => {
            line.isClosed = true;
          },
        };
      },
    },
    (outcome) => outcomes.push(outcome),
  );
  clock.advance(0);

  const reply = (change: Partial<Message<ResourceRecord>> = {}, by: Key | 'nobody' = key): Uint8Array => {
    const asked = sent[0]?.octets ?? new Uint8Array();
    const { message, mac } = verify(asked, key, clock.wallMs()) as Proven;
    const { id, opcode, questions } = message;
    const octets = encodeMessage({ ...emptyMessage(id, opcode), isResponse: true, questions, ...change });
    return by === 'nobody' ? octets : sign(octets, by, clock.wallMs(), mac).octets;
  };
  const receive = (octets: Uint8Array): void => lines.at(-1)?.events.received(octets);
  return { clock, sent, outcomes, lines, transaction, reply, receive };
}

describe('a transaction', () => {
  it('is answered by a signed reply', () => {
    const { outcomes, lines, reply, receive } = begin();

    receive(reply({ answers: [addressRecord('vpn.example.net', 30, 1)] }));

    expect(outcomes).toMatchObject([{ kind: 'answered', message: { answers: [{ ttl: 30 }] } }]);
    expect(lines).toMatchObject([{ isClosed: true }]);
  });

  it('sends the same octets again after 1, 2 and 4 s, the last time over TCP, and gives up after 12 s', () => {
    const { clock, sent, outcomes } = begin();

    clock.advance(11_999);
    expect(outcomes).toEqual([]);
    clock.advance(1);

    expect(sent.map(({ transport, atMs }) => `${transport} ${atMs}`)).toEqual([
      'udp 0',
      'udp 1000',
      'udp 3000',
      'tcp 7000',
    ]);
    expect(new Set(sent.map(({ octets }) => octets.join())).size).toBe(1);
    expect(outcomes).toEqual([{ kind: 'failed', why: 'silence' }]);
  });

  it('goes over to TCP when the reply did not fit', () => {
    const { sent, outcomes, lines, reply, receive } = begin();

    receive(reply({ isTruncated: true }));
    expect(sent.map(({ transport }) => transport)).toEqual(['udp', 'tcp']);
    expect(lines[0]?.isClosed).toBe(true);
    receive(reply());

    expect(outcomes).toMatchObject([{ kind: 'answered' }]);
  });

  it('takes TCP at once for what does not pass every path in one datagram', () => {
    const answers = Array.from({ length: 100 }, (_, at) => addressRecord('vpn.example.net', 0, at));
    const { sent } = begin({ ...request, answers });

    expect(sent.map(({ transport }) => transport)).toEqual(['tcp']);
  });

  it.each([
    ['is unsigned', (world: ReturnType<typeof begin>) => world.reply({}, 'nobody'), 'unsigned'],
    [
      'is signed with another secret',
      (world: ReturnType<typeof begin>) => world.reply({}, { ...key, secret: new Uint8Array(1) }),
      'wrong-signature',
    ],
  ])('waits for the true reply when one %s, and says so if none comes', (_, forged, why) => {
    const patient = begin();
    patient.receive(forged(patient));
    patient.clock.advance(500);
    patient.receive(patient.reply());
    expect(patient.outcomes).toMatchObject([{ kind: 'answered' }]);

    const disappointed = begin();
    disappointed.receive(forged(disappointed));
    disappointed.clock.advance(1_000);
    expect(disappointed.outcomes).toEqual([{ kind: 'failed', why }]);
    expect(disappointed.sent).toHaveLength(1);
  });

  it('is not moved by what is not about it', () => {
    const { clock, sent, outcomes, reply, receive } = begin();
    const [question] = sent;

    receive(new Uint8Array([1, 2, 3]));
    receive(question?.octets ?? new Uint8Array());
    receive(reply({ id: 1 }, 'nobody'));
    receive(reply({ isResponse: false }));
    receive(reply({ opcode: 5 }));
    clock.advance(1_000);

    expect(outcomes).toEqual([]);
    expect(sent).toHaveLength(2);
  });

  it('outlives a refused datagram and not a refused connection', () => {
    const { clock, outcomes, lines } = begin();

    lines[0]?.events.failed('ECONNREFUSED');
    expect(outcomes).toEqual([]);
    clock.advance(7_000);
    lines[1]?.events.failed('ECONNRESET');

    expect(outcomes).toEqual([{ kind: 'failed', why: 'ECONNRESET' }]);
  });

  it('says nothing more once it is cancelled', () => {
    const { clock, outcomes, lines, transaction, reply, receive } = begin();

    transaction.cancel();
    receive(reply());
    clock.advance(60_000);

    expect(outcomes).toEqual([]);
    expect(lines).toMatchObject([{ isClosed: true }]);
  });
});
