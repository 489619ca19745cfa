/**
 * Plays the API server of Kubernetes in a namespace, for one node: a process of its own, which lists the node as it is at first, and
 * tells every watch what it is told to.
 *
 *     const apiServer = await ApiServer.start(site.client, '10.200.0.2', authority.vouchFor('10.200.0.2', 'server'));
 *     apiServer.say(modified('101', true));
 */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { fileURLToPath } from 'node:url';
import type { Namespace } from '../netns/namespaces.io.ts';
import { nodeList, nodeObject } from '../unit/kubernetes/words.ts';
import type { CertificateFiles } from './certificates.io.ts';

export class ApiServer {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** Resolves when it listens, on port 6443. It ends with its namespace. */
  static async start(namespace: Namespace, host: string, files: CertificateFiles): Promise<ApiServer> {
    const loader = fileURLToPath(new URL('typescript.mjs', import.meta.url));
    const program = [process.execPath, '--import', loader, fileURLToPath(import.meta.url)];
    const words = ['child', host, files.certificate, files.key];
    const child = namespace.start([...program, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (child.stdout === null) throw new Error('nobody says when it listens');
    await once(child.stdout, 'data');
    return new ApiServer(child);
  }

  /** To every watch that there is. */
  say(line: string): void {
    this.#process.stdin?.write(line);
  }
}

function serve(host: string, certificate: string, key: string): void {
  const watches = new Set<ServerResponse>();
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
  server.on('request', (request, response) => {
    if (request.url?.includes('watch=true') !== true) {
      response.end(nodeList('100', nodeObject('1', false)));
      return;
    }
    response.flushHeaders();
    watches.add(response);
    response.on('close', () => watches.delete(response));
  });
  process.stdin.on('data', (octets) => {
    for (const watch of watches) watch.write(octets);
  });
  server.listen(6443, host, () => process.stdout.write('listening\n'));
}

const [role, host = '', certificate = '', key = ''] = process.argv.slice(2);
if (role === 'child') serve(host, certificate, key);
