import { describe, expect, it } from 'vitest';
import { formatRateLimit, parseRateLimit, rateLimitKind, steadyRates } from '../../../src/aaa/rate-limit.ts';
import { profileMenu } from '../../../src/aaa/settings.ts';
import { Refusal } from '../../../src/base/setting.ts';

const rate = (limit: number, burst = limit, threshold = limit, burstTimeMs = 1000) => ({
  limit,
  burst,
  threshold,
  burstTimeMs,
});

const both = (one: ReturnType<typeof rate>, other = one) => ({ receive: one, transmit: other });

describe('a rate limit', () => {
  it.each([
    // The manual's examples.
    ['128k', both(rate(128_000)), '128k/128k'],
    ['64k/128M', both(rate(64_000), rate(128_000_000)), '64k/128M'],
    ['64k 256k', both(rate(64_000, 256_000)), '64k/64k 256k/256k'],
    [
      '64k/64k 256k/256k 128k/128k 10/10',
      both(rate(64_000, 256_000, 128_000, 10_000)),
      '64k/64k 256k/256k 128k/128k 10/10',
    ],
    // Seen in the wild.
    [
      '512000/512000 0/0 0/0 0/0 0 512000/512000',
      { ...both(rate(512_000)), minimum: { receive: 512_000, transmit: 512_000 } },
      '512k/512k 0/0 0/0 0/0 0 512k/512k',
    ],
    [
      '384k/1536k 0/0 0/0 0/0 96k/384k',
      // The priority is left out.
      { ...both(rate(384_000), rate(1_536_000)), minimum: { receive: 96_000, transmit: 384_000 } },
      '384k/1536k 0/0 0/0 0/0 0 96k/384k',
    ],
    // Each place, with what is not said of the other direction.
    ['0', both(rate(0)), '0/0'],
    ['1G', both(rate(1e9)), '1G/1G'],
    ['1500', both(rate(1500)), '1500/1500'],
    ['10m/2K', both(rate(10e6), rate(2000)), '10M/2k'],
    ['1M/2M 4M', both(rate(1e6, 4e6), rate(2e6, 4e6)), '1M/2M 4M/4M'],
    ['1M/2M 0/4M', both(rate(1e6), rate(2e6, 4e6)), '1M/2M 0/4M'],
    ['1M 2M 1500k', both(rate(1e6, 2e6, 1.5e6)), '1M/1M 2M/2M 1500k/1500k'],
    ['1M 2M 0 8', both(rate(1e6, 2e6, 1e6, 8000)), '1M/1M 2M/2M 0/0 8/8'],
    ['1M 2M 1M 8/1m', both(rate(1e6, 2e6, 1e6, 8000), rate(1e6, 2e6, 1e6, 60_000)), '1M/1M 2M/2M 0/0 8/60'],
    ['1M 2M 1M 1500ms', both(rate(1e6, 2e6, 1e6, 1500)), '1M/1M 2M/2M 0/0 1s500ms/1s500ms'],
    ['1M 0 0 0 8', { ...both(rate(1e6)), priority: 8 }, '1M/1M 0/0 0/0 0/0 8'],
    [
      '1M/2M 4M/4M 1M/1M 5/5 1 500k/1M',
      {
        ...both(rate(1e6, 4e6, 1e6, 5000), rate(2e6, 4e6, 1e6, 5000)),
        priority: 1,
        minimum: { receive: 500_000, transmit: 1e6 },
      },
      '1M/2M 4M/4M 0/1M 5/5 1 500k/1M',
    ],
    // A burst that is not above the limit is none, and there is nothing above no limit.
    ['2M 1M', both(rate(2e6)), '2M/2M'],
    ['0/1M 5M', both(rate(0), rate(1e6, 5e6)), '0/1M 0/5M'],
    ['  1M   2M ', both(rate(1e6, 2e6)), '1M/1M 2M/2M'],
    [
      '0 0 0 0 0 1M',
      { ...both(rate(0)), minimum: { receive: 1e6, transmit: 1e6 } },
      '0/0 0/0 0/0 0/0 0 1M/1M',
    ],
  ] as const)('%j is read and printed', (text, rates, printed) => {
    expect(parseRateLimit(text)).toEqual(rates);
    expect(formatRateLimit(rates)).toBe(printed);
    expect(parseRateLimit(printed)).toEqual(rates);
  });

  it.each([
    ...['', ' ', '/', '1M/', '/1M', '1M/1M/1M', '1.5M', '-1', '1T', 'k', '1 M', '1kk', 'fast', '0x10'],
    ...[
      '2000G',
      '99999999999999',
      '1M x',
      '1M 2M x',
      '1M 2M 1M x',
      '1M 2M 1M 2h',
      '1M 0 0 0 9',
      '1M 0 0 0 x',
    ],
    ...['1M 0 0 0 1M/1M 8', '1M 0 0 0 8 2M', '1M/3M 0 0 0 8 1M/4M', '1M 0 0 0 8 1M 1M'],
  ])('%j is none', (text) => {
    expect(parseRateLimit(text)).toBeUndefined();
  });

  it('of both directions without bursts has none', () => {
    expect(steadyRates(1000, 0)).toEqual(both(rate(1000), rate(0)));
  });
});

describe('rate-limit of a profile', () => {
  const { kind, default: byDefault } = profileMenu.rows.rateLimit;

  it('is none unless said, and can be taken away', () => {
    expect(byDefault).toBeUndefined();
    expect(kind.parse('')).toBeUndefined();
    expect(kind.format(undefined)).toBe('');
    expect(kind.optional).toBe(true);
  });

  it("refuses in RouterOS's words", () => {
    const refusal = rateLimitKind.parse('2M/fast');

    expect(refusal instanceof Refusal && refusal.wording('rate-limit')).toBe(
      'invalid value for argument rate-limit',
    );
  });
});
