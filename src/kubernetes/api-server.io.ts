/**
 * Requests to the API server, as a pod makes them: HTTPS, the server proved by the cluster's own authority, the pod by the token of its
 * ServiceAccount. Both are read for each request, because the kubelet exchanges them (tokens hourly). One connection each: a watch
 * has it for minutes. What is asked, and what replies mean, is not known here.
 */

import { readFile } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import type { Ask, ReplyEvents } from './cordon-watch.ts';

export interface ApiServerPlace {
  readonly host: string;
  readonly port: number;
}

/** Where the kubelet puts them. */
const accountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

/** A connection that is silent for so long is tried by the kernel, in ms: the way to an API server may go through a NAT that forgets. */
const keepaliveMs = 30_000;

export function apiServerAt(place: ApiServerPlace, directory = accountDirectory): Ask {
  return (path, events) => {
    let request: ClientRequest | undefined;
    let isClosed = false;
    const failed = (error: NodeJS.ErrnoException): void => {
      if (!isClosed) events.failed(error.code ?? error.name, error.message);
    };
    const send = ([token, ca]: readonly [string, string]): void => {
      if (isClosed) return;
      const headers = { accept: 'application/json', authorization: `Bearer ${token.trim()}` };
      request = get({ ...place, path, ca, headers, agent: false });
      request.on('error', failed);
      request.on('socket', (socket) => socket.setKeepAlive(true, keepaliveMs));
      request.on('response', (response) => deliver(response, events, () => isClosed, failed));
    };
    Promise.all([readFile(join(directory, 'token'), 'utf8'), readFile(join(directory, 'ca.crt'), 'utf8')])
      .then(send)
      .catch(failed);
    return {
      close() {
        isClosed = true;
        request?.destroy();
      },
    };
  };
}

function deliver(
  response: IncomingMessage,
  events: ReplyEvents,
  isClosed: () => boolean,
  failed: (error: Error) => void,
): void {
  response.on('data', (octets: Buffer) => {
    if (!isClosed()) events.received(octets);
  });
  response.on('end', () => {
    if (!isClosed()) events.ended();
  });
  // Cut off in the middle; the request says nothing of it any more.
  response.on('error', failed);
  events.answered(response.statusCode ?? 0);
}
