import { describe, expect, it } from 'vitest';
import { fromHex, toBytes, toHex } from '../../../../src/base/bytes.ts';
import type { Effects } from '../../../../src/ppp/auth/authentication.ts';
import { PapAuthenticatee, PapAuthenticator } from '../../../../src/ppp/auth/pap.ts';
import { Password } from '../../../../src/ppp/auth/password.ts';
import { encodePacket } from '../../../../src/ppp/packet.ts';
import { vectors } from './vectors.ts';

const vector = vectors('pap.txt');
const request = fromHex(vector('request'));
const claim = { name: 'jack', password: new Password('secret'), random: () => Uint8Array.of(0x2a) };

const sent = (effects: Effects): string[] =>
  effects.flatMap((effect) => (effect.do === 'send' ? [toHex(effect.bytes)] : []));
const kinds = (effects: Effects): string[] =>
  effects.map((effect) => (effect.do === 'note' ? effect.what : effect.do));

function asked(): PapAuthenticator {
  const server = new PapAuthenticator();
  server.start();
  server.received(request);
  return server;
}

describe('PAP (RFC 1334)', () => {
  it("speaks the RFC's packets, both sides", () => {
    const client = new PapAuthenticatee(claim);

    expect(sent(client.start())).toEqual([toHex(request)]);
    expect(sent(asked().verdict({ accept: true, message: 'access granted' }))).toEqual([
      toHex(fromHex(vector('ack'))),
    ]);
    expect(sent(asked().verdict({ accept: false, errorCode: 691, message: 'no' }))).toEqual([
      toHex(fromHex(vector('nak'))),
    ]);
    expect(client.received(fromHex(vector('nak'))).at(-1)).toEqual({
      do: 'failed',
      cause: 'refused',
      message: 'no',
    });
  });

  it('lets nobody in whom the authority would have asked further', () => {
    const effects = asked().verdict({ accept: undefined, eap: Uint8Array.of(1, 2, 0, 5, 4) });

    expect(effects).toMatchObject([
      { do: 'send', bytes: { 0: 3 } },
      { do: 'failed', cause: 'refused' },
    ]);
  });

  it('hands on name and password as they were sent', () => {
    const server = new PapAuthenticator();

    expect(server.received(request).at(-1)).toEqual({
      do: 'prove',
      credentials: {
        method: 'pap',
        name: 'jack',
        nameOctets: toBytes('jack'),
        password: toBytes('secret'),
      },
    });
  });

  it('makes a name fit for a log line, and keeps what was sent beside it', () => {
    const nameOctets = toBytes('a\u001b[2J\nb');
    const data = Uint8Array.of(nameOctets.length, ...nameOctets, 0);

    const effects = new PapAuthenticator().received(encodePacket({ code: 1, identifier: 1, data }));

    expect(effects.at(-1)).toMatchObject({ credentials: { name: 'a?[2J?b', nameOctets } });
  });

  it('takes a request cut at any length, in the packet or in its fields, as malformed', () => {
    const server = new PapAuthenticator();
    const { length } = request;

    for (let size = 0; size < length; size++) {
      expect(kinds(server.received(request.subarray(0, size))), `${size} octets`).toEqual(['malformed']);
      const data = request.subarray(4, Math.max(4, size));
      const shorter = encodePacket({ code: 1, identifier: 0x2a, data });
      expect(kinds(server.received(shorter)), `${data.length} octets of data`).toEqual(['malformed']);
    }
  });

  it('answers a repeated request as the first, under the identifier that the peer now uses', () => {
    const server = asked();
    const again = Uint8Array.from(request);
    again[1] = 0x2b;

    expect(kinds(server.received(again))).toEqual(['duplicate']);
    const [verdict] = sent(server.verdict({ accept: true }));
    again[1] = 0x2c;
    const [later] = sent(server.received(again));

    expect(verdict).toBe('022b000500');
    expect(later).toBe('022c000500');
  });

  it('takes an Ack without a message, as some servers send it', () => {
    const client = new PapAuthenticatee(claim);
    client.start();

    const effects = client.received(encodePacket({ code: 2, identifier: 0x2a, data: new Uint8Array() }));

    expect(kinds(effects)).toEqual(['disarm', 'done']);
  });

  it('does not take an Ack for a request that it did not send', () => {
    const client = new PapAuthenticatee(claim);
    client.start();

    const effects = client.received(encodePacket({ code: 2, identifier: 0x2b, data: Uint8Array.of(0) }));

    expect(kinds(effects)).toEqual(['unexpected']);
  });
});
