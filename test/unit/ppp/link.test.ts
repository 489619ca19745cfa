/** The laws of a link, with a peer made by hand. The pair of our own two ends is test/sim/ppp.test.ts. */

import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import { below, seededRandom } from '../../../src/base/random.ts';
import type { Method } from '../../../src/ppp/auth/method.ts';
import { chapProtocol, eapProtocol, type PasswordMethod, papProtocol } from '../../../src/ppp/auth/method.ts';
import { Password } from '../../../src/ppp/auth/password.ts';
import { Link, type LinkEffect, type LinkSettings } from '../../../src/ppp/link.ts';
import { ccpProtocol, ipcpProtocol, lcpProtocol } from '../../../src/ppp/protocol.ts';
import { packet, sent, those } from './peer.ts';

const ipv6cp = 0x8057;

function linkOf(settings: Partial<LinkSettings> & { methods?: readonly Method[] }) {
  const { methods = [], ...rest } = settings;
  const link = new Link({
    identity: 'MikroTik',
    mru: 1450,
    fieldCompression: false,
    demand: new Set(methods),
    random: seededRandom(1),
    ...rest,
  });
  return { link, lcp: (text: string) => link.received(lcpProtocol, packet(text)) };
}

/** Up, and the peer has been heard. */
function heard(settings: Parameters<typeof linkOf>[0]) {
  const made = linkOf(settings);
  const request = optionsOf(made.link.up());
  made.lcp('Echo-Request 1 00000000');
  return { ...made, request };
}

/** The data of our latest Configure-Request. */
function optionsOf(effects: readonly LinkEffect[]): string {
  const request = sent(effects)
    .filter((text) => text.includes('Configure-Request'))
    .at(-1);
  return request?.split(' ')[3] ?? '';
}

/** In the Network phase; nobody had to prove anything. */
function networking() {
  const made = heard({});
  made.lcp('Configure-Request 1 0104 0080');
  const effects = made.lcp(`Configure-Ack 1 ${made.request}`);
  expect(those(effects, 'authenticated')).toEqual([{ do: 'authenticated' }]);
  return made;
}

/** Open, and waiting for AAA's word on PAP credentials. */
function judging() {
  const made = heard({ methods: ['pap'] });
  made.lcp('Configure-Request 1');
  made.lcp(`Configure-Ack 1 ${made.request}`);
  const effects = made.link.received(papProtocol, packet('Configure-Request 1 04757365720470617373'));
  return { ...made, asked: those(effects, 'authenticate') };
}

const mschap2 = '0305c22381';
const pap = '0304c023';

describe('a link that negotiates', () => {
  it('sends its request again, before its answer, when the peer is first heard', () => {
    const { link, lcp } = linkOf({});
    const [request] = sent(link.up());

    expect(sent(lcp('Configure-Request 1'))).toEqual([request, 'LCP Configure-Ack 1']);
    expect(sent(lcp('Configure-Request 1'))).toEqual(['LCP Configure-Ack 1']);
  });

  it('does not send it again when the first thing heard is its answer', () => {
    const { link, lcp } = linkOf({});
    const options = optionsOf(link.up());

    expect(sent(lcp(`Configure-Ack 1 ${options}`))).toEqual([]);
  });

  it('rejects what Windows asks for and nobody needs in one Configure-Reject', () => {
    const { lcp } = heard({});
    const known = '01040578 05062c947761 0702 0802';

    const effects = lcp(`Configure-Request 0 ${known} 0d0306 1104064e 130701aabbccdd`);

    expect(sent(effects)).toEqual(['LCP Configure-Reject 0 0d03061104064e130701aabbccdd']);
    expect(sent(lcp(`Configure-Request 1 ${known}`))[0]).toMatch(/^LCP Configure-Ack 1/);
  });

  it('takes from Windows what belongs to Multilink where Multilink is wanted', () => {
    const { lcp, request } = heard({ mrru: 1600 });

    expect(sent(lcp('Configure-Request 0 0d0306 1104064e 1202 130701aabbccdd'))).toEqual([
      'LCP Configure-Reject 0 0d0306',
    ]);
    lcp('Configure-Request 1 1104064e 1202 130701aabbccdd');
    const [up] = those(lcp(`Configure-Ack 1 ${request}`), 'link-up');

    expect(request).toMatch(/11040640131701[0-9a-f]{40}$/);
    expect(up?.peers).toMatchObject({ mrru: 1614, shortSequenceNumbers: true });
    expect(up?.ours).toMatchObject({ mrru: 1600, shortSequenceNumbers: false });
  });

  it('asks no more for any of Multilink when the peer rejects its MRRU', () => {
    const { lcp, request } = heard({ mrru: 1600 });

    const again = optionsOf(lcp('Configure-Reject 1 11040640'));

    expect(again).toBe(request.replace(/1104.*/, ''));
    lcp('Configure-Request 1');
    const [up] = those(lcp(`Configure-Ack 2 ${again}`), 'link-up');
    expect(up?.ours.mrru).toBeUndefined();
    expect(up?.peers.mrru).toBeUndefined();
  });

  it('takes a smaller MRRU, and no endpoint that does not fit its class', () => {
    const { lcp } = heard({ mrru: 1600 });

    expect(optionsOf(lcp('Configure-Nak 1 110405dc'))).toMatch(/110405dc13/);
    expect(sent(lcp('Configure-Request 1 130503aabb'))).toEqual(['LCP Configure-Reject 1 130503aabb']);
    expect(sent(lcp('Configure-Request 2 11040040'))).toEqual(['LCP Configure-Nak 2 11040080']);
  });

  it('accepts the asyncmap of pppd and macOS', () => {
    const { lcp } = heard({});

    expect(sent(lcp('Configure-Request 1 020600000000'))).toEqual(['LCP Configure-Ack 1 020600000000']);
  });

  it('takes a Nak with the very MRU that it sent for a reject', () => {
    const { lcp } = heard({});

    const again = optionsOf(lcp('Configure-Nak 1 010405aa'));

    expect(again).not.toMatch(/^0104/);
  });

  it('naks an MRU in which its own packets would not fit', () => {
    const { lcp } = heard({});

    expect(sent(lcp('Configure-Request 1 01040040'))).toEqual(['LCP Configure-Nak 1 01040080']);
  });

  it('ends as looped back when it hears itself', () => {
    const { link } = linkOf({});
    let effects = link.up();
    const seen: LinkEffect[] = [];
    for (let turn = 0; turn < 100 && effects.length > 0; turn += 1) {
      seen.push(...effects);
      effects = those(effects, 'send').flatMap(({ protocol, bytes }) => [...link.received(protocol, bytes)]);
    }

    expect(link.cause).toBe('loopback');
    expect(those(seen, 'ended')).toEqual([{ do: 'ended', cause: 'loopback' }]);
  });

  it('ends after ten requests without a word from the peer as if GRE were filtered', () => {
    const { link } = linkOf({});
    link.up();
    const effects = Array.from({ length: 10 }, () => [...link.expired('lcp')]).flat();

    expect(those(effects, 'ended')).toEqual([{ do: 'ended', cause: 'lcp-timeout' }]);
  });

  it('gives up when the peer terminates before LCP is open', () => {
    const { lcp } = heard({});

    const effects = lcp('Terminate-Request 5');

    expect(sent(effects)[0]).toBe('LCP Terminate-Ack 5');
    expect(those(lcp('Terminate-Ack 2'), 'ended')).toEqual([{ do: 'ended', cause: 'peer-terminated' }]);
  });

  it('answers a code that it does not know with a Code-Reject', () => {
    const { lcp } = networking();

    expect(sent(lcp('Reset-Request 3'))).toEqual(['LCP Code-Reject 2 0e030004']);
  });
});

describe('a link that demands a proof', () => {
  it('asks for the strongest method first', () => {
    expect(heard({ methods: ['pap', 'mschap2', 'chap'] }).request).toContain(mschap2);
  });

  it('follows a Nak to a method that is allowed', () => {
    const { lcp } = heard({ methods: ['pap', 'chap', 'mschap2'] });

    expect(optionsOf(lcp(`Configure-Nak 1 ${pap}`))).toContain(pap);
  });

  it('asks for the next weaker one when the peer names one that is not', () => {
    const { lcp } = heard({ methods: ['chap', 'mschap2'] });

    expect(optionsOf(lcp('Configure-Nak 1 0304c227'))).toContain('0305c22305');
  });

  it.each([
    ['naks the last one', 'Configure-Nak 1 0304c227'],
    ['rejects the question', `Configure-Reject 1 ${mschap2}`],
  ])('ends when the peer %s', (_what, text) => {
    const { link, lcp } = heard({ methods: ['mschap2'] });

    lcp(text);

    expect(link.cause).toBe('peer-refused-authentication');
  });

  it('hands the credentials out and waits for the verdict', () => {
    const { link, asked } = judging();

    expect(asked[0]?.credentials).toMatchObject({ method: 'pap', name: 'user' });
    const effects = link.verdict(asked[0]?.attempt ?? 0, { accept: true });
    expect(sent(effects)[0]).toMatch(/^PAP Configure-Ack 1/);
    expect(those(effects, 'authenticated')).toEqual([
      { do: 'authenticated', method: 'pap', peerName: 'user' },
    ]);
  });

  it('tells the peer of a refusal before it terminates', () => {
    const { link, asked } = judging();

    const effects = link.verdict(asked[0]?.attempt ?? 0, {
      accept: false,
      errorCode: 691,
      message: 'bad',
    });

    expect(sent(effects).map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual([
      'PAP Configure-Nak',
      'LCP Terminate-Request',
    ]);
    expect(link.cause).toBe('authentication-failed');
  });

  it('does not take the verdict on one claim for another that came after LCP had started over', () => {
    const { link, lcp, asked } = judging();
    const again = lcp('Configure-Request 2');
    expect(those(again, 'link-down')).toHaveLength(1);
    lcp(`Configure-Ack 2 ${optionsOf(again)}`);
    const later = link.received(papProtocol, packet('Configure-Request 2 056f74686572 03786262'));

    expect(those(later, 'authenticate')[0]?.credentials.name).toBe('other');
    expect(link.verdict(asked[0]?.attempt ?? 0, { accept: true })).toEqual([]);
    expect(link.phase).toBe('authenticate');
  });

  it('discards network frames until the proof is accepted', () => {
    const { link } = judging();

    expect(link.received(ipcpProtocol, packet('Configure-Request 1'))).toEqual([
      { do: 'note', what: 'early' },
    ]);
    expect(link.received(ipv6cp, packet('Configure-Request 1'))).toEqual([{ do: 'note', what: 'early' }]);
  });

  it('does not wait for ever for a proof', () => {
    const { link, lcp, request } = heard({ methods: ['mschap2'] });
    lcp('Configure-Request 1');
    const effects = lcp(`Configure-Ack 1 ${request}`);

    expect(those(effects, 'arm').map(({ timer }) => timer)).toEqual(['authentication', 'authenticator']);
    link.expired('authentication');
    expect(link.cause).toBe('authentication-timeout');
  });

  it('lets nobody start over more than a few times', () => {
    const { link, lcp, request } = heard({ methods: ['pap'] });
    let effects: readonly LinkEffect[] = lcp('Configure-Request 1');
    lcp(`Configure-Ack 1 ${request}`);
    for (let id = 2; id < 20 && link.cause === undefined; id += 1) {
      effects = lcp(`Configure-Request ${id}`);
      lcp(`Configure-Ack ${id} ${optionsOf(effects)}`);
    }

    expect(link.cause).toBe('unstable');
  });
});

describe('a link that demands EAP', () => {
  const eap = '0304c227';
  const request = Uint8Array.of(1, 9, 0, 6, 4, 0);

  /** Open, the peer has said that it is jack, and AAA is asked. */
  function named() {
    const made = heard({ methods: ['eap', 'mschap2'] });
    made.lcp('Configure-Request 1 01040240');
    const opened = made.lcp(`Configure-Ack 1 ${made.request}`);
    return { ...made, opened, asked: attemptsOf(sayName(made.link, opened)) };
  }

  /** The peer answers the Request for its identity that is among the effects. */
  function sayName(link: Link, effects: readonly LinkEffect[]): readonly LinkEffect[] {
    const frame = those(effects, 'send').find(({ protocol }) => protocol === eapProtocol);
    const identifier = frame?.bytes[1] ?? 0;
    return link.received(eapProtocol, packet(`Configure-Ack ${identifier} 01 6a61636b`));
  }

  const attemptsOf = (effects: readonly LinkEffect[]) => those(effects, 'authenticate');

  it('asks for it before all others, and for the next when the peer naks it', () => {
    const { lcp, request: first } = heard({ methods: ['pap', 'eap', 'mschap2'] });

    expect(first).toContain(eap);
    expect(optionsOf(lcp(`Configure-Nak 1 ${eap}`))).toContain(mschap2);
  });

  it('goes straight to the method that the peer naks it with', () => {
    const { lcp } = heard({ methods: ['pap', 'eap', 'mschap2'] });

    expect(optionsOf(lcp(`Configure-Nak 1 ${pap}`))).toContain(pap);
  });

  it('asks who the peer is as soon as LCP is open, and tells AAA how much the peer can take', () => {
    const { opened, asked } = named();

    expect(sent(opened).at(-1)).toMatch(/^EAP Configure-Request \d+ 01$/);
    expect(asked).toMatchObject([{ credentials: { method: 'eap', name: 'jack', mtu: 566 } }]);
  });

  it('asks on as AAA says, for as long as it says so, and gives the peer its time anew each time', () => {
    const { link, asked } = named();

    const effects = link.verdict(asked[0]?.attempt ?? 0, { accept: undefined, eap: request });
    const next = attemptsOf(link.received(eapProtocol, packet('Configure-Ack 9 04 00')));

    expect(sent(effects)).toEqual(['EAP Configure-Request 9 0400']);
    expect(those(effects, 'arm').map(({ timer }) => timer)).toEqual(['authenticator', 'authentication']);
    expect(next[0]?.attempt).not.toBe(asked[0]?.attempt);
    expect(link.phase).toBe('authenticate');
    const done = link.verdict(next[0]?.attempt ?? 0, { accept: true });
    expect(sent(done)[0]).toBe('EAP Configure-Nak 9');
    expect(those(done, 'authenticated')).toEqual([{ do: 'authenticated', method: 'eap', peerName: 'jack' }]);
  });

  it('takes no answer twice, and none to the Response before', () => {
    const { link, asked } = named();
    const [{ attempt } = { attempt: 0 }] = asked;
    link.verdict(attempt, { accept: undefined, eap: request });

    expect(link.verdict(attempt, { accept: true })).toEqual([]);
    link.received(eapProtocol, packet('Configure-Ack 9 04 00'));
    expect(link.verdict(attempt, { accept: true })).toEqual([]);
    expect(link.phase).toBe('authenticate');
  });

  it.each(['accept', 'continue'])(
    'does not take a word on a conversation that LCP has cut off for one on the next (%s)',
    (word) => {
      const { link, lcp, asked } = named();
      const again = lcp('Configure-Request 2');
      const opened = lcp(`Configure-Ack 2 ${optionsOf(again)}`);
      const late = word === 'accept' ? { accept: true as const } : { accept: undefined, eap: request };

      expect(link.verdict(asked[0]?.attempt ?? 0, late)).toEqual([]);
      const later = attemptsOf(sayName(link, opened));
      expect(later).toHaveLength(1);
      expect(link.verdict(asked[0]?.attempt ?? 0, late)).toEqual([]);
      expect(link.phase).toBe('authenticate');
    },
  );

  it('ends as unanswered authentication when the peer rejects the protocol', () => {
    const { link, lcp } = named();

    lcp('Protocol-Reject 7 c227');

    expect(link.cause).toBe('peer-refused-authentication');
  });
});

describe('a link that can prove itself', () => {
  const account = {
    name: 'user',
    password: new Password('pass'),
    allow: new Set<PasswordMethod>(['mschap2', 'chap']),
  };

  it('naks EAP, as Windows servers propose it, with the strongest that is allowed', () => {
    const { lcp } = heard({ account });

    expect(sent(lcp('Configure-Request 1 0304c227'))).toEqual([`LCP Configure-Nak 1 ${mschap2}`]);
  });

  it('does not answer EAP that nobody agreed on', () => {
    const { link, lcp, request } = heard({ account });
    lcp('Configure-Request 1');
    lcp(`Configure-Ack 1 ${request}`);

    const effects = link.received(eapProtocol, packet('Configure-Request 1 01'));

    expect(effects).toEqual([{ do: 'note', what: 'unexpected' }]);
  });

  it('takes a weaker one that is allowed as it comes', () => {
    const { lcp } = heard({ account });

    expect(sent(lcp('Configure-Request 1 0305c22305'))).toEqual(['LCP Configure-Ack 1 0305c22305']);
  });

  it('rejects the question when it has no account', () => {
    const { lcp } = heard({});

    expect(sent(lcp(`Configure-Request 1 ${mschap2}`))).toEqual([`LCP Configure-Reject 1 ${mschap2}`]);
  });

  it('answers a Challenge and is in the Network phase on Success', () => {
    const { link, lcp, request } = heard({ account });
    lcp('Configure-Request 1 0305c22305');
    lcp(`Configure-Ack 1 ${request}`);

    const answer = link.received(chapProtocol, packet('Configure-Request 9 04aabbccdd 6e'));
    const done = link.received(chapProtocol, packet('Configure-Nak 9'));

    expect(sent(answer)[0]).toMatch(/^CHAP Configure-Ack 9 10/);
    expect(those(done, 'authenticated')[0]?.method).toBe('chap');
  });
});

describe('an open link', () => {
  it('answers an echo with its own magic number, cut to the MRU of the peer', () => {
    const { lcp } = networking();
    const long = `00000000${'ab'.repeat(300)}`;

    const [reply = ''] = sent(lcp(`Echo-Request 7 ${long}`));

    expect(reply).toMatch(/^LCP Echo-Reply 7 [0-9a-f]{8}(ab)+$/);
    expect(reply.split(' ')[3]).toHaveLength(2 * (128 - 4));
  });

  it('answers no echo before it is open', () => {
    const { link, lcp } = linkOf({});
    link.up();

    expect(sent(lcp('Echo-Request 7 00000000')).filter((text) => text.includes('Echo'))).toEqual([]);
  });

  it('says when its own echo is answered, and does not believe its own magic number', () => {
    const { link, lcp } = networking();
    const [request = ''] = sent(link.echo());

    expect(lcp('Echo-Reply 1 00000000')).toEqual([{ do: 'echo-reply' }]);
    expect(lcp(`Echo-Reply 1 ${request.split(' ')[3]}`)).toEqual([{ do: 'note', what: 'looped' }]);
  });

  it.each(['Discard-Request 1 00000000', 'Identification 1 000000004d535241535635', 'Time-Remaining 1 00'])(
    'takes %s without a word',
    (text) => {
      expect(networking().lcp(text)).toEqual([]);
    },
  );

  it('hands IPCP and CCP to the bundle and rejects all other control protocols at once', () => {
    const { link } = networking();

    for (const protocol of [ipcpProtocol, ccpProtocol]) {
      expect(link.received(protocol, packet('Configure-Request 1'))[0]).toMatchObject({ do: 'deliver' });
    }
    expect(sent(link.received(ipv6cp, packet('Configure-Request 1')))).toEqual([
      'LCP Protocol-Reject 1 805701010004',
    ]);
    expect(link.phase).toBe('network');
  });

  it('does not reject data that has lost its way', () => {
    expect(sent(networking().link.received(0x0021, Uint8Array.of(0x45)))).toEqual([]);
  });

  it('stops rejecting after 64', () => {
    const { link } = networking();
    const effects = Array.from({ length: 100 }, () => [
      ...link.received(ipv6cp, packet('Configure-Request 1')),
    ]);

    expect(sent(effects.flat())).toHaveLength(64);
  });

  it('tells the bundle what the peer rejects', () => {
    expect(networking().lcp('Protocol-Reject 4 80fd 01010004')).toEqual([
      { do: 'protocol-rejected', protocol: ccpProtocol },
    ]);
  });

  it('goes down and negotiates again when the peer starts over', () => {
    const { link, lcp } = networking();

    const effects = lcp('Configure-Request 2');

    expect(those(effects, 'link-down')).toHaveLength(1);
    expect(link.phase).toBe('establish');
    expect(link.received(ipcpProtocol, packet('Configure-Request 1'))).toEqual([
      { do: 'note', what: 'early' },
    ]);
  });

  it('ends in order: Terminate-Request with the reason, twice at most, then one cause', () => {
    const { link } = networking();
    const first = link.close('echo-lost');
    const text = toHex(new TextEncoder().encode('LCP missed echo reply'));

    expect(sent(first)[0]).toMatch(new RegExp(`Terminate-Request \\d+ ${text}$`));
    expect(those(first, 'link-down')).toHaveLength(1);
    expect(link.close('closed')).toEqual([]);
    link.expired('lcp');
    expect(those(link.expired('lcp'), 'ended')).toEqual([{ do: 'ended', cause: 'echo-lost' }]);
    expect(link.received(lcpProtocol, packet('Echo-Request 1 00000000'))).toEqual([
      { do: 'note', what: 'dead' },
    ]);
  });

  it('knows that the peer terminated it', () => {
    const { link, lcp } = networking();

    const effects = lcp('Terminate-Request 5');

    expect(sent(effects)).toEqual(['LCP Terminate-Ack 5']);
    expect(those(effects, 'link-down')).toHaveLength(1);
    expect(those(link.expired('lcp'), 'ended')).toEqual([{ do: 'ended', cause: 'peer-terminated' }]);
  });

  it('is not moved by a Terminate-Request that is cut off', () => {
    const { link } = networking();

    expect(link.received(lcpProtocol, Uint8Array.of(5, 1, 0, 9))).toEqual([
      { do: 'note', what: 'malformed' },
    ]);
    expect(link.cause).toBeUndefined();
  });

  it('ends at once when the call is gone', () => {
    const effects = networking().link.down();

    expect(sent(effects)).toEqual([]);
    expect(effects.at(-1)).toEqual({ do: 'ended', cause: 'lower-down' });
  });
});

describe('any link', () => {
  it('answers noise within bounds and never throws, in 300 runs of 100 frames', () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const random = seededRandom(seed);
      const link = linkOf({ methods: seed % 2 === 0 ? ['pap', 'eap'] : [], random }).link;
      link.up();
      const protocols = [
        lcpProtocol,
        lcpProtocol,
        papProtocol,
        chapProtocol,
        eapProtocol,
        ccpProtocol,
        ipv6cp,
      ];
      for (let frame = 0; frame < 100; frame += 1) {
        const bytes = random(below(random, 24));
        if (bytes.length > 4) bytes.set([below(random, 16), below(random, 3), 0, bytes.length]);
        const protocol = protocols[below(random, protocols.length)] ?? 0;
        expect(link.received(protocol, bytes).length, `seed ${seed}`).toBeLessThan(16);
      }
    }
  });
});
