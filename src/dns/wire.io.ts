/**
 * Ways to a name server, UDP and TCP: one socket per line, so that each transaction has a port of its own, which the kernel
 * chooses and nobody guesses. Connected, so that the kernel lets through what comes from the server alone. IPv4.
 */

import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { Malformed } from '../base/fault.ts';
import { framed, MessageStream } from './message-stream.ts';
import type { Line, LineEvents, OpenLine } from './transaction.ts';

/** `host` is an address or a name, which the system resolves. */
export function lineTo(host: string, port: number): OpenLine {
  return (transport, events) => (transport === 'udp' ? openUdp : openTcp)(host, port, events);
}

const codeOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message;

function openUdp(host: string, port: number, events: LineEvents): Line {
  const socket = createSocket('udp4');
  /** Until it is connected. */
  const waiting: Uint8Array[] = [];
  let state: 'opening' | 'open' | 'closed' = 'opening';
  const failed = (error: Error): void => {
    if (state !== 'closed') events.failed(codeOf(error));
  };
  const send = (message: Uint8Array): void => socket.send(message, (error) => void (error && failed(error)));

  socket.on('error', failed);
  socket.on('message', (octets) => {
    if (state !== 'closed') events.received(new Uint8Array(octets));
  });
  socket.once('connect', () => {
    if (state === 'closed') return;
    state = 'open';
    for (const message of waiting) send(message);
  });
  socket.connect(port, host);
  return {
    send(message) {
      if (state === 'open') send(message);
      else if (state === 'opening') waiting.push(message);
    },
    close() {
      if (state === 'closed') return;
      state = 'closed';
      socket.close();
    },
  };
}

function openTcp(host: string, port: number, events: LineEvents): Line {
  const stream = new MessageStream();
  const socket = connect({ host, port, family: 4, noDelay: true });
  let isClosed = false;
  const failed = (why: string): void => {
    if (!isClosed) events.failed(why);
  };

  socket.on('error', (error) => failed(codeOf(error)));
  socket.on('close', () => failed('closed'));
  socket.on('data', (octets) => {
    const messages = stream.push(octets);
    if (messages instanceof Malformed) failed(messages.code);
    else for (const message of messages) if (!isClosed) events.received(message);
  });
  return {
    send: (message) => void socket.write(framed(message)),
    close() {
      isClosed = true;
      socket.destroy();
    },
  };
}
