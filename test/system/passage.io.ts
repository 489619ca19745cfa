/** A port of loopback that leads into a namespace: what connects to it goes on from there, with the namespace's own address. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Namespace } from '../netns/namespaces.io.ts';

/** Carries octets between its pipes and a TCP connection. */
const carrier = `const [host, port] = process.argv.slice(1);
const socket = require('node:net').connect(Number(port), host, () => {
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
});
socket.on('error', () => process.exit(1)).on('close', () => process.exit(0));`;

export class Passage {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** To `port` of `host`, from within `namespace`. */
  static async open(namespace: Namespace, host: string, port: number): Promise<Passage> {
    const server = createServer((socket) => {
      const command = [process.execPath, '-e', carrier, host, String(port)];
      const child = namespace.start(command, { stdio: ['pipe', 'pipe', 'inherit'] });
      if (child.stdin === null || child.stdout === null) throw new Error('a carrier needs pipes');
      socket.pipe(child.stdin).on('error', () => socket.destroy());
      child.stdout.pipe(socket);
      child.on('exit', () => socket.end());
      socket.on('error', () => child.kill()).on('close', () => child.kill());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new Passage(server);
  }

  close(): void {
    this.#server.close();
  }
}
