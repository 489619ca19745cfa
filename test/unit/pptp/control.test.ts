import { describe, expect, it } from 'vitest';
import { concat, toBytes } from '../../../src/base/bytes.ts';
import { limits } from '../../../src/base/limits.ts';
import { encode, type Message } from '../../../src/pptp/messages.ts';
import { messageTallies } from '../../../src/pptp/traffic.ts';
import { client, message, Station, server, serverWithCall } from './station.ts';

const startRequest = message('startControlConnectionRequest', { hostName: 'pc', vendorName: 'Microsoft' });

describe('a receiver', () => {
  it('answers Start-Control-Connection-Request and tells who the peer is', () => {
    const station = new Station('receiver');
    station.perform(station.machine.opened());

    station.hear(startRequest);

    expect(station.take()).toMatchObject([
      { name: 'startControlConnectionReply', protocolVersion: 0x0100, resultCode: 1, hostName: 'here' },
    ]);
    expect(station.last('connection-established').peer).toMatchObject({
      hostName: 'pc',
      vendorName: 'Microsoft',
    });
  });

  it('counts what came and what it said, by name', () => {
    const read = () => [
      messageTallies.receive.read('startControlConnectionRequest'),
      messageTallies.transmit.read('startControlConnectionReply'),
      messageTallies.receive.read('outgoingCallRequest'),
      messageTallies.transmit.read('outgoingCallReply'),
    ];
    const before = read();
    const station = new Station('receiver');
    station.perform(station.machine.opened());

    station.hear(startRequest, startRequest, message('outgoingCallRequest', { callId: 7 }));

    expect(read().map((count, at) => count - (before[at] ?? 0))).toEqual([2, 2, 1, 0]);
  });

  it('takes an Outgoing-Call-Request that was sent before its reply, in the same piece or not', () => {
    const station = new Station('receiver');
    station.perform(station.machine.opened());

    station.hear(startRequest, message('outgoingCallRequest', { callId: 7 }));

    expect(station.news.map((each) => each.do)).toEqual(['connection-established', 'call-requested']);
  });

  it('refuses a call before Start-Control-Connection-Request, and goes on', () => {
    const station = new Station('receiver');
    station.perform(station.machine.opened());

    station.hear(message('outgoingCallRequest', { callId: 7 }), startRequest);

    expect(station.take()).toMatchObject([
      { name: 'outgoingCallReply', peersCallId: 7, callId: 0, resultCode: 2, errorCode: 1 },
      { name: 'startControlConnectionReply', resultCode: 1 },
    ]);
    expect(station.notices).toEqual(['call-not-connected']);
  });

  it('answers a second Start-Control-Connection-Request with result 3, and goes on with its call', () => {
    const station = serverWithCall(5, 6);

    station.hear(startRequest);

    expect(station.take()).toMatchObject([{ name: 'startControlConnectionReply', resultCode: 3 }]);
    expect([station.machine.state, station.machine.callCount]).toEqual(['established', 1]);
  });

  it('is as tolerant of a second one that has a strange version', () => {
    const station = serverWithCall(5, 6);

    station.hear(message('startControlConnectionRequest', { protocolVersion: 0x0900 }));

    expect(station.take()).toMatchObject([{ resultCode: 3 }]);
    expect(station.machine.state).toBe('established');
  });

  it.each([0x0100, 0x0101, 0x01ff])('takes version %i, which is a version 1', (protocolVersion) => {
    const station = new Station('receiver');

    station.hear(message('startControlConnectionRequest', { protocolVersion }));

    expect(station.machine.state).toBe('established');
  });

  it.each([0x0000, 0x0001, 0x0200])('refuses version %i with result 5 and closes', (protocolVersion) => {
    const station = new Station('receiver');

    station.hear(message('startControlConnectionRequest', { protocolVersion }));

    expect(station.take()).toMatchObject([{ name: 'startControlConnectionReply', resultCode: 5 }]);
    expect(station.isClosed).toBe(true);
    expect(station.last('ended').cause).toBe('version-unsupported');
  });

  it('closes when no request comes in time', () => {
    const station = new Station('receiver');
    station.perform(station.machine.opened());

    station.clock.advance(limits.connectionSetUpMs);

    expect(station.news).toEqual([{ do: 'ended', cause: 'no-call-in-time', detail: '' }]);
    expect(station.isClosed).toBe(true);
  });
});

describe('an originator', () => {
  it('sends Start-Control-Connection-Request when TCP is open', () => {
    const station = new Station('originator');

    station.perform(station.machine.opened());

    expect(station.take()).toMatchObject([
      { name: 'startControlConnectionRequest', protocolVersion: 0x0100 },
    ]);
  });

  it('is established by the reply', () => {
    expect(client().news.map((each) => each.do)).toEqual(['connection-established']);
  });

  it('ends when it is refused, with the codes of the peer', () => {
    const station = new Station('originator');
    station.perform(station.machine.opened());

    station.hear(message('startControlConnectionReply', { resultCode: 2, errorCode: 4 }));

    expect(station.last('ended')).toMatchObject({
      cause: 'start-refused',
      detail: 'result 2 (generalError), error 4 (noResource)',
    });
    expect(station.isClosed).toBe(true);
  });

  it('stops for the protocol when the reply has another version', () => {
    const station = new Station('originator');
    station.perform(station.machine.opened()).take();

    station.hear(message('startControlConnectionReply', { resultCode: 1, protocolVersion: 0x0200 }));

    expect(station.take()).toMatchObject([{ name: 'stopControlConnectionRequest', reason: 2 }]);
    station.hear(message('stopControlConnectionReply', { resultCode: 1 }));
    expect(station.last('ended')).toMatchObject({ cause: 'version-unsupported', detail: 'version 2.0' });
  });

  it('ends when no reply comes', () => {
    const station = new Station('originator');
    station.perform(station.machine.opened());

    station.clock.advance(limits.connectionSetUpMs);

    expect(station.news).toMatchObject([{ do: 'ended', cause: 'start-unanswered' }]);
  });

  it('answers a request of the peer on its own connection, and is established by its own reply', () => {
    const station = new Station('originator');
    station.perform(station.machine.opened()).take();

    station.hear(startRequest);
    expect(station.take()).toMatchObject([{ name: 'startControlConnectionReply', resultCode: 1 }]);
    expect(station.machine.state).toBe('wait-ctl-reply');

    station.hear(message('startControlConnectionReply', { resultCode: 1 }));
    expect(station.machine.state).toBe('established');
  });
});

describe('echo', () => {
  const echo = message('echoRequest', { identifier: 0xfedcba98 });
  const answer: Partial<Message> = { name: 'echoReply', identifier: 0xfedcba98, resultCode: 1 };

  it('is answered in every state', () => {
    const idle = new Station('receiver');
    const waiting = new Station('originator');
    waiting.perform(waiting.machine.opened()).take();
    const stopping = server();
    stopping.perform(stopping.machine.stop()).take();

    for (const station of [idle, waiting, server(), serverWithCall(1, 2), stopping]) {
      expect(station.hear(echo).take()).toMatchObject([answer]);
    }
  });

  it('is asked after 60 s of silence, again after the next 60 s', () => {
    const station = serverWithCall(1, 2);

    station.clock.advance(60_000);
    expect(station.take()).toMatchObject([{ name: 'echoRequest', identifier: 1 }]);
    station.clock.advance(1000);
    station.hear(message('echoReply', { identifier: 1, resultCode: 1 }));
    station.clock.advance(60_000);

    expect(station.take()).toMatchObject([{ name: 'echoRequest', identifier: 2 }]);
  });

  it('is not asked while the peer says anything at all', () => {
    const station = serverWithCall(1, 2);

    for (let minute = 0; minute < 10; minute += 1) {
      station.clock.advance(59_000);
      station.hear(message('setLinkInfo', { peersCallId: 1 }));
    }

    expect(station.take()).toEqual([]);
  });

  it('that is not answered within 60 s ends the connection and its calls', () => {
    const station = serverWithCall(1, 2);

    station.clock.advance(120_000);

    expect(station.news.slice(-2)).toEqual([
      { do: 'call-cleared', callId: 1, cause: 'echo-unanswered', detail: '' },
      { do: 'ended', cause: 'echo-unanswered', detail: '' },
    ]);
    expect(station.isClosed).toBe(true);
  });

  it('is taken as answered by any message', () => {
    const station = serverWithCall(1, 2);
    station.clock.advance(60_000);

    station.clock.advance(59_000);
    station.hear(echo);
    station.clock.advance(59_000);

    expect(station.machine.state).toBe('established');
  });
});

describe('a connection without an established call', () => {
  it('is stopped when its time is up, whatever was asked meanwhile', () => {
    const station = server();
    station.hear(message('outgoingCallRequest', { callId: 7 }));

    station.clock.advance(limits.connectionSetUpMs);

    expect(station.take()).toMatchObject([{ name: 'stopControlConnectionRequest', reason: 1 }]);
    expect(station.last('call-withdrawn').cause).toBe('no-call-in-time');
    station.clock.advance(limits.shutdownMs);
    expect(station.last('ended').cause).toBe('no-call-in-time');
  });

  it('is left alone once it has one', () => {
    const station = serverWithCall(1, 2);

    station.clock.advance(limits.connectionSetUpMs + 1);

    expect(station.machine.state).toBe('established');
  });

  it('has the same time again after its last call', () => {
    const station = serverWithCall(1, 2);
    station.clock.advance(50_000);
    station.hear(message('callClearRequest', { callId: 2 }));

    station.clock.advance(limits.connectionSetUpMs - 1);
    expect(station.machine.state).toBe('established');
    station.clock.advance(1);

    expect(station.machine.state).toBe('wait-stop-reply');
  });
});

describe('the end', () => {
  it('by the peer: answered, calls ended, TCP closed, in this order', () => {
    const station = serverWithCall(1, 2);

    const effects = station.machine.received(encode(message('stopControlConnectionRequest', { reason: 1 })));

    expect(effects).toMatchObject([
      { do: 'send' },
      { do: 'call-cleared', callId: 1, cause: 'peer-stopped', detail: 'reason 1 (none)' },
      { do: 'close' },
      { do: 'ended', cause: 'peer-stopped' },
    ]);
    expect(station.perform(effects).take()).toMatchObject([
      { name: 'stopControlConnectionReply', resultCode: 1 },
    ]);
  });

  it('by us: calls end at once, the connection with the reply', () => {
    const station = serverWithCall(1, 2);

    station.perform(station.machine.stop());
    expect(station.take()).toMatchObject([{ name: 'stopControlConnectionRequest', reason: 3 }]);
    expect(station.last('call-cleared')).toMatchObject({ callId: 1, cause: 'stopped' });
    expect(station.machine.state).toBe('wait-stop-reply');

    station.hear(message('stopControlConnectionReply', { resultCode: 1 }));
    expect(station.last('ended').cause).toBe('stopped');
    expect(station.isClosed).toBe(true);
  });

  it('by us does not wait longer than a shutdown may last', () => {
    const station = serverWithCall(1, 2);

    station.perform(station.machine.stop());
    station.clock.advance(limits.shutdownMs);

    expect(station.last('ended').cause).toBe('stopped');
  });

  it('by both at once: each answers, and each keeps its own cause', () => {
    const station = serverWithCall(1, 2);
    station.perform(station.machine.stop()).take();

    station.hear(message('stopControlConnectionRequest', { reason: 1 }));

    expect(station.take()).toMatchObject([{ name: 'stopControlConnectionReply' }]);
    expect(station.last('ended').cause).toBe('stopped');
  });

  it('by TCP: calls end, nothing is sent or closed', () => {
    const station = serverWithCall(1, 2);

    expect(station.machine.closed()).toEqual([
      { do: 'call-cleared', callId: 1, cause: 'tcp-closed', detail: '' },
      { do: 'ended', cause: 'tcp-closed', detail: '' },
    ]);
  });

  it('by octets that are not PPTP, with what was wrong; what stood before them still counts', () => {
    const station = serverWithCall(1, 2);
    const clear = encode(message('callClearRequest', { callId: 2 }));

    station.perform(station.machine.received(concat(clear, toBytes('GET / HTTP/1.1\r\n\r\n'))));

    expect(station.last('call-cleared').cause).toBe('peer-cleared');
    expect(station.last('ended')).toMatchObject({
      cause: 'malformed',
      detail: 'PPTP_BAD_MESSAGE_TYPE (pptpMessageType at octet 2)',
    });
    expect(station.isClosed).toBe(true);
  });

  it('is final: what stood behind it, deadlines and TCP change nothing', () => {
    const station = serverWithCall(1, 2);

    station.hear(message('stopControlConnectionRequest'), startRequest, message('echoRequest'));
    expect(station.take()).toHaveLength(1);

    const { machine } = station;
    const after = [
      machine.received(encode(startRequest)),
      machine.closed(),
      machine.stop(),
      machine.opened(),
      machine.expired('set-up'),
      machine.expired('silence'),
      machine.expired('echoReply'),
      machine.expired('call-reply:1'),
    ];
    expect(after.flat()).toEqual([]);
  });
});

it('ignores a message that its state does not admit, and lives on', () => {
  const station = serverWithCall(1, 2);

  station.hear(message('startControlConnectionReply', { resultCode: 2 }));
  station.hear(message('stopControlConnectionReply', { resultCode: 1 }));

  expect(station.notices).toEqual(['message-out-of-state', 'message-out-of-state']);
  expect(station.take()).toEqual([]);
  expect([station.machine.state, station.machine.callCount]).toEqual(['established', 1]);
});
