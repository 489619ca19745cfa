/**
 * EAP end to end: a peer, our link, the authority, the exchange, UDP, and a real FreeRADIUS, which alone knows the methods. What
 * is looked at is what the two ends are left with: one outcome, and the same keys crosswise.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserAuthority } from '../../src/aaa/authority.ts';
import type { Resume } from '../../src/aaa/question.ts';
import { aaaMenu, profileMenu } from '../../src/aaa/settings.ts';
import { refused, type Verdict } from '../../src/aaa/verdict.ts';
import { systemClock } from '../../src/base/clock.io.ts';
import { parseIpv4 } from '../../src/base/ip.ts';
import { silent } from '../../src/base/observe.ts';
import { systemRandom } from '../../src/base/random.io.ts';
import { Secret } from '../../src/base/secret.ts';
import { defaultsOf } from '../../src/base/setting.ts';
import type { Credentials } from '../../src/ppp/auth/credentials.ts';
import { eapProtocol } from '../../src/ppp/auth/method.ts';
import { Link, type LinkEffect } from '../../src/ppp/link.ts';
import { codes as controlCodes, decodePacket, encodePacket, type Packet } from '../../src/ppp/packet.ts';
import { lcpProtocol } from '../../src/ppp/protocol.ts';
import { attributeCodec } from '../../src/radius/codec.io.ts';
import { Exchange } from '../../src/radius/exchange.ts';
import { radiusMenu } from '../../src/radius/settings.ts';
import { openUdp } from '../../src/radius/udp.io.ts';
import { CertificateAuthority, type CertificateFiles } from './certificates.io.ts';
import { EapMd5, EapMschap2, EapPeer } from './eap-peer.io.ts';
import { EapTls, Peap } from './eap-tls.io.ts';
import { FreeRadius, hasFreeRadius } from './freeradius.io.ts';

type End = Extract<LinkEffect, { do: 'authenticated' | 'ended' }>;

interface Call {
  /** The peer's, in octets. */
  readonly mru?: number;
  /** How often each EAP frame of the peer arrives. */
  readonly copies?: number;
}

/** A peer whose LCP takes everything and asks for its MRU, and whose EAP is `eap`. */
class Peer {
  readonly #eap: EapPeer;
  readonly #mru: number;

  constructor(eap: EapPeer, mru: number) {
    this.#eap = eap;
    this.#mru = mru;
  }

  /** What it says to a frame of ours. */
  async received(protocol: number, bytes: Uint8Array): Promise<readonly [number, Uint8Array][]> {
    if (protocol === lcpProtocol) return this.#lcp(decodePacket(bytes) as Packet);
    const response = protocol === eapProtocol ? await this.#eap.received(bytes) : undefined;
    return response === undefined ? [] : [[protocol, response]];
  }

  #lcp({ code, identifier, data }: Packet): readonly [number, Uint8Array][] {
    const say = (packet: Packet): [number, Uint8Array] => [lcpProtocol, encodePacket(packet)];
    if (code === controlCodes.configureRequest) {
      const mru = Uint8Array.of(1, 4, this.#mru >> 8, this.#mru & 0xff);
      return [
        say({ code: controlCodes.configureAck, identifier, data }),
        say({ code: controlCodes.configureRequest, identifier: 1, data: mru }),
      ];
    }
    const terminates = code === controlCodes.terminateRequest;
    return terminates ? [say({ code: controlCodes.terminateAck, identifier, data })] : [];
  }
}

describe.skipIf(!hasFreeRadius)('EAP relayed to FreeRADIUS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'eap-'));
  const authority = new CertificateAuthority(directory);
  const exchange = new Exchange({
    clock: systemClock,
    random: systemRandom,
    openWire: openUdp,
    log: silent,
  });
  const users = [
    { name: 'jack', password: 'secret' },
    { name: 'anna', password: 'secret', reply: ['Port-Limit = 1'] },
  ];
  let servers: readonly FreeRadius[] = [];

  beforeAll(async () => {
    const certificate = authority.vouchFor('server', 'server');
    const tls = { ...certificate, authority: authority.files.certificate };
    servers = await Promise.all([1, 2].map(() => FreeRadius.start({ users, eap: { tls } })));
    exchange.configure(
      servers.map(({ address, authenticationPort, secret }) => ({
        ...defaultsOf(radiusMenu),
        service: ['ppp' as const],
        address,
        authenticationPort,
        secret: new Secret(secret),
        // Each is asked as often as the other.
        weight: 1,
      })),
    );
  });

  afterAll(async () => {
    exchange.close();
    await Promise.all(servers.map((server) => server.remove()));
    rmSync(directory, { recursive: true });
  });

  const userAuthority = new UserAuthority(
    {
      ask: (query, done) => exchange.ask(query, done),
      codec: attributeCodec,
      clock: systemClock,
      log: silent,
    },
    {
      secrets: new Map(),
      profiles: new Map([['default', { ...defaultsOf(profileMenu), name: 'default' }]]),
      aaa: { ...defaultsOf(aaaMenu), useRadius: true },
    },
  );

  function judge(credentials: Credentials, resume: Resume | undefined): Promise<Verdict> {
    const identity = {
      nas: { identifier: 'node1', address: parseIpv4('127.0.0.1') },
      sessionId: '00000001',
      nasPort: 1,
      nasPortId: 'pptp-1',
      peerAddress: parseIpv4('192.0.2.9') ?? 0,
      localAddress: parseIpv4('192.0.2.1') ?? 0,
      connectInfo: '',
    };
    const question = {
      credentials,
      identity,
      callerId: '192.0.2.9',
      defaultProfile: 'default',
      ...(resume && { resume }),
    };
    // The server accepts anna, and we do not: she has as many sessions as she may.
    const judged = (verdict: Verdict): Verdict =>
      verdict.accept && verdict.user === 'anna' ? refused('too-many-sessions') : verdict;
    return new Promise((answer) => userAuthority.judge(question, (verdict) => answer(judged(verdict))));
  }

  /** From LCP to the end of the Authenticate phase. */
  async function call(eap: EapPeer, { mru = 1400, copies = 1 }: Call = {}): Promise<End> {
    const peer = new Peer(eap, mru);
    const link = new Link({
      identity: 'node1',
      mru: 1450,
      fieldCompression: false,
      demand: new Set(['eap']),
      random: systemRandom,
    });
    let resume: Resume | undefined;
    const effects: LinkEffect[] = [...link.up()];
    for (let effect = effects.shift(); effect !== undefined; effect = effects.shift()) {
      if (effect.do === 'authenticated' || effect.do === 'ended') return effect;
      if (effect.do === 'authenticate') {
        const verdict = await judge(effect.credentials, resume);
        resume = verdict.accept === undefined ? verdict.resume : undefined;
        effects.push(...link.verdict(effect.attempt, verdict));
      }
      if (effect.do !== 'send') continue;
      for (const [protocol, bytes] of await peer.received(effect.protocol, effect.bytes)) {
        const times = protocol === eapProtocol ? copies : 1;
        for (let time = 0; time < times; time += 1) effects.push(...link.received(protocol, bytes));
      }
    }
    throw new Error('neither side has anything to say');
  }

  const pem = (file: string): string => readFileSync(file, 'utf8');
  const trusting = (who: CertificateAuthority) => ({ authority: pem(who.files.certificate) });
  const identityOf = ({ certificate, key }: CertificateFiles) => ({
    ...trusting(authority),
    certificate: pem(certificate),
    key: pem(key),
  });
  const jacks = authority.vouchFor('jack', 'client');

  const methods: Readonly<Record<string, (mru: number) => EapPeer>> = {
    'EAP-TLS': (mru) => new EapPeer('jack', new EapTls(identityOf(jacks), mru)),
    'EAP-MSCHAPv2': () => new EapPeer('jack', new EapMschap2('jack', 'secret', systemRandom)),
    'PEAPv0 with EAP-MSCHAPv2': (mru) => {
      const inner = new EapPeer('jack', new EapMschap2('jack', 'secret', systemRandom));
      return new EapPeer('anonymous', new Peap(trusting(authority), mru, inner));
    },
  };

  /** Requests that the servers have had of us, without those that PEAP makes of what is inside it. */
  function asked(): number {
    const requests = servers.flatMap((server) => server.requests());
    return requests.filter((request) => request.get('NAS-Port-Type') !== undefined).length;
  }

  describe.each(Object.entries(methods))('%s', (_name, peerOf) => {
    it.each([1400, 576, 128])(
      'leaves both ends the same keys, in fragments for an MRU of %s',
      async (mru) => {
        const peer = peerOf(mru);

        const end = await call(peer, { mru });

        expect(end).toMatchObject({ do: 'authenticated', method: 'eap' });
        expect(peer.outcome).toBe('success');
        expect(end.do === 'authenticated' && end.keys).toEqual({
          send: peer.keys?.receive,
          receive: peer.keys?.send,
          shortSend: peer.keys?.shortReceive,
          shortReceive: peer.keys?.shortSend,
        });
        expect(peer.keys?.send).toHaveLength(16);
        expect(Math.max(...peer.requestBytes)).toBeLessThanOrEqual(mru);
      },
    );

    it('asks a server once for each Response, when the wire doubles them all', async () => {
      const before = asked();
      const peer = peerOf(1400);

      const end = await call(peer, { copies: 2 });

      expect(end.do).toBe('authenticated');
      expect(asked() - before).toBe(peer.responseBytes.length);
    });
  });

  it('lets twenty in at once over two servers, each conversation with the one that it began with', async () => {
    const peers = Array.from({ length: 20 }, () => methods['EAP-TLS']?.(1400) as EapPeer);

    const ends = await Promise.all(peers.map((peer) => call(peer)));

    expect(ends.map((end) => end.do)).toEqual(peers.map(() => 'authenticated'));
    for (const server of servers) expect(server.requests().length).toBeGreaterThan(20);
  });

  it('lets in by MD5, without keys, and not with a wrong password', async () => {
    const right = new EapPeer('jack', new EapMd5('secret'));
    const wrong = new EapPeer('jack', new EapMd5('guess'));

    const ends = [await call(right), await call(wrong)];

    expect(ends).toEqual([
      { do: 'authenticated', method: 'eap', peerName: 'jack' },
      { do: 'ended', cause: 'authentication-failed', message: expect.any(String) },
    ]);
    expect([right.outcome, wrong.outcome]).toEqual(['success', 'failure']);
  });

  it('tells a peer Failure that the server lets in and this node does not', async () => {
    const peer = new EapPeer('anna', new EapMd5('secret'));

    const end = await call(peer);

    expect(end).toEqual({ do: 'ended', cause: 'authentication-failed', message: 'too many sessions' });
    expect(peer.outcome).toBe('failure');
  });

  it('refuses a certificate of an authority that the server does not know', async () => {
    const others = new CertificateAuthority(directory, 'other').vouchFor('mallory', 'client');
    const peer = new EapPeer('mallory', new EapTls(identityOf(others), 1400));

    const end = await call(peer);

    expect(end).toMatchObject({ do: 'ended', cause: 'authentication-failed' });
    expect(peer.outcome).toBe('failure');
  });

  it('ends when the peer does not trust the server', async () => {
    const stranger = new CertificateAuthority(directory, 'stranger');
    const peer = new EapPeer('jack', new EapTls(trusting(stranger), 1400));

    const end = await call(peer);

    expect(end).toMatchObject({ do: 'ended', cause: 'authentication-failed' });
  });
});
