import { describe, expect, it } from 'vitest';
import { emptyMessage, types } from '../../../src/dns/message.ts';
import { addressRecord } from '../../../src/dns/record.ts';
import { addressesIn, changed, judge, update } from '../../../src/dns/rrset.ts';

const [own, other, third] = [0xc0000201, 0xc0000202, 0xc0000203];
const place = { zone: 'example.net', name: 'vpn.example.net', ttlMs: 30_000, address: own };
const nobody = new Set<number>();

describe('what has to change', () => {
  it.each([
    ['is added if it is wanted and missing', [other], true, [], { add: [own], remove: [] }],
    ['is left alone if it is wanted and there', [own, other], true, [], undefined],
    [
      'is taken away if it is not wanted',
      [own, other],
      false,
      [],
      { add: [], remove: [own], provided: [own, other] },
    ],
    ['is left alone if it is not wanted and not there', [other], false, [], undefined],
    ['stays if it is not wanted and the last', [own], false, [], undefined],
    ['stays if only the dead stand beside it', [own, other], false, [other], { add: [], remove: [other] }],
    ['stands in where nobody is', [], false, [], { add: [own], remove: [] }],
    ['stands in for the dead', [other], false, [other], { add: [own], remove: [other] }],
    [
      'goes with the dead if somebody lives',
      [own, other, third],
      false,
      [other],
      { add: [], remove: [own, other], provided: [own, other, third] },
    ],
    ['buries the dead', [own, other, third], true, [third, other], { add: [], remove: [other, third] }],
    ['knows better than who takes us for dead', [own], true, [own], undefined],
  ] as const)('our address %s', (_, present, isWanted, dead, change) => {
    expect(judge(present, place, isWanted, new Set(dead))).toEqual(change);
  });

  it('leaves nothing to change', () => {
    const sets = [[], [own], [other], [own, other], [own, other, third]];
    const verdicts = sets.flatMap((present) =>
      sets.flatMap((dead) =>
        [true, false].map((isWanted) => {
          const change = judge(present, place, isWanted, new Set(dead));
          const after = change === undefined ? present : changed(present, change);
          expect(after.length).toBeGreaterThan(0);
          return judge(after, place, isWanted, new Set(dead));
        }),
      ),
    );

    expect(verdicts.filter((verdict) => verdict !== undefined)).toEqual([]);
  });
});

describe('an update', () => {
  it('says what must be there, what goes and what comes', () => {
    const said = update({ add: [own], remove: [other], provided: [other, third] }, place);

    expect(said).toMatchObject({
      opcode: 5,
      questions: [{ name: 'example.net', type: types.soa, class: 1 }],
      answers: [
        { class: 1, ttl: 0 },
        { class: 1, ttl: 0 },
      ],
      authorities: [
        { name: 'vpn.example.net', type: types.a, class: 254, ttl: 0 },
        { name: 'vpn.example.net', type: types.a, class: 1, ttl: 30 },
      ],
    });
  });
});

describe('the reply to a look', () => {
  const reply = (rcode: number, ...answers: ReturnType<typeof addressRecord>[]) => ({
    ...emptyMessage(1, 0),
    rcode,
    answers: answers.map((record) => ({ ...record, at: 0 })),
  });
  const read = (message: ReturnType<typeof reply>) =>
    addressesIn({ ...message, authorities: [], additionals: [] }, place);

  it('is the addresses of that name', () => {
    const answers = [addressRecord('VPN.example.net', 30, own), addressRecord('x.example.net', 30, other)];

    expect(read(reply(0, ...answers))).toEqual([own]);
  });

  it('is none if there is no such name', () => {
    expect(read(reply(3))).toEqual([]);
    expect(judge([], place, true, nobody)).toEqual({ add: [own], remove: [] });
  });

  it('is a failure if it is refused, or if the name is another name', () => {
    expect(read(reply(5))).toBe('REFUSED');
    expect(read(reply(77))).toBe('RCODE 77');
    expect(read(reply(0, { ...addressRecord('vpn.example.net', 30, own), type: types.cname }))).toBe('alias');
  });
});
