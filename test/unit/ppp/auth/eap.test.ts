/** The laws of the relaying authenticator, packet by packet. Whole conversations are conversation.test.ts's. */

import { beforeEach, describe, expect, it } from 'vitest';
import { fromHex, toBytes, toHex } from '../../../../src/base/bytes.ts';
import { below, seededRandom } from '../../../../src/base/random.ts';
import type { Effects } from '../../../../src/ppp/auth/authentication.ts';
import type { Answer } from '../../../../src/ppp/auth/credentials.ts';
import { EapAuthenticator } from '../../../../src/ppp/auth/eap.ts';
import { eapProtocol } from '../../../../src/ppp/auth/method.ts';
import { eap } from './eap-peer.ts';
import { vectors } from './vectors.ts';

const vector = vectors('eap.txt');
const octets = (name: string): Uint8Array => fromHex(vector(name));
const hex = (name: string): string => toHex(octets(name));

const request: Answer = { accept: undefined, eap: octets('md5-request') };
const refusal: Answer = { accept: false, errorCode: 691, message: 'no' };
const mru = 576;

const sent = (effects: Effects): string[] =>
  effects.flatMap((effect) => (effect.do === 'send' ? [toHex(effect.bytes)] : []));
const kinds = (effects: Effects): string[] =>
  effects.map((effect) => (effect.do === 'note' ? effect.what : effect.do));

describe('EAP (RFC 3748), relayed', () => {
  let server: EapAuthenticator;
  beforeEach(() => {
    server = new EapAuthenticator(mru, () => Uint8Array.of(0x2a));
    server.start();
  });

  /** The peer has said who it is and waits for the first Request of the server. */
  const named = (): Effects => server.received(octets('identity-response'));
  /** The server has asked. */
  const asked = (): Effects => {
    named();
    return server.verdict(request);
  };
  /** The peer has answered, and the server is to judge. */
  const answered = (): Effects => {
    asked();
    return server.received(octets('md5-response'));
  };

  it("speaks the RFC's packets", () => {
    const start = new EapAuthenticator(mru, () => Uint8Array.of(0x2a)).start();

    expect(start).toEqual([
      { do: 'send', protocol: eapProtocol, bytes: octets('identity-request') },
      { do: 'arm', timer: 'authenticator', delayMs: 3000 },
    ]);
    expect(asked()).toEqual([
      { do: 'send', protocol: eapProtocol, bytes: octets('md5-request') },
      { do: 'arm', timer: 'authenticator', delayMs: 3000 },
    ]);
    server.received(octets('md5-response'));
    expect(server.verdict({ accept: true })).toEqual([
      { do: 'send', protocol: eapProtocol, bytes: octets('success') },
      { do: 'done', method: 'eap', peerName: 'jack' },
    ]);
  });

  it('hands out every Response as it came, with the name and the size of what may come back', () => {
    const claim = { method: 'eap', name: 'jack', nameOctets: toBytes('jack'), mtu: mru - 10 };

    expect(named().at(-1)).toEqual({
      do: 'prove',
      credentials: { ...claim, packet: octets('identity-response') },
    });
    server.verdict(request);
    expect(server.received(octets('md5-response')).at(-1)).toEqual({
      do: 'prove',
      credentials: { ...claim, packet: octets('md5-response') },
    });
  });

  it('passes the keys on', () => {
    const key = new Uint8Array(16).fill(7);
    const mppeKeys = { send: key, receive: key, shortSend: key, shortReceive: key };
    answered();

    expect(server.verdict({ accept: true, mppeKeys }).at(-1)).toMatchObject({ do: 'done', keys: mppeKeys });
  });

  it('takes a Nak for an answer, to a Request that proves something', () => {
    asked();

    expect(kinds(server.received(octets('nak-response')))).toEqual(['disarm', 'prove']);
  });

  it.each([
    ['another identifier', eap(2, 0x2b, 1, 0x6a)],
    ['another type', eap(2, 0x2a, 4, 0)],
    ['a Nak, which nobody may say to Identity', eap(2, 0x2a, 3, 13)],
  ])('is not moved by a Response to Identity with %s', (_what, response) => {
    expect(kinds(server.received(response))).toEqual(['unexpected']);
    expect(kinds(named())).toEqual(['disarm', 'prove']);
  });

  it.each(['identity-response', 'md5-response', 'nak-response'])(
    'takes %s cut at any length as malformed, and stays',
    (name) => {
      if (name !== 'identity-response') asked();
      const whole = octets(name);

      for (let size = 0; size < whole.length; size++) {
        expect(kinds(server.received(whole.subarray(0, size))), `${size} octets`).toEqual(['malformed']);
      }
      expect(kinds(server.received(whole))).toEqual(['disarm', 'prove']);
    },
  );

  it('takes a Response without a type as malformed', () => {
    expect(kinds(server.received(eap(2, 0x2a)))).toEqual(['malformed']);
  });

  it('ignores padding behind the packet, and does not hand it out', () => {
    const effects = server.received(fromHex(`${vector('identity-response')} 000000`));

    expect(effects.at(-1)).toMatchObject({ credentials: { packet: octets('identity-response') } });
  });

  it.each([1, 3, 4, 5])("does not mind a frame with code %s, which is not a peer's", (code) => {
    expect(server.received(eap(code, 0x2a, 1))).toEqual([]);
  });

  it('makes a name fit for a log line, and keeps what was sent beside it', () => {
    const nameOctets = toBytes('a\u001b[2J\nb');

    const effects = server.received(eap(2, 0x2a, 1, nameOctets));

    expect(effects.at(-1)).toMatchObject({ credentials: { name: 'a?[2J?b', nameOctets } });
  });

  it('takes an empty name', () => {
    expect(server.received(eap(2, 0x2a, 1)).at(-1)).toMatchObject({ credentials: { name: '' } });
  });

  it('sends its Request again, octet by octet, and gives up after ten', () => {
    const tries = Array.from({ length: 9 }, () => sent(server.expired()));

    expect(new Set(tries.flat())).toEqual(new Set([hex('identity-request')]));
    expect(kinds(server.expired())).toEqual(['failed']);
    expect(kinds(named())).toEqual(['unexpected']);
    expect(server.expired()).toEqual([]);
  });

  it("sends the server's Request again as well, ten times anew", () => {
    server.expired();
    asked();
    const tries = Array.from({ length: 9 }, () => sent(server.expired()));

    expect(new Set(tries.flat())).toEqual(new Set([hex('md5-request')]));
    expect(server.expired()).toMatchObject([{ do: 'failed', cause: 'silent' }]);
  });

  it('has no timer while the server thinks', () => {
    expect(kinds(named())).toEqual(['disarm', 'prove']);
    expect(server.expired()).toEqual([]);
  });

  it('asks about a Response once, however often it comes', () => {
    named();
    expect(kinds(named())).toEqual(['duplicate']);
    server.verdict(request);
    // The copy answers what has been answered; the Request that is out has its own timer.
    expect(kinds(named())).toEqual(['duplicate']);
    expect(kinds(server.received(octets('md5-response')))).toEqual(['disarm', 'prove']);
  });

  it('says its last word again to who repeats the last Response, whatever it says', () => {
    answered();
    server.verdict(refusal);

    expect(sent(server.received(octets('md5-response')))).toEqual([hex('failure')]);
    expect(kinds(server.received(octets('nak-response')))).toEqual(['duplicate', 'send']);
    expect(kinds(named())).toEqual(['unexpected']);
  });

  it('takes no second verdict, and none that it did not ask for', () => {
    expect(server.verdict({ accept: true })).toEqual([]);
    answered();
    server.verdict(refusal);

    expect(server.verdict({ accept: true })).toEqual([]);
    expect(server.verdict(request)).toEqual([]);
  });

  it.each([
    ['as it is', eap(3, 0x2b), 'success'],
    ['with octets that do not belong there', fromHex('032b0004ffff'), 'success'],
    ['made here when it is missing', undefined, 'success'],
    ['made here when it says Failure', eap(4, 0x2b), 'success'],
    ['made here when it is a Request', octets('md5-request'), 'success'],
    ['made here when it is cut off', eap(3, 0x2b).slice(0, 3), 'success'],
  ])("sends the server's Success %s", (_what, given, packet) => {
    answered();
    const answer: Answer = given === undefined ? { accept: true } : { accept: true, eap: given };

    expect(sent(server.verdict(answer))).toEqual([hex(packet)]);
  });

  it("sends Success with the server's identifier, also where the RFC would have another: peers of such a server know it", () => {
    answered();

    expect(sent(server.verdict({ accept: true, eap: eap(3, 0x2c) }))).toEqual(['032c0004']);
  });

  it('sends Failure and no reason, which is for the log', () => {
    answered();

    expect(server.verdict(refusal)).toEqual([
      { do: 'send', protocol: eapProtocol, bytes: octets('failure') },
      { do: 'failed', cause: 'refused', message: 'no' },
    ]);
  });

  it.each([
    ['a Success', eap(3, 0x2b), 'sent no EAP Request'],
    ['a Response', octets('md5-response'), 'sent no EAP Request'],
    ['a Request without a type', eap(1, 0x2b), 'sent no EAP Request'],
    ['nothing', new Uint8Array(), 'sent no EAP Request'],
    ['a Request cut off', octets('md5-request').slice(0, 25), 'sent no EAP Request'],
    [
      'a Request that the peer cannot take',
      eap(1, 0x2b, new Uint8Array(mru - 3).fill(13)),
      "larger than the peer's MRU",
    ],
  ])('refuses when the server wants the peer to be asked with %s', (_what, given, message) => {
    named();

    const effects = server.verdict({ accept: undefined, eap: given });

    expect(sent(effects)).toEqual(['042a0004']);
    expect(effects.at(-1)).toMatchObject({
      do: 'failed',
      cause: 'refused',
      message: expect.stringContaining(message),
    });
  });

  it('takes a Request that just fits', () => {
    named();

    const effects = server.verdict({
      accept: undefined,
      eap: eap(1, 0x2b, new Uint8Array(mru - 4).fill(13)),
    });

    expect(kinds(effects)).toEqual(['send', 'arm']);
  });

  it('goes on for fifty Requests and no further', () => {
    named();
    for (let round = 1; round <= 50; round++) {
      const identifier = 0x2a + round;
      expect(kinds(server.verdict({ accept: undefined, eap: eap(1, identifier, 13) }))).toEqual([
        'send',
        'arm',
      ]);
      expect(kinds(server.received(eap(2, identifier, 13)))).toEqual(['disarm', 'prove']);
    }

    const effects = server.verdict({ accept: undefined, eap: eap(1, 0xff, 13) });

    expect(effects.at(-1)).toEqual({
      do: 'failed',
      cause: 'refused',
      message: 'the EAP conversation has no end',
    });
  });

  it('answers noise within bounds and never throws, whatever a server says, in 300 runs of 100 frames', () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = seededRandom(seed);
      const machine = new EapAuthenticator(mru, random);
      let outcomes = 0;
      const look = (effects: Effects): void => {
        expect(effects.length, `seed ${seed}`).toBeLessThanOrEqual(2);
        outcomes += effects.filter(({ do: verb }) => verb === 'done' || verb === 'failed').length;
      };
      const noise = (): Uint8Array => {
        const bytes = random(below(random, 12));
        if (bytes.length > 4)
          bytes.set([1 + below(random, 4), below(random, 4), 0, bytes.length, below(random, 5)]);
        return bytes;
      };
      look(machine.start());
      for (let frame = 0; frame < 100; frame++) {
        look(machine.received(noise()));
        const accept = [true, false, undefined, undefined, undefined][below(random, 5)];
        if (below(random, 3) === 0) look(machine.expired());
        else look(machine.verdict({ accept, errorCode: 691, message: '', eap: noise() } as Answer));
      }
      expect(outcomes, `seed ${seed}`).toBeLessThanOrEqual(1);
    }
  });
});
