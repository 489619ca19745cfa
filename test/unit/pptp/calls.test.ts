import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { client, message, Station, server, serverWithCall } from './station.ts';

/** Outgoing-Call-Request as Windows XP sends it. */
const windowsCall = message('outgoingCallRequest', {
  callId: 0,
  callSerialNumber: 31240,
  minimumBps: 300,
  maximumBps: 100_000_000,
  bearerType: 3,
  framingType: 3,
  packetRecvWindowSize: 64,
  phoneNumber: '5550',
  phoneNumberLength: 4,
});

const connectedReply = message('outgoingCallReply', { callId: 900, peersCallId: 5, resultCode: 1 });

/** A client that has placed call 5 and waits for its reply. */
function calling(): Station {
  const station = client();
  station.perform(station.machine.placeCall({ kind: 'outgoing', callId: 5 })).take();
  return station;
}

/** A client with call 5 established; the peer's id is 900. */
function called(): Station {
  return calling().hear(connectedReply);
}

describe('an outgoing call that we are asked for, as the PAC', () => {
  it('is told with everything that the peer asks, call id 0 as any other', () => {
    const station = server().hear(windowsCall);

    expect(station.last('call-requested')).toEqual({
      do: 'call-requested',
      request: 1,
      kind: 'outgoing',
      peerCallId: 0,
      callSerialNumber: 31240,
      minimumBps: 300,
      maximumBps: 100_000_000,
      bearerType: 3,
      framingType: 3,
      packetRecvWindowSize: 64,
      calledNumber: '5550',
      callingNumber: '',
      subaddress: '',
    });
  });

  it('is accepted with our id; speed and window are given back', () => {
    const station = server().hear(windowsCall);

    station.perform(station.machine.answerCall(1, { accept: true, callId: 77 }));

    expect(station.take()).toEqual([
      message('outgoingCallReply', {
        callId: 77,
        peersCallId: 0,
        resultCode: 1,
        connectSpeed: 100_000_000,
        packetRecvWindowSize: 64,
      }),
    ]);
    expect(station.last('call-connected')).toMatchObject({
      callId: 77,
      peerCallId: 0,
      role: 'PAC',
      kind: 'outgoing',
    });
  });

  it('is accepted with a window of 64 when it asks for none', () => {
    const station = server().hear(message('outgoingCallRequest', { callId: 3 }));

    station.perform(station.machine.answerCall(1, { accept: true, callId: 77 }));

    expect(station.take()).toMatchObject([{ packetRecvWindowSize: 64 }]);
  });

  it('is refused in the words of the RFC, and is then gone without further news', () => {
    const codes = {
      'do-not-accept': [7, 0],
      busy: [4, 0],
      'no-resource': [2, 4],
      'bad-call-id': [2, 5],
      'not-connected': [2, 1],
    } as const;
    for (const [why, [resultCode, errorCode]] of Object.entries(codes)) {
      const station = server().hear(windowsCall);
      const news = station.news.length;
      station.perform(station.machine.answerCall(1, { accept: false, why: why as keyof typeof codes }));
      expect(station.take(), why).toMatchObject([
        { name: 'outgoingCallReply', callId: 0, resultCode, errorCode },
      ]);
      expect([station.machine.callCount, station.news.length]).toEqual([0, news]);
    }
  });

  it('is refused as Bad-Call ID when the peer has that id on the connection already', () => {
    const station = serverWithCall(77, 0);

    station.hear(windowsCall);

    expect(station.take()).toMatchObject([{ peersCallId: 0, resultCode: 2, errorCode: 5 }]);
    expect(station.machine.callCount).toBe(1);
  });

  it('is refused as No-Resource when the connection has as many as it may have', () => {
    const station = server();
    for (let callId = 0; callId < limits.callsPerConnection; callId += 1)
      station.hear(message('outgoingCallRequest', { callId }));
    expect(station.take()).toEqual([]);

    station.hear(message('outgoingCallRequest', { callId: 60_000 }));

    expect(station.take()).toMatchObject([{ peersCallId: 60_000, resultCode: 2, errorCode: 4 }]);
    expect(station.machine.callCount).toBe(limits.callsPerConnection);
  });

  it('is withdrawn when the peer clears it before our answer, which is then stale', () => {
    const station = server().hear(windowsCall, message('callClearRequest', { callId: 0 }));

    expect(station.last('call-withdrawn')).toMatchObject({ request: 1, cause: 'peer-cleared' });
    expect(station.take()).toMatchObject([{ name: 'callDisconnectNotify', callId: 0, resultCode: 4 }]);
    station.perform(station.machine.answerCall(1, { accept: true, callId: 77 }));
    expect(station.take()).toEqual([]);
    expect(station.notices).toEqual(['answer-stale']);
  });

  it('that took the place of a withdrawn one does not get its answer', () => {
    const station = server().hear(windowsCall, message('callClearRequest', { callId: 0 }), windowsCall);
    station.take();

    station.perform(station.machine.answerCall(1, { accept: false, why: 'busy' }));

    expect(station.take()).toEqual([]);
    expect(station.machine.callCount).toBe(1);
  });

  it('is disconnected by us with the reason given', () => {
    const station = serverWithCall(77, 0);

    station.perform(station.machine.clearCall(77, 'lostCarrier'));

    expect(station.take()).toMatchObject([{ name: 'callDisconnectNotify', callId: 77, resultCode: 1 }]);
    expect(station.last('call-cleared')).toMatchObject({ callId: 77, cause: 'cleared' });
  });
});

describe('Call-Clear-Request', () => {
  it('is matched by the id that the peer gave the call, and answered with ours', () => {
    const station = serverWithCall(78, 2, serverWithCall(77, 1));

    station.hear(message('callClearRequest', { callId: 1 }));

    expect(station.take()).toMatchObject([{ name: 'callDisconnectNotify', callId: 77, resultCode: 4 }]);
    expect(station.last('call-cleared')).toMatchObject({ callId: 77, cause: 'peer-cleared' });
    expect(station.machine.callCount).toBe(1);
  });

  it('with any id clears the only call that the connection ever had', () => {
    const station = serverWithCall(77, 1);

    station.hear(message('callClearRequest', { callId: 0xbeef }));

    expect(station.take()).toMatchObject([{ name: 'callDisconnectNotify', callId: 77, resultCode: 4 }]);
    expect(station.notices).toEqual(['call-taken-for-only']);
  });

  it('of a call that we have just disconnected does not end the other one', () => {
    const station = serverWithCall(78, 2, serverWithCall(77, 1));
    station.perform(station.machine.clearCall(77)).take();

    station.hear(message('callClearRequest', { callId: 1 }));

    expect(station.machine.callCount).toBe(1);
    expect(station.notices).toEqual(['call-unknown']);
  });

  it('of an unknown call is answered with Bad-Call ID and the id of no call', () => {
    const station = server().hear(message('callClearRequest', { callId: 9 }));

    expect(station.take()).toMatchObject([
      { name: 'callDisconnectNotify', callId: 0, resultCode: 2, errorCode: 5 },
    ]);
  });
});

describe('messages that only inform', () => {
  it('change nothing and are not answered: Set-Link-Info, WAN-Error-Notify', () => {
    const station = serverWithCall(77, 1);
    const accm = message('setLinkInfo', { peersCallId: 77, sendAccm: 0xffffffff, receiveAccm: 0xffffffff });

    station.hear(accm, accm, message('wanErrorNotify', { peersCallId: 77, crcErrors: 3 }));

    expect(station.take()).toEqual([]);
    expect(station.notices).toEqual(['link-info-ignored', 'link-info-ignored', 'wan-error']);
    expect(station.machine.callCount).toBe(1);
  });

  it('may speak of a call that is not there', () => {
    const station = serverWithCall(77, 1).hear(message('setLinkInfo', { peersCallId: 78 }));

    expect(station.notices).toEqual(['call-unknown']);
  });
});

describe('an outgoing call that we place, as the PNS', () => {
  it('is requested when the connection is established, not before', () => {
    const station = new Station('originator');
    station.perform(station.machine.placeCall({ kind: 'outgoing', callId: 5, calledNumber: 'RELAY_PPP1' }));
    station.perform(station.machine.opened());
    expect(station.take()).toMatchObject([{ name: 'startControlConnectionRequest' }]);

    station.hear(message('startControlConnectionReply', { resultCode: 1 }));

    expect(station.take()).toMatchObject([
      {
        name: 'outgoingCallRequest',
        callId: 5,
        phoneNumber: 'RELAY_PPP1',
        phoneNumberLength: 10,
        bearerType: 3,
      },
    ]);
  });

  it('is connected by the reply, which tells the id of the peer', () => {
    expect(called().last('call-connected')).toMatchObject({
      callId: 5,
      peerCallId: 900,
      role: 'PNS',
      kind: 'outgoing',
    });
  });

  it('is connected even if the peer calls it 0', () => {
    const station = calling().hear(
      message('outgoingCallReply', { callId: 0, peersCallId: 5, resultCode: 1 }),
    );

    expect(station.last('call-connected').peerCallId).toBe(0);
    station.hear(message('callDisconnectNotify', { callId: 0, resultCode: 1 }));
    expect(station.last('call-cleared').cause).toBe('peer-disconnected');
  });

  it('fails when it is refused, with the codes of the peer', () => {
    const station = calling().hear(message('outgoingCallReply', { peersCallId: 5, resultCode: 4 }));

    expect(station.last('call-failed')).toEqual({
      do: 'call-failed',
      callId: 5,
      cause: 'refused',
      detail: 'result 4 (busy)',
    });
    expect(station.timers.has('call-reply:5')).toBe(false);
  });

  it('that nobody answers is cleared, and fails when that is answered', () => {
    const station = calling();

    station.clock.advance(20_000);
    expect(station.take()).toMatchObject([{ name: 'callClearRequest', callId: 5 }]);
    station.hear(message('callDisconnectNotify', { callId: 900, resultCode: 4 }));

    expect(station.last('call-failed')).toMatchObject({ callId: 5, cause: 'unanswered' });
  });

  it('that nobody answers fails in the end, and the connection lives on', () => {
    const station = calling();

    station.clock.advance(29_000);

    expect(station.last('call-failed')).toMatchObject({ callId: 5, cause: 'unanswered' });
    expect(station.machine.state).toBe('established');
  });

  it('is cleared by asking the PAC, and over when that answers', () => {
    const station = called();

    station.perform(station.machine.clearCall(5));
    expect(station.take()).toMatchObject([{ name: 'callClearRequest', callId: 5 }]);
    expect(station.machine.callCount).toBe(1);
    station.hear(message('callDisconnectNotify', { callId: 900, resultCode: 4 }));

    expect(station.last('call-cleared')).toEqual({
      do: 'call-cleared',
      callId: 5,
      cause: 'cleared',
      detail: '',
    });
    expect(station.machine.callCount).toBe(0);
  });

  it('is over when the PAC does not answer its clearing', () => {
    const station = called();

    station.perform(station.machine.clearCall(5));
    station.clock.advance(limits.shutdownMs);

    expect(station.last('call-cleared').cause).toBe('cleared');
  });

  it('cleared while the reply is under way stays cleared', () => {
    const station = calling();
    station.perform(station.machine.clearCall(5)).take();

    station.hear(connectedReply, message('callDisconnectNotify', { callId: 900, resultCode: 4 }));

    expect(station.last('call-failed')).toMatchObject({ callId: 5, cause: 'cleared' });
    expect(station.news.map((each) => each.do)).not.toContain('call-connected');
  });

  it('cleared before the connection is established is never requested', () => {
    const station = new Station('originator');
    station.perform(station.machine.opened());
    station.perform(station.machine.placeCall({ kind: 'outgoing', callId: 5 }));

    station.perform(station.machine.clearCall(5)).take();
    station.hear(message('startControlConnectionReply', { resultCode: 1 }));

    expect(station.take()).toEqual([]);
    expect(station.last('call-failed').cause).toBe('cleared');
  });

  it('is not connected by Incoming-Call-Reply', () => {
    const station = calling().hear(
      message('incomingCallReply', { callId: 900, peersCallId: 5, resultCode: 1 }),
    );

    expect(station.notices).toEqual(['message-out-of-state']);
  });

  it('is connected once: a second reply changes nothing', () => {
    const station = called().hear({ ...connectedReply, callId: 901, resultCode: 2 });

    expect(station.notices).toEqual(['message-out-of-state']);
    expect(station.machine.callCount).toBe(1);
  });

  it('takes Call-Clear-Request from the wrong side, and answers it', () => {
    const station = called().hear(message('callClearRequest', { callId: 900 }));

    expect(station.take()).toMatchObject([{ name: 'callDisconnectNotify', callId: 5, resultCode: 4 }]);
    expect(station.last('call-cleared').cause).toBe('peer-cleared');
  });

  it('fails at once on a connection that has ended or is ending', () => {
    const station = client();
    station.perform(station.machine.stop());

    station.perform(station.machine.placeCall({ kind: 'outgoing', callId: 5 }));

    expect(station.last('call-failed')).toMatchObject({ callId: 5, cause: 'stopped' });
  });

  it('fails when the connection has as many as it may have', () => {
    const station = client();
    for (let callId = 1; callId <= limits.callsPerConnection; callId += 1)
      station.perform(station.machine.placeCall({ kind: 'outgoing', callId }));

    station.perform(station.machine.placeCall({ kind: 'outgoing', callId: 60_000 }));

    expect(station.last('call-failed')).toMatchObject({ callId: 60_000, cause: 'too-many-calls' });
  });
});

describe('an incoming call', () => {
  const request = message('incomingCallRequest', {
    callId: 3,
    callSerialNumber: 4,
    callBearerType: 1,
    dialedNumber: '100',
    dialingNumber: '200',
    subaddress: '1',
  });

  it('that we are asked for, as the PNS, is connected when the PAC says so', () => {
    const station = server().hear(request);
    expect(station.last('call-requested')).toMatchObject({
      kind: 'incoming',
      peerCallId: 3,
      callSerialNumber: 4,
      calledNumber: '100',
      callingNumber: '200',
    });

    station.perform(station.machine.answerCall(1, { accept: true, callId: 8 }));
    expect(station.take()).toMatchObject([
      { name: 'incomingCallReply', callId: 8, peersCallId: 3, resultCode: 1, packetRecvWindowSize: 64 },
    ]);
    station.hear(message('incomingCallConnected', { peersCallId: 8, connectSpeed: 64_000 }));

    expect(station.last('call-connected')).toMatchObject({ callId: 8, role: 'PNS', connectSpeed: 64_000 });
    expect(station.timers.has('call-reply:8')).toBe(false);
  });

  it('that the PAC does not connect is cleared and fails', () => {
    const station = server().hear(request);
    station.perform(station.machine.answerCall(1, { accept: true, callId: 8 })).take();

    station.clock.advance(20_000);
    expect(station.take()).toMatchObject([{ name: 'callClearRequest', callId: 8 }]);
    station.hear(message('callDisconnectNotify', { callId: 3, resultCode: 4 }));

    expect(station.last('call-failed')).toMatchObject({ callId: 8, cause: 'unanswered' });
  });

  it('is refused in the words of the RFC, which has no Busy here', () => {
    const station = server().hear(request);

    station.perform(station.machine.answerCall(1, { accept: false, why: 'busy' }));

    expect(station.take()).toMatchObject([
      { name: 'incomingCallReply', callId: 0, peersCallId: 3, resultCode: 3 },
    ]);
  });

  it('that we place, as the PAC, is connected by us when the PNS accepts', () => {
    const station = client();
    const numbers = { calledNumber: '100', callingNumber: '200' };
    station.perform(station.machine.placeCall({ kind: 'incoming', callId: 8, ...numbers }));
    expect(station.take()).toMatchObject([
      {
        name: 'incomingCallRequest',
        callId: 8,
        dialedNumber: '100',
        dialedNumberLength: 3,
        dialingNumber: '200',
      },
    ]);

    station.hear(
      message('incomingCallReply', { callId: 3, peersCallId: 8, resultCode: 1, packetRecvWindowSize: 9 }),
    );

    expect(station.take()).toMatchObject([{ name: 'incomingCallConnected', peersCallId: 3 }]);
    expect(station.last('call-connected')).toMatchObject({
      callId: 8,
      peerCallId: 3,
      role: 'PAC',
      packetRecvWindowSize: 9,
    });
  });

  it('that the PNS does not answer is disconnected and fails', () => {
    const station = client();
    station.perform(station.machine.placeCall({ kind: 'incoming', callId: 8 })).take();

    station.clock.advance(20_000);

    expect(station.take()).toMatchObject([{ name: 'callDisconnectNotify', callId: 8, resultCode: 2 }]);
    expect(station.last('call-failed')).toMatchObject({ callId: 8, cause: 'unanswered' });
  });
});

describe('a call in any state', () => {
  const clearing = () => {
    const station = called();
    return station.perform(station.machine.clearCall(5));
  };
  const placedEarly = () => {
    const station = new Station('originator');
    return station
      .perform(station.machine.opened())
      .perform(station.machine.placeCall({ kind: 'outgoing', callId: 5 }));
  };
  const accepted = () => {
    const station = server().hear(message('incomingCallRequest', { callId: 3 }));
    return station.perform(station.machine.answerCall(1, { accept: true, callId: 5 }));
  };

  it.each([
    ['wait-connection', placedEarly, 'call-failed', 'tcp-closed'],
    ['wait-answer', () => server().hear(windowsCall), 'call-withdrawn', 'tcp-closed'],
    ['wait-reply', calling, 'call-failed', 'tcp-closed'],
    ['wait-connect', accepted, 'call-failed', 'tcp-closed'],
    ['established', called, 'call-cleared', 'tcp-closed'],
    ['wait-disconnect', clearing, 'call-cleared', 'cleared'],
  ] as const)('%s: is told one end when TCP is gone', (_state, make, kind, cause) => {
    const station = make();
    const before = station.news.length;

    station.perform(station.machine.closed());

    expect(station.news.slice(before)).toMatchObject([
      { do: kind, cause },
      { do: 'ended', cause: 'tcp-closed' },
    ]);
    expect(station.timers.size).toBe(0);
  });
});

describe('our owner', () => {
  it('is told by a notice that it answers a call twice', () => {
    const station = serverWithCall(77, 1);

    station.perform(station.machine.answerCall(1, { accept: false, why: 'busy' }));

    expect(station.notices).toEqual(['answer-stale']);
    expect(station.take()).toEqual([]);
  });

  it('may clear a call that has ended meanwhile', () => {
    const station = server();

    station.perform(station.machine.clearCall(77));

    expect(station.notices).toEqual(['clear-stale']);
  });

  it.each([0, -1, 1.5, 0x10000, Number.NaN])('may not give a call the id %d', (callId) => {
    const station = server().hear(windowsCall);

    expect(() => station.machine.answerCall(1, { accept: true, callId })).toThrow(RangeError);
    expect(() => station.machine.placeCall({ kind: 'outgoing', callId })).toThrow(RangeError);
  });

  it('may not give two calls of a connection the same id', () => {
    const station = serverWithCall(77, 1).hear(windowsCall);

    expect(() => station.machine.answerCall(2, { accept: true, callId: 77 })).toThrow(RangeError);
  });
});
