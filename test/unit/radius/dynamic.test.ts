import { beforeEach, describe, expect, it } from 'vitest';
import { concat, toBytes, toHex } from '../../../src/base/bytes.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/observe.ts';
import { type Attribute, type Attributes, attribute } from '../../../src/radius/attribute.ts';
import { attributeCodec } from '../../../src/radius/codec.io.ts';
import {
  type Answer,
  DynamicAuthorization,
  type DynamicRequest,
  type IncomingEvent,
  type Source,
} from '../../../src/radius/dynamic.ts';
import { errorCauses } from '../../../src/radius/error-cause.ts';
import { codes, headerBytes, type Packet } from '../../../src/radius/packet.ts';
import { sealRequest, verifyReply } from '../../../src/radius/sign.ts';
import { readVectors } from './vectors.ts';

const secret = toBytes('a secret');
const server: Source = { address: '192.0.2.1', port: 40_000 };

let clock: VirtualClock;
let isSignatureRequired: boolean;
let acted: { readonly request: DynamicRequest; readonly answer: Answer }[];
let sent: { readonly octets: Uint8Array; readonly to: Source }[];
let incoming: DynamicAuthorization;

beforeEach(() => {
  clock = new VirtualClock();
  isSignatureRequired = false;
  acted = [];
  sent = [];
  incoming = new DynamicAuthorization({
    clock,
    codec: attributeCodec,
    log: silent,
    askerAt: (address) =>
      address === server.address ? { secret, requireMessageAuthenticator: isSignatureRequired } : undefined,
    act: (request, answer) => void acted.push({ request, answer }),
    send: (octets, to) => void sent.push({ octets, to }),
  });
});

interface Asked {
  readonly code?: number;
  readonly identifier?: number;
  readonly attributes?: readonly Attribute[];
}

function request({
  code = codes.disconnectRequest,
  identifier = 1,
  attributes = [attribute('User-Name', 'ann')],
}: Asked = {}): Uint8Array {
  return sealRequest({ code, identifier, attributes: attributeCodec.encode(attributes) }, secret);
}

/** The reply that was sent last, which answers `asked`. */
function replyTo(asked: Uint8Array): { readonly code: number; readonly attributes: Attributes } {
  const packet = verifyReply(sent.at(-1)?.octets ?? new Uint8Array(), asked, secret, false) as Packet;
  return { code: packet.code, attributes: attributeCodec.decode(packet.attributes) as Attributes };
}

/** Nothing has happened but that it was counted. */
function expectDropped(reason: IncomingEvent, count = 1): void {
  expect(acted).toEqual([]);
  expect(sent).toEqual([]);
  expect(incoming.tally.read(reason)).toBe(count);
  expect(incoming.monitor).toEqual({ requests: count, badRequests: count, acks: 0, naks: 0 });
}

describe('a request', () => {
  it.each([
    ['disconnect', codes.disconnectRequest, codes.disconnectAck, codes.disconnectNak],
    ['change', codes.coaRequest, codes.coaAck, codes.coaNak],
  ])('to %s is acted on, and acknowledged or not as that went', (kind, code, ack, nak) => {
    const [first, second] = [request({ code, identifier: 1 }), request({ code, identifier: 2 })];

    incoming.received(first, server);
    incoming.received(second, server);
    expect(acted.map(({ request }) => request.kind)).toEqual([kind, kind]);
    expect(acted[0]?.request.attributes.first('User-Name')).toBe('ann');

    acted[0]?.answer();
    expect(replyTo(first)).toMatchObject({ code: ack });
    expect(replyTo(first).attributes.has('Error-Cause')).toBe(false);
    acted[1]?.answer(errorCauses.sessionContextNotFound);
    expect(replyTo(second).code).toBe(nak);
    expect(replyTo(second).attributes.first('Error-Cause')).toBe(503);
    expect(sent.map(({ to }) => to)).toEqual([server, server]);
    expect(incoming.monitor).toEqual({ requests: 2, badRequests: 0, acks: 1, naks: 1 });
  });

  it('gets State and each Proxy-State back, in order', () => {
    const asked = request({
      attributes: [
        attribute('Proxy-State', Uint8Array.of(2)),
        attribute('User-Name', 'ann'),
        attribute('State', Uint8Array.of(7, 7)),
        attribute('Proxy-State', Uint8Array.of(1)),
      ],
    });

    incoming.received(asked, server);
    acted[0]?.answer(errorCauses.missingAttribute);

    expect(replyTo(asked).attributes.names).toEqual(['Error-Cause', 'Proxy-State', 'State']);
    expect(replyTo(asked).attributes.all('Proxy-State')).toEqual([Uint8Array.of(2), Uint8Array.of(1)]);
    expect(replyTo(asked).attributes.all('State')).toEqual([Uint8Array.of(7, 7)]);
  });

  it('whose attributes are none is refused and changes nothing', () => {
    const attributes = Uint8Array.of(27, 5, 0, 0, 1);
    const asked = sealRequest({ code: codes.coaRequest, identifier: 1, attributes }, secret);

    incoming.received(asked, server);

    expect(acted).toEqual([]);
    expect(replyTo(asked).code).toBe(codes.coaNak);
    expect(replyTo(asked).attributes.first('Error-Cause')).toBe(404);
  });

  it('is answered once', () => {
    incoming.received(request(), server);
    acted[0]?.answer();

    expect(() => acted[0]?.answer()).toThrow();
  });
});

describe('is dropped without a word', () => {
  it('what comes from elsewhere', () => {
    incoming.received(request(), { ...server, address: '192.0.2.2' });

    expectDropped('unknown-source');
  });

  it('what is signed with another secret', () => {
    incoming.received(
      sealRequest(
        { code: codes.coaRequest, identifier: 1, attributes: new Uint8Array() },
        toBytes('another'),
      ),
      server,
    );

    expectDropped('wrong-authenticator');
  });

  it.each([
    ['an Access-Request', codes.accessRequest],
    ['an Accounting-Request', codes.accountingRequest],
    ['a CoA-ACK', codes.coaAck],
  ])('%s', (_, code) => {
    incoming.received(request({ code }), server);

    expectDropped('wrong-code');
  });

  it('a request of which any bit of the authenticator is flipped', () => {
    const asked = request();
    for (let bit = 0; bit < 128; bit += 1) {
      const forged = asked.slice();
      const at = 4 + (bit >> 3);
      forged[at] = (forged[at] ?? 0) ^ (1 << (bit & 7));
      incoming.received(forged, server);
    }

    expectDropped('wrong-authenticator', 128);
  });

  it('a request cut at any length', () => {
    const asked = request({ code: codes.coaRequest });
    for (let length = 1; length < asked.length; length += 1)
      incoming.received(asked.slice(0, length), server);

    expectDropped('malformed', asked.length - 1);
  });

  it('a request without Message-Authenticator of a server that has to send it', () => {
    isSignatureRequired = true;
    incoming.received(request(), server);

    expectDropped('no-message-authenticator');
  });

  it('a request whose Message-Authenticator is wrong although its authenticator is right', () => {
    incoming.received(
      request({ attributes: [attribute('Message-Authenticator', new Uint8Array(16))] }),
      server,
    );

    expectDropped('wrong-message-authenticator');
  });

  it.each([-301, 301])('a request whose Event-Timestamp is %d s from now', (seconds) => {
    const at = attribute('Event-Timestamp', clock.wallMs() / 1000 + seconds);
    incoming.received(request({ attributes: [at] }), server);

    expectDropped('stale');
  });

  it('a request that leaves no room for its reply', () => {
    const states = Array.from({ length: 16 }, () => attribute('Proxy-State', new Uint8Array(252)));
    incoming.received(request({ attributes: states }), server);

    expectDropped('unanswerable');
  });

  it.each([-300, 0, 300])('but not one whose Event-Timestamp is %d s from now', (seconds) => {
    const at = attribute('Event-Timestamp', clock.wallMs() / 1000 + seconds);
    incoming.received(request({ attributes: [at] }), server);

    expect(acted).toHaveLength(1);
  });
});

describe('a copy', () => {
  it('gets the same octets again for 30 s and is not acted on', () => {
    incoming.received(request(), server);
    acted[0]?.answer();
    clock.advance(29_999);
    incoming.received(request(), server);

    expect(acted).toHaveLength(1);
    expect(sent).toHaveLength(2);
    expect(toHex(sent[1]?.octets ?? new Uint8Array())).toBe(toHex(sent[0]?.octets ?? new Uint8Array(1)));
    expect(incoming.tally.read('answered-again')).toBe(1);
    expect(incoming.monitor).toEqual({ requests: 2, badRequests: 0, acks: 1, naks: 0 });
  });

  it('of a request that is being acted on is dropped', () => {
    incoming.received(request(), server);
    incoming.received(request(), server);
    acted[0]?.answer();

    expect(acted).toHaveLength(1);
    expect(sent).toHaveLength(1);
    expect(incoming.tally.read('still-acting')).toBe(1);
  });

  it.each([
    ['from another port', { ...server, port: 40_001 }, 0],
    ['after its reply is forgotten', server, 30_000],
    ['at the end of five minutes', server, 299_999],
  ])('%s is a replay and dropped', (_, source, afterMs) => {
    incoming.received(request(), server);
    acted[0]?.answer();
    clock.advance(afterMs);
    incoming.received(request(), source);

    expect(acted).toHaveLength(1);
    expect(sent).toHaveLength(1);
    expect(incoming.tally.read('replayed')).toBe(1);
  });

  it('of a request with Event-Timestamp is never acted on, whenever it comes', () => {
    const ahead = attribute('Event-Timestamp', clock.wallMs() / 1000 + 250);
    const asked = request({ attributes: [attribute('User-Name', 'ann'), ahead] });
    incoming.received(asked, server);
    acted[0]?.answer();

    for (let minute = 1; minute <= 20; minute += 1) {
      clock.advance(60_000);
      incoming.received(asked, { ...server, port: 50_000 + minute });
    }

    expect(acted).toHaveLength(1);
    expect(sent).toHaveLength(1);
    expect(incoming.tally.read('replayed') + incoming.tally.read('stale')).toBe(20);
  });

  it('of one that was dropped as stale does not become fresh', () => {
    const late = attribute('Event-Timestamp', clock.wallMs() / 1000 - 400);
    for (const port of [1, 2]) incoming.received(request({ attributes: [late] }), { ...server, port });

    expectDropped('stale', 2);
  });

  it('is known among as many as there is room for', () => {
    const asked = (n: number) => request({ attributes: [attribute('NAS-Port', n)] });
    for (let n = 0; n < 5_000; n += 1) incoming.received(asked(n), server);
    for (const { answer } of acted) answer();
    for (const n of [904, 4_999]) incoming.received(asked(n), server);
    for (const n of [0, 903]) incoming.received(asked(n), server);

    expect(acted).toHaveLength(5_000);
    expect(incoming.tally.read('answered-again')).toBe(2);
    // Their replies are forgotten for the 4,096 after them; the requests are not.
    expect(incoming.tally.read('replayed')).toBe(2);
  });
});

describe.each(
  readVectors('radius-requests.txt').filter((vector) => !vector.text('code').startsWith('accounting')),
)('$title', (vector) => {
  it('is acted on, and answered with Message-Authenticator if it has one', () => {
    const asked = vector.octets('request');
    const dynamic = new DynamicAuthorization({
      clock,
      codec: attributeCodec,
      log: silent,
      askerAt: () => ({ secret: vector.secret, requireMessageAuthenticator: false }),
      act: (_, answer) => answer(),
      send: (octets, to) => void sent.push({ octets, to }),
    });

    dynamic.received(asked, server);

    const isSigned = (attributeCodec.decode(asked.subarray(headerBytes)) as Attributes).has(
      'Message-Authenticator',
    );
    const packet = verifyReply(sent[0]?.octets ?? new Uint8Array(), asked, vector.secret, isSigned);
    expect(packet).toMatchObject({ identifier: asked[1], code: (asked[0] ?? 0) + 1 });
  });
});

it('takes padding behind a request for what it is', () => {
  incoming.received(concat(request(), new Uint8Array(4)), server);

  expect(acted).toHaveLength(1);
});
