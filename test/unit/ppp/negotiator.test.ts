/** The negotiation that all layers share, seen through a layer of one option: a number that has to be even. */

import { describe, expect, it } from 'vitest';
import { Negotiator, type NegotiatorEffect } from '../../../src/ppp/negotiator.ts';
import type { OptionRow } from '../../../src/ppp/option.ts';
import { packet, sent, those } from './peer.ts';

interface Terms {
  offer: number | undefined;
  granted: number | undefined;
  agreed: number | undefined;
}

const even: OptionRow<Terms, number> = {
  type: 9,
  name: 'Even',
  decode: (data) => (data.length === 1 ? data[0] : undefined),
  encode: (value) => Uint8Array.of(value),
  offer: (terms) => terms.offer,
  granted(value, terms) {
    terms.granted = value;
  },
  onNak(value, terms) {
    terms.offer = value;
  },
  onReject(terms) {
    terms.offer = undefined;
  },
  judge: (value) => (value % 2 === 0 ? 'ack' : { nak: value + 1 }),
  want: () => 8,
  agreed(value, terms) {
    terms.agreed = value;
  },
};

function layer() {
  const terms: Terms = { offer: 2, granted: undefined, agreed: undefined };
  const negotiator = new Negotiator(
    { name: 'ipcp', protocol: 0x8021, rows: [even], restartMs: [1_000, 2_000, 3_000] },
    terms,
  );
  return { terms, negotiator, peer: (text: string) => negotiator.received(packet2(text)) };
}

function packet2(text: string) {
  const bytes = packet(text);
  return { code: bytes[0] ?? 0, identifier: bytes[1] ?? 0, data: bytes.subarray(4) };
}

function begun() {
  const made = layer();
  made.negotiator.open();
  made.negotiator.up();
  return made;
}

function opened() {
  const made = begun();
  made.peer('Configure-Request 7 090304');
  made.peer('Configure-Ack 1 090302');
  expect(made.negotiator.state).toBe('Opened');
  return made;
}

const ignored: readonly NegotiatorEffect[] = [{ do: 'note', what: 'crossed' }];

describe('a negotiation', () => {
  it('opens when both requests are acknowledged, and knows both values', () => {
    const { negotiator, terms, peer } = begun();

    expect(sent(peer('Configure-Request 7 090304'))).toEqual(['IPCP Configure-Ack 7 090304']);
    const effects = peer('Configure-Ack 1 090302');

    expect(those(effects, 'layer-up')).toHaveLength(1);
    expect(those(effects, 'disarm')).toHaveLength(1);
    expect(negotiator.state).toBe('Opened');
    expect(terms).toMatchObject({ granted: 2, agreed: 4 });
  });

  it('rejects what it does not know, alone, before it naks what it does not like', () => {
    const { peer } = begun();

    expect(sent(peer('Configure-Request 1 090303 630401ff'))).toEqual(['IPCP Configure-Reject 1 630401ff']);
    expect(sent(peer('Configure-Request 2 090303'))).toEqual(['IPCP Configure-Nak 2 090304']);
    expect(sent(peer('Configure-Request 3 090304'))).toEqual(['IPCP Configure-Ack 3 090304']);
  });

  it('hints at an option that it misses or cannot read', () => {
    const { peer } = begun();

    expect(sent(peer('Configure-Request 1'))).toEqual(['IPCP Configure-Nak 1 090308']);
    expect(sent(peer('Configure-Request 2 09040102'))).toEqual(['IPCP Configure-Nak 2 090308']);
  });

  it('rejects an option that stands in the request twice', () => {
    const { peer } = begun();

    expect(sent(peer('Configure-Request 1 090304 090306'))).toEqual(['IPCP Configure-Reject 1 090306']);
  });

  it('rejects what it has naked five times, and asks for nothing then', () => {
    const { peer } = begun();
    for (let id = 1; id <= 5; id += 1) {
      expect(sent(peer(`Configure-Request ${id} 090303`))).toEqual([`IPCP Configure-Nak ${id} 090304`]);
    }

    expect(sent(peer('Configure-Request 6 090303'))).toEqual(['IPCP Configure-Reject 6 090303']);
    expect(sent(peer('Configure-Request 7'))).toEqual(['IPCP Configure-Ack 7']);
  });

  it('is patient again once it has acknowledged a request', () => {
    const { peer } = begun();
    for (let id = 1; id <= 5; id += 1) peer(`Configure-Request ${id} 090303`);
    peer('Configure-Request 6');

    expect(sent(peer('Configure-Request 7 090303'))).toEqual(['IPCP Configure-Nak 7 090304']);
  });

  it('counts a request that comes again as one refusal: our answer was lost', () => {
    const { peer } = begun();
    for (let copy = 0; copy < 12; copy += 1) {
      expect(sent(peer('Configure-Request 1 090303'))).toEqual(['IPCP Configure-Nak 1 090304']);
    }
  });

  it('follows a Nak, and leaves out what was rejected, with a new identifier each time', () => {
    const { peer } = begun();

    expect(sent(peer('Configure-Nak 1 090306'))).toEqual(['IPCP Configure-Request 2 090306']);
    expect(sent(peer('Configure-Reject 2 090306'))).toEqual(['IPCP Configure-Request 3']);
  });

  it('takes a peer that naks for ever for one that rejects, and one that goes on for lost', () => {
    const { negotiator, peer } = begun();
    const requests: string[] = [];
    for (let id = 1; negotiator.state === 'Req-Sent'; id += 1) {
      requests.push(...sent(peer(`Configure-Nak ${id} 0903${(id + 16).toString(16)}`)));
    }

    expect(requests).toHaveLength(20);
    expect(requests[10]).toBe('IPCP Configure-Request 12');
    expect(requests[19]).toBe('IPCP Terminate-Request 21');
  });

  it.each([
    ['an Ack with another identifier', 'Configure-Ack 2 090302'],
    ['an Ack of other options', 'Configure-Ack 1 090304'],
    ['a Reject of what was not sent', 'Configure-Reject 1 090304'],
    ['an empty Reject', 'Configure-Reject 1'],
    ['an empty Nak', 'Configure-Nak 1'],
  ])('is not moved by %s', (_what, text) => {
    const { negotiator, peer } = begun();

    expect(peer(text)).toEqual(ignored);
    expect(negotiator.state).toBe('Req-Sent');
  });

  it('is not moved by a second answer to the same request', () => {
    const { negotiator, peer } = opened();

    expect(peer('Configure-Ack 1 090302')).toEqual(ignored);
    expect(negotiator.state).toBe('Opened');
  });

  it('sends the same request ten times, after 1, 2, 3, 3 … seconds, and then gives up', () => {
    const { negotiator } = layer();
    negotiator.open();
    let effects = negotiator.up();
    const requests: string[] = [];
    const delays: number[] = [];
    while (negotiator.state === 'Req-Sent') {
      requests.push(...sent(effects));
      delays.push(...those(effects, 'arm').map(({ delayMs }) => delayMs));
      effects = negotiator.expired();
    }

    expect(requests).toEqual(Array(10).fill('IPCP Configure-Request 1 090302'));
    expect(delays).toEqual([1_000, 2_000, ...Array(8).fill(3_000)]);
    expect(those(effects, 'layer-finished')).toEqual([{ do: 'layer-finished', cause: 'timeout' }]);
  });

  it('sends a copy when told to, but only while it waits', () => {
    const { negotiator, peer } = begun();

    expect(sent(negotiator.again())).toEqual(['IPCP Configure-Request 1 090302']);
    peer('Configure-Ack 1 090302');
    expect(negotiator.again()).toEqual([]);
  });

  it('starts over when the peer sends a request while it is open', () => {
    const { negotiator, peer } = opened();

    const effects = peer('Configure-Request 8 090304');

    expect(effects[0]).toEqual({ do: 'layer-down' });
    expect(sent(effects)).toEqual(['IPCP Configure-Request 2 090302', 'IPCP Configure-Ack 8 090304']);
    expect(negotiator.state).toBe('Ack-Sent');
  });

  it('announces an Ack right before it sends it, and says whether it is a copy', () => {
    const { peer } = begun();

    const first = peer('Configure-Request 7 090304').map((effect) => effect.do);
    const second = peer('Configure-Request 7 090304');

    expect(first).toEqual(['acknowledging', 'send']);
    expect(those(second, 'acknowledging')).toEqual([{ do: 'acknowledging', repeated: true }]);
    expect(those(peer('Configure-Request 8 090304'), 'acknowledging')[0]?.repeated).toBe(false);
  });

  it('sends two Terminate-Requests and then is finished', () => {
    const { negotiator } = opened();

    const first = sent(negotiator.close('closed', Uint8Array.of(0x62)));
    const second = sent(negotiator.expired());
    const last = negotiator.expired();

    expect([...first, ...second]).toEqual(Array(2).fill('IPCP Terminate-Request 2 62'));
    expect(last).toEqual([{ do: 'layer-finished', cause: 'closed' }]);
  });

  it('acknowledges a Terminate-Request at once and stays a while for its copies', () => {
    const { negotiator, peer } = opened();

    const effects = peer('Terminate-Request 9');

    expect(sent(effects)).toEqual(['IPCP Terminate-Ack 9']);
    expect(sent(peer('Terminate-Request 9'))).toEqual(['IPCP Terminate-Ack 9']);
    expect(negotiator.expired()).toEqual([{ do: 'layer-finished', cause: 'terminated' }]);
  });

  it('answers a code that it does not know with a Code-Reject', () => {
    const { peer } = opened();

    expect(sent(peer('Reset-Ack 5 aabb'))).toEqual(['IPCP Code-Reject 2 0f050006aabb']);
  });

  it('survives a Code-Reject of an extension and ends on one of a basic code', () => {
    const { negotiator, peer } = opened();

    expect(peer('Code-Reject 1 0c010004')).toEqual([]);
    expect(negotiator.state).toBe('Opened');
    peer('Code-Reject 2 01010004');
    expect(negotiator.state).toBe('Stopping');
  });

  it('counts a list of options that does not add up, and is silent', () => {
    const { peer } = begun();

    expect(peer('Configure-Request 1 0909')).toEqual([{ do: 'note', what: 'malformed' }]);
  });
});
