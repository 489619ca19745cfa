/** Our client against our server, over a wire that cuts the stream anywhere and delivers both ways in any order. */

import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/base/clock.ts';
import { below, type Random, seededRandom } from '../../../src/base/random.ts';
import { Station } from './station.ts';

class Wire {
  readonly client: Station;
  readonly server: Station;
  readonly #random: Random;
  #toServer: Uint8Array = new Uint8Array();
  #toClient: Uint8Array = new Uint8Array();
  #told = new Set<Station>();

  constructor(seed: number, clock = new VirtualClock()) {
    this.#random = seededRandom(seed);
    this.client = new Station('originator', clock);
    this.server = new Station('receiver', clock);
    this.client.perform(this.client.machine.opened());
    this.server.perform(this.server.machine.opened());
  }

  /** Delivers one random piece, or TCP's end behind the last. False if nothing is under way. */
  step(): boolean {
    this.#toServer = Buffer.concat([this.#toServer, this.client.takeOctets()]);
    this.#toClient = Buffer.concat([this.#toClient, this.server.takeOctets()]);
    const first = below(this.#random, 2) === 0;
    return first ? this.#serve() || this.#attend() : this.#attend() || this.#serve();
  }

  settle(): void {
    while (this.step()) {
      for (const news of this.server.news) {
        if (news.do !== 'call-requested' || this.#answered.has(news.request)) continue;
        this.#answered.add(news.request);
        const callId = 1000 + news.request;
        this.server.perform(this.server.machine.answerCall(news.request, { accept: true, callId }));
      }
    }
  }

  readonly #answered = new Set<number>();

  #serve(): boolean {
    const size = 1 + below(this.#random, 300);
    const piece = this.#toServer.subarray(0, size);
    if (piece.length === 0) return this.#end(this.client, this.server);
    this.#toServer = this.#toServer.subarray(size);
    this.server.perform(this.server.machine.received(piece));
    return true;
  }

  #attend(): boolean {
    const size = 1 + below(this.#random, 300);
    const piece = this.#toClient.subarray(0, size);
    if (piece.length === 0) return this.#end(this.server, this.client);
    this.#toClient = this.#toClient.subarray(size);
    this.client.perform(this.client.machine.received(piece));
    return true;
  }

  #end(from: Station, to: Station): boolean {
    if (!from.isClosed || this.#told.has(to)) return false;
    this.#told.add(to);
    to.perform(to.machine.closed());
    return true;
  }
}

function kinds(station: Station): string[] {
  return station.news.map((news) => ('cause' in news ? `${news.do} ${news.cause}` : news.do));
}

describe.each([1, 2, 3, 4, 5, 6, 7, 8])('client and server, seed %i', (seed) => {
  it('have many calls on one connection, each with its own end', () => {
    const wire = new Wire(seed);
    for (let callId = 1; callId <= 20; callId += 1)
      wire.client.perform(wire.client.machine.placeCall({ kind: 'outgoing', callId }));

    wire.settle();
    expect([wire.client.machine.callCount, wire.server.machine.callCount]).toEqual([20, 20]);
    wire.client.perform(wire.client.machine.clearCall(7));
    wire.settle();

    expect(wire.client.machine.callCount).toBe(19);
    expect(wire.client.last('call-cleared')).toMatchObject({ callId: 7, cause: 'cleared' });
    expect(wire.server.machine.callCount).toBe(19);
    expect(wire.server.last('call-cleared').cause).toBe('peer-cleared');
  });

  it('know each call by the same two ids', () => {
    const wire = new Wire(seed);
    for (const callId of [9, 8, 0xffff])
      wire.client.perform(wire.client.machine.placeCall({ kind: 'outgoing', callId }));

    wire.settle();

    const ids = (station: Station) =>
      station.news.flatMap((news) => (news.do === 'call-connected' ? [[news.callId, news.peerCallId]] : []));
    expect(
      ids(wire.client)
        .map(([ours, peers]) => [peers, ours])
        .sort(),
    ).toEqual(ids(wire.server).sort());
  });

  it('end a call once when both clear it at the same time', () => {
    const wire = new Wire(seed);
    wire.client.perform(wire.client.machine.placeCall({ kind: 'outgoing', callId: 1 }));
    wire.settle();

    wire.client.perform(wire.client.machine.clearCall(1));
    wire.server.perform(wire.server.machine.clearCall(1001));
    wire.settle();

    expect(kinds(wire.client).filter((kind) => kind.startsWith('call-cleared'))).toEqual([
      'call-cleared cleared',
    ]);
    expect(kinds(wire.server).filter((kind) => kind.startsWith('call-cleared'))).toEqual([
      'call-cleared cleared',
    ]);
    expect(wire.client.machine.state).toBe('established');
  });

  it('end once when both stop at the same time', () => {
    const wire = new Wire(seed);
    wire.client.perform(wire.client.machine.placeCall({ kind: 'outgoing', callId: 1 }));
    wire.settle();

    wire.client.perform(wire.client.machine.stop());
    wire.server.perform(wire.server.machine.stop());
    wire.settle();

    for (const station of [wire.client, wire.server]) {
      expect(kinds(station).slice(-2)).toEqual(['call-cleared stopped', 'ended stopped']);
    }
  });

  it('incoming calls the other way round', () => {
    const wire = new Wire(seed);
    wire.client.perform(wire.client.machine.placeCall({ kind: 'incoming', callId: 1 }));

    wire.settle();

    expect(wire.client.last('call-connected')).toMatchObject({ role: 'PAC', peerCallId: 1001 });
    expect(wire.server.last('call-connected')).toMatchObject({ role: 'PNS', peerCallId: 1 });
  });

  it('stay up in silence by echoes, for an hour', () => {
    const clock = new VirtualClock();
    const wire = new Wire(seed, clock);
    wire.client.perform(wire.client.machine.placeCall({ kind: 'outgoing', callId: 1 }));
    wire.settle();

    for (let second = 0; second < 3600; second += 1) {
      clock.advance(1000);
      wire.settle();
    }

    expect([wire.client.machine.callCount, wire.server.machine.callCount]).toEqual([1, 1]);
  });
});
