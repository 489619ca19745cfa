import { describe, expect, test } from 'vitest';
import { Malformed } from '../../../src/base/fault.ts';
import { seededRandom } from '../../../src/base/random.ts';
import {
  type Command,
  commands,
  decodeCommand,
  decodeEvent,
  describeContract,
  type Event,
  encodeCommand,
  encodeEvent,
  events,
  headerSize,
} from '../../../src/datapath/contract.ts';
import { engineContract } from '../../contract/real-world.io.ts';

const random = seededRandom(20260101);

/** A message with every field set to something that only it has. */
function sample(kind: string, fields: readonly { name: string; kind: string }[]): Record<string, unknown> {
  const value = (field: string): unknown => {
    const [octet = 0, second = 0] = random(2);
    if (field === 'tail') return random(octet % 40);
    if (field === 'u64') return (BigInt(octet) << 56n) | BigInt(second);
    if (field.startsWith('bytes')) return random(Number(/\d+/.exec(field)));
    if (field.startsWith('text')) return `pptp-${octet}`;
    return { u8: octet, u16: (octet << 8) | second, u32: ((octet << 24) | second) >>> 0 }[field];
  };
  const visible = fields.filter((field) => !field.kind.startsWith('reserved'));
  return { kind, ...Object.fromEntries(visible.map((field) => [field.name, value(field.kind)])) };
}

const rowsOf = (messages: typeof commands | typeof events) =>
  Object.entries(messages).map(([kind, { layout, type }]) => ({ kind, layout, type }));

describe.each([
  [
    'a command',
    rowsOf(commands),
    (value: unknown) => encodeCommand(value as Command),
    decodeCommand,
    rowsOf(events),
  ],
  [
    'an event',
    rowsOf(events),
    (value: unknown) => encodeEvent(value as Event),
    decodeEvent,
    rowsOf(commands),
  ],
] as const)('%s', (_, messages, encode, decode, others) => {
  test.each(messages)('$kind comes back as it went', ({ kind, layout }) => {
    for (let times = 0; times < 20; times++) {
      const value = sample(kind, layout.fields);

      expect(decode(encode(value))).toEqual(value);
    }
  });

  test.each(messages)('$kind cut short anywhere before its tail is malformed', ({ kind, layout }) => {
    const whole = encode(sample(kind, layout.fields));

    for (let length = 0; length < headerSize + layout.size; length++) {
      expect(decode(whole.subarray(0, length)), `${length} octets`).toBeInstanceOf(Malformed);
    }
  });

  test('of the other direction is unknown', () => {
    for (const { kind, layout } of others) {
      const value = sample(kind, layout.fields);
      const octets = Object.hasOwn(commands, kind)
        ? encodeCommand(value as Command)
        : encodeEvent(value as Event);

      if (!messages.some((message) => message.kind === kind)) {
        expect(decode(octets), kind).toMatchObject({ code: 'CONTRACT_UNKNOWN_TYPE' });
      }
    }
  });
});

test('every message has a type of its own', () => {
  const types = [...rowsOf(commands), ...rowsOf(events)].map(({ type }) => type);

  expect(new Set(types).size).toBe(types.length);
});

test('a tail that an engine of before does not send is read as nothing', () => {
  const { layout } = events.totals;
  const whole = encodeEvent(sample('totals', layout.fields) as unknown as Event);

  const told = decodeEvent(whole.subarray(0, headerSize + layout.size));

  expect(told).toMatchObject({ kind: 'totals', workers: new Uint8Array() });
});

test('the engine describes the same contract', () => {
  expect(engineContract()).toEqual(describeContract());
});
