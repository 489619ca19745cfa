/**
 * RADIUS over UDP (RFC 2865 section 2.4): one connected socket per `openUdp`, so that the kernel lets through what comes from
 * the server's own address and port and nothing else. One datagram is one packet.
 */

import { createSocket, type Socket } from 'node:dgram';
import { isIpv6 } from './address.ts';
import type { Wire, WireEnds, WireEvents } from './wire.ts';

/** A server that was frozen answers thousands at once; the kernel's 208 KiB hold some 160 of the longest packets with its overhead. */
const receiveBufferBytes = 4 * 1024 * 1024;

export function openUdp(ends: WireEnds, events: WireEvents): Wire {
  const type = isIpv6(ends.address) ? 'udp6' : 'udp4';
  const socket = createSocket({ type, recvBufferSize: receiveBufferBytes });
  let isOpen = false;
  let isOver = false;

  const end = (): void => {
    isOver = true;
    isOpen = false;
    socket.close();
  };
  // Of an open socket these are ICMP's words about a packet that was sent; others mean that it never opened.
  const failed = (error: Error): void => {
    if (isOver) return;
    if (isOpen) {
      events.undelivered(error.message);
    } else {
      end();
      events.lost(error.message);
    }
  };

  socket.on('error', failed);
  socket.on('message', (octets) => {
    if (!isOver) events.received(new Uint8Array(octets));
  });
  bind(socket, ends, () => {
    if (isOver) return;
    isOpen = true;
    const { address, port } = socket.address();
    events.opened(address, port);
  });
  return {
    send(octets) {
      if (isOpen) socket.send(octets, (error) => void (error && failed(error)));
    },
    close() {
      if (!isOver) end();
    },
  };
}

/** Binds and connects; a failure of either is the socket's `error`. */
function bind(socket: Socket, ends: WireEnds, done: () => void): void {
  const { address, port, sourceAddress, sourcePort } = ends;
  const here = {
    ...(sourceAddress === undefined ? {} : { address: sourceAddress }),
    ...(sourcePort === undefined ? {} : { port: sourcePort }),
    exclusive: true,
  };
  socket.once('connect', done);
  socket.bind(here, () => socket.connect(port, address));
}
