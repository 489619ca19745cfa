/** The laws of a bundle, with a peer made by hand: pppd, RouterOS and Windows as the reference describes them. */

import { describe, expect, it } from 'vitest';
import { parseIpv4 } from '../../../src/base/ip.ts';
import { below, seededRandom } from '../../../src/base/random.ts';
import type { MppeBits } from '../../../src/ppp/auth/mppe-keys.ts';
import { Bundle, type BundleEffect, type BundleSettings } from '../../../src/ppp/bundle.ts';
import { note } from '../../../src/ppp/effect.ts';
import type { IpcpSettings } from '../../../src/ppp/ipcp/options.ts';
import { bcpProtocol, ccpProtocol, ipcpProtocol } from '../../../src/ppp/protocol.ts';
import { packet, sent, those } from './peer.ts';

const ipv4 = (text: string): number => parseIpv4(text) ?? 0;

const serverSide: IpcpSettings = {
  local: ipv4('10.0.0.1'),
  remote: ipv4('10.0.0.2'),
  dns: [ipv4('10.0.0.53')],
  wins: [],
  askDns: false,
};

const clientSide: IpcpSettings = { local: undefined, remote: undefined, dns: [], wins: [], askDns: true };

/** One strength, which leaves nothing to bargain over; `several` is for the laws of the bargain. */
const single: ReadonlySet<MppeBits> = new Set([128]);
const several = { strengths: new Set<MppeBits>([128, 56, 40]) };

function bundleOf(settings: Partial<BundleSettings>) {
  const bundle = new Bundle({
    encryption: 'yes',
    strengths: single,
    stateful: 'never',
    keysAvailable: true,
    addresses: serverSide,
    ...settings,
  });
  return {
    bundle,
    ccp: (text: string) => bundle.received(ccpProtocol, packet(text)),
    ipcp: (text: string) => bundle.received(ipcpProtocol, packet(text)),
  };
}

function begun(settings: Partial<BundleSettings> = {}) {
  const made = bundleOf(settings);
  return { ...made, first: made.bundle.up() };
}

/** CCP is open with 128 bits, stateless. */
function encrypted(settings: Partial<BundleSettings> = {}) {
  const made = begun(settings);
  made.ccp(`Configure-Request 9 ${mppe128}`);
  return { ...made, opening: made.ccp(`Configure-Ack 1 ${mppe128}`) };
}

/** The network is up. */
function up(settings: Partial<BundleSettings> = {}) {
  const made = encrypted(settings);
  made.ipcp(`Configure-Request 5 ${address2}`);
  const effects = made.ipcp(`Configure-Ack 1 ${address1}`);
  expect(those(effects, 'network-up')).toHaveLength(1);
  return made;
}

const verbs = (effects: readonly BundleEffect[]) => effects.map((effect) => effect.do);

const list = '1206010000e0';
const mppe128 = '120601000040';
const mppe56 = '120601000080';
const mppe40 = '120601000020';
const stateful128 = '120600000040';
const none = '030600000000';
const address1 = '03060a000001';
const address2 = '03060a000002';

describe('IPCP beside CCP', () => {
  it('begins with CCP alone', () => {
    expect(sent(begun().first)).toEqual([`CCP Configure-Request 1 ${mppe128}`]);
    expect(sent(begun(several).first)).toEqual([`CCP Configure-Request 1 ${list}`]);
  });

  it('holds the request that a client pipelines, and answers it with its own the moment CCP opens', () => {
    const { ccp, ipcp } = begun({ encryption: 'required' });
    ccp(`Configure-Request 9 ${mppe128}`);

    expect(ipcp(`Configure-Request 5 ${none}`)).toEqual([{ do: 'note', what: 'held' }]);
    expect(ipcp(`Configure-Request 6 ${none}`)).toEqual([{ do: 'note', what: 'held' }]);
    expect(sent(ccp(`Configure-Ack 1 ${mppe128}`))).toEqual([
      `IPCP Configure-Request 1 ${address1}`,
      `IPCP Configure-Nak 6 ${address2}`,
    ]);
  });

  it('never answers IPCP with a Terminate-Ack while CCP is pending', () => {
    const { ipcp } = begun();
    const all = ['Configure-Ack 1', 'Terminate-Request 2', 'Terminate-Ack 3', 'Echo-Request 4'];

    expect(all.flatMap((text) => sent(ipcp(text)))).toEqual([]);
  });

  it('sends its IPCP request again when CCP opens again and the peer was not ready before', () => {
    const { ccp, ipcp } = encrypted({ encryption: 'required' });
    ipcp('Terminate-Ack 1');
    const again = ccp(`Configure-Request 10 ${mppe128}`);
    expect(sent(again)[0]).toBe(`CCP Configure-Request 2 ${mppe128}`);

    expect(sent(ccp(`Configure-Ack 2 ${mppe128}`))).toEqual([`IPCP Configure-Request 1 ${address1}`]);
  });

  it('is up with both addresses and the cipher', () => {
    const { ipcp } = encrypted();
    ipcp(`Configure-Request 5 ${address2}`);

    expect(those(ipcp(`Configure-Ack 1 ${address1}`), 'network-up')).toEqual([
      {
        do: 'network-up',
        local: serverSide.local,
        remote: serverSide.remote,
        dns: [],
        mppe: { bits: 128, stateless: true },
      },
    ]);
  });

  it('fails when the peer will have no IPv4', () => {
    const { bundle, ipcp } = encrypted();
    expect(those(bundle.protocolRejected(ipcpProtocol), 'failed')).toEqual([
      { do: 'failed', cause: 'ipcp-failed' },
    ]);
    expect(ipcp('Configure-Request 1')).toEqual([{ do: 'note', what: 'dead' }]);
  });

  it('fails when IPCP is never answered', () => {
    const { bundle } = encrypted();
    const effects = Array.from({ length: 10 }, () => [...bundle.expired('ipcp')]).flat();

    expect(those(effects, 'failed')).toEqual([{ do: 'failed', cause: 'ipcp-timeout' }]);
  });

  it('ends when the peer terminates IPCP', () => {
    const { bundle, ipcp } = up();

    expect(verbs(ipcp('Terminate-Request 8'))).toContain('network-down');
    expect(those(bundle.expired('ipcp'), 'failed')).toEqual([{ do: 'failed', cause: 'peer-terminated' }]);
  });

  it('hands IPV6CP back to be rejected, whatever it says, and stays up', () => {
    const { bundle } = up();
    const bytes = packet('Terminate-Request 1');

    expect(bundle.received(0x8057, bytes)).toEqual([{ do: 'protocol-reject', protocol: 0x8057, bytes }]);
  });
});

describe('the keys', () => {
  it('come in order when the peer opens first: receive keys, Ack, transmit keys', () => {
    const { ccp } = begun();
    ccp(`Configure-Ack 1 ${mppe128}`);

    const effects = verbs(ccp(`Configure-Request 9 ${mppe128}`));

    expect(effects.filter((verb) => /keys|send/.test(verb)).slice(0, 3)).toEqual([
      'receive-keys',
      'send',
      'transmit-keys',
    ]);
  });

  it('come in order when we open last: receive keys with our Ack, transmit keys with the Ack of the peer', () => {
    const { ccp } = begun();

    expect(verbs(ccp(`Configure-Request 9 ${mppe128}`))).toEqual(['receive-keys', 'send']);
    expect(those(ccp(`Configure-Ack 1 ${mppe128}`), 'transmit-keys')).toEqual([
      { do: 'transmit-keys', mppe: { bits: 128, stateless: true } },
    ]);
  });

  it('are not set again for a copy of the request: the engine is already counting packets', () => {
    const { ccp } = begun();
    ccp(`Configure-Request 9 ${mppe128}`);

    expect(verbs(ccp(`Configure-Request 9 ${mppe128}`))).toEqual(['send']);
    expect(verbs(ccp(`Configure-Request 10 ${mppe128}`))).toEqual(['receive-keys', 'send']);
  });

  it('are not risked by a hasty second request: pppd hangs up on one that finds CCP open', () => {
    const { first } = begun();

    expect(those(first, 'arm')).toEqual([{ do: 'arm', timer: 'ccp', delayMs: 3_000 }]);
  });

  it('go with the bundle', () => {
    const { bundle } = up();

    expect(verbs(bundle.down()).filter((verb) => verb !== 'disarm')).toEqual([
      'network-down',
      'transmit-keys',
      'receive-keys',
    ]);
    expect(bundle.down()).toEqual([]);
  });

  it('go and come again when the peer negotiates CCP anew; the network waits if encryption is required', () => {
    const { ccp } = up({ encryption: 'required' });

    const effects = ccp(`Configure-Request 10 ${mppe128}`);
    const back = ccp(`Configure-Ack 2 ${mppe128}`);

    expect(verbs(effects)).toEqual([
      'transmit-keys',
      'receive-keys',
      'network-down',
      'send',
      'arm',
      'receive-keys',
      'send',
    ]);
    expect(verbs(back)).toEqual(['disarm', 'transmit-keys', 'network-up']);
  });

  it('start afresh when the peer asks, before it is told so', () => {
    const effects = up().ccp('Reset-Request 3');
    expect(verbs(effects)).toEqual(['note', 'reset-transmit', 'send']);
    expect(effects[0]).toEqual(note('reset-performed'));
    expect(begun().ccp('Reset-Request 3')).toEqual([]);
  });

  it('are asked for afresh when the engine lost its place', () => {
    const effects = up().bundle.cipherLost();
    expect(sent(effects)).toEqual(['CCP Reset-Request 1']);
    expect(effects).toContainEqual(note('reset-requested'));
    expect(begun().bundle.cipherLost()).toEqual([]);
  });
});

describe('the one strongest choice', () => {
  it('answers several strengths, as Windows and pppd propose them', () => {
    const { ccp } = begun(several);

    expect(sent(ccp('Configure-Request 9 1206010000e1'))).toEqual([`CCP Configure-Nak 9 ${mppe128}`]);
    expect(sent(ccp(`Configure-Request 10 ${mppe128}`))).toEqual([`CCP Configure-Ack 10 ${mppe128}`]);
  });

  it.each([
    ['no option at all', ''],
    ['no bit at all', '120600000000'],
    ['MPPC alone', '120600000001'],
  ])('answers %s', (_what, options) => {
    expect(sent(begun(several).ccp(`Configure-Request 9 ${options}`.trim()))).toEqual([
      `CCP Configure-Nak 9 ${mppe128}`,
    ]);
  });

  it('gives way to a single weaker strength that is allowed, because pppd would not bargain', () => {
    const { ccp } = begun(several);

    expect(sent(ccp(`Configure-Request 9 ${mppe40}`))).toEqual([`CCP Configure-Ack 9 ${mppe40}`]);
    expect(sent(ccp(`Configure-Reject 1 ${list}`))).toEqual([`CCP Configure-Request 2 ${mppe40}`]);
  });

  it('tries the next strength when the peer rejects one', () => {
    const { ccp } = begun({ ...several, encryption: 'required' });

    expect(sent(ccp(`Configure-Nak 1 ${mppe128}`))).toEqual([`CCP Configure-Request 2 ${mppe128}`]);
    expect(sent(ccp(`Configure-Reject 2 ${mppe128}`))).toEqual([`CCP Configure-Request 3 ${mppe56}`]);
    expect(sent(ccp(`Configure-Nak 3 ${mppe40}`))).toEqual([`CCP Configure-Request 4 ${mppe40}`]);
  });

  it('does not take a strength that is not allowed', () => {
    const { ccp } = begun();

    expect(sent(ccp(`Configure-Request 9 ${mppe40}`))).toEqual([`CCP Configure-Nak 9 ${mppe128}`]);
  });

  it('is made again with the weaker when the two directions came out different', () => {
    const { ccp } = begun(several);
    ccp(`Configure-Nak 1 ${mppe128}`);
    ccp(`Configure-Ack 2 ${mppe128}`);

    const effects = ccp(`Configure-Request 9 ${mppe40}`);

    expect(verbs(effects)).not.toContain('transmit-keys');
    expect(sent(effects)).toEqual([`CCP Configure-Ack 9 ${mppe40}`, `CCP Configure-Request 3 ${mppe40}`]);
  });

  it('is stateless, and stateful only for a peer that insists where that is allowed', () => {
    const strict = begun(several);
    const lenient = begun({ ...several, stateful: 'allowed' });
    for (let id = 1; id <= 2; id += 1) {
      for (const { ccp } of [strict, lenient]) {
        expect(sent(ccp(`Configure-Request ${id} ${stateful128}`))).toEqual([
          `CCP Configure-Nak ${id} ${mppe128}`,
        ]);
      }
    }

    expect(sent(lenient.ccp(`Configure-Request 3 ${stateful128}`))).toEqual([
      `CCP Configure-Ack 3 ${stateful128}`,
    ]);
    expect(sent(strict.ccp(`Configure-Request 3 ${stateful128}`))).toEqual([
      `CCP Configure-Nak 3 ${mppe128}`,
    ]);
  });

  it('leaves Deflate and BSD-Compress out', () => {
    expect(sent(begun().ccp('Configure-Request 9 1a047800 15032f'))).toEqual([
      'CCP Configure-Reject 9 1a04780015032f',
    ]);
  });
});

describe('a peer that does not encrypt', () => {
  const waysToSayNo: readonly [string, (made: ReturnType<typeof begun>) => readonly BundleEffect[]][] = [
    ['rejects the protocol', ({ bundle }) => bundle.protocolRejected(ccpProtocol)],
    ['terminates CCP', ({ ccp }) => ccp('Terminate-Request 4')],
    [
      'rejects every strength',
      ({ ccp }) => {
        ccp(`Configure-Reject 1 ${list}`);
        ccp(`Configure-Reject 2 ${mppe128}`);
        ccp(`Configure-Reject 3 ${mppe56}`);
        return ccp(`Configure-Reject 4 ${mppe40}`);
      },
    ],
    [
      'answers with Terminate-Ack twice',
      ({ ccp }) => {
        expect(verbs(ccp('Terminate-Ack 1'))).toEqual([]);
        return ccp('Terminate-Ack 1');
      },
    ],
  ];

  it.each(waysToSayNo)('gets IPCP at once if encryption is not required: %s', (_what, sayNo) => {
    const effects = sayNo(begun(several));

    expect(sent(effects).at(-1)).toBe(`IPCP Configure-Request 1 ${address1}`);
  });

  it.each(waysToSayNo)('is let go if it is: %s', (_what, sayNo) => {
    const effects = sayNo(begun({ ...several, encryption: 'required' }));

    expect(effects.at(-1)).toEqual({ do: 'failed', cause: 'encryption-refused' });
  });

  it('gets a short grace if it asks for IPCP and is silent on CCP', () => {
    const { bundle, ipcp } = begun();

    expect(those(ipcp(`Configure-Request 5 ${address2}`), 'arm').map(({ timer }) => timer)).toEqual([
      'ccp-grace',
    ]);
    expect(sent(bundle.expired('ccp-grace')).slice(-2)).toEqual([
      `IPCP Configure-Request 1 ${address1}`,
      `IPCP Configure-Ack 5 ${address2}`,
    ]);
  });

  it('has all of CCP’s time once it has said anything about CCP', () => {
    const { ccp, ipcp } = begun();
    ipcp(`Configure-Request 5 ${address2}`);

    expect(verbs(ccp('Configure-Request 9'))).toContain('disarm');
    expect(verbs(ipcp(`Configure-Request 6 ${address2}`))).toEqual(['note']);
  });

  it('is let go when it never answers and encryption is required', () => {
    const { bundle } = begun({ encryption: 'required' });
    const effects = Array.from({ length: 10 }, () => [...bundle.expired('ccp')]).flat();

    expect(effects.at(-1)).toEqual({ do: 'failed', cause: 'encryption-timeout' });
  });

  it('loses a session that requires encryption when it terminates CCP later', () => {
    const effects = up({ encryption: 'required' }).ccp('Terminate-Request 4');

    expect(verbs(effects)).toContain('network-down');
    expect(effects.at(-1)).toEqual({ do: 'failed', cause: 'encryption-refused' });
  });

  it('keeps one that does not, in clear', () => {
    const { bundle, ccp } = up();

    const effects = ccp('Terminate-Request 4');

    expect(verbs(effects)).not.toContain('failed');
    expect(bundle.mppe).toBeUndefined();
  });
});

describe('no encryption of ours', () => {
  it.each([
    ['it is not wanted', { encryption: 'no' }],
    ['there are no keys', { keysAvailable: false }],
  ] as const)('begins with IPCP and has CCP rejected when %s', (_why, settings) => {
    const { first, ccp } = begun(settings);

    expect(sent(first)).toEqual([`IPCP Configure-Request 1 ${address1}`]);
    expect(verbs(ccp('Configure-Request 1'))).toEqual(['protocol-reject']);
  });

  it('fails at once when it is required and there are no keys', () => {
    expect(begun({ encryption: 'required', keysAvailable: false }).first).toEqual([
      { do: 'failed', cause: 'encryption-unavailable' },
    ]);
  });
});

describe('addresses', () => {
  const clear = { encryption: 'no' } as const;

  it('answers Windows in two rounds: unset servers rejected, then the address and DNS naked', () => {
    const { ipcp } = begun(clear);
    const [dns1, wins1, dns2, wins2] = ['8106', '8206', '8306', '8406'].map((head) => `${head}00000000`);

    expect(sent(ipcp(`Configure-Request 5 ${none} ${dns1} ${wins1} ${dns2} ${wins2}`))).toEqual([
      `IPCP Configure-Reject 5 ${wins1}${dns2}${wins2}`,
    ]);
    expect(sent(ipcp(`Configure-Request 6 ${none} ${dns1}`))).toEqual([
      `IPCP Configure-Nak 6 ${address2}81060a000035`,
    ]);
    expect(sent(ipcp(`Configure-Request 7 ${address2} 81060a000035`))).toEqual([
      `IPCP Configure-Ack 7 ${address2}81060a000035`,
    ]);
  });

  it('rejects Van Jacobson compression and the old IP-Addresses', () => {
    const { ipcp } = begun(clear);

    expect(sent(ipcp(`Configure-Request 5 0206002d0f01 010a0000000000000000 ${address2}`))).toEqual([
      'IPCP Configure-Reject 5 0206002d0f01010a0000000000000000',
    ]);
  });

  it('does not give up its own address for one that the peer would like', () => {
    const { ipcp } = begun(clear);

    expect(sent(ipcp('Configure-Nak 1 0306c0a80001'))).toEqual([`IPCP Configure-Request 2 ${address1}`]);
  });

  it('takes what a server gives, and its DNS', () => {
    const { first, ipcp } = begun({ ...clear, addresses: clientSide });
    expect(sent(first)).toEqual([`IPCP Configure-Request 1 ${none}810600000000830600000000`]);

    ipcp('Configure-Reject 1 830600000000');
    ipcp(`Configure-Nak 2 ${address2} 81060a000035`);
    ipcp(`Configure-Request 1 ${address1}`);
    const effects = ipcp(`Configure-Ack 3 ${address2} 81060a000035`);

    expect(those(effects, 'network-up')).toEqual([
      {
        do: 'network-up',
        local: ipv4('10.0.0.2'),
        remote: ipv4('10.0.0.1'),
        dns: [ipv4('10.0.0.53')],
        mppe: undefined,
      },
    ]);
  });

  it('fails when the address that was configured is overruled: both ends would route another one', () => {
    const { bundle, ipcp } = begun({
      ...clear,
      addresses: { ...clientSide, local: ipv4('10.0.0.9'), askDns: false },
    });
    ipcp(`Configure-Nak 1 ${address2}`);
    ipcp('Configure-Reject 2 03060a000009');
    ipcp(`Configure-Request 1 ${address1}`);
    const effects = [ipcp('Configure-Ack 3'), bundle.expired('ipcp'), bundle.expired('ipcp')].flat();

    expect(those(effects, 'network-up')).toEqual([]);
    expect(effects.at(-1)).toEqual({ do: 'failed', cause: 'ipcp-failed' });
  });

  it('fails as a client that was given none', () => {
    const { bundle, ipcp } = begun({ ...clear, addresses: { ...clientSide, askDns: false } });
    ipcp(`Configure-Reject 1 ${none}`);
    ipcp(`Configure-Request 1 ${address1}`);
    const effects = [ipcp('Configure-Ack 2'), bundle.expired('ipcp'), bundle.expired('ipcp')].flat();

    expect(those(effects, 'network-up')).toEqual([]);
    expect(effects.at(-1)).toEqual({ do: 'failed', cause: 'ipcp-failed' });
  });
});

describe('any bundle', () => {
  it('answers noise within bounds and never throws, in 300 runs of 100 frames', () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const random = seededRandom(seed);
      const encryption = seed % 2 === 0 ? 'yes' : 'required';
      const { bundle } = begun({ ...several, encryption, stateful: 'allowed', bridging: true });
      for (let frame = 0; frame < 100; frame += 1) {
        const bytes = random(below(random, 24));
        if (bytes.length > 4) bytes.set([below(random, 16), below(random, 3), 0, bytes.length]);
        const protocol = [ccpProtocol, ipcpProtocol, bcpProtocol][below(random, 3)] ?? 0;
        expect(bundle.received(protocol, bytes).length, `seed ${seed}`).toBeLessThan(16);
      }
    }
  });
});
