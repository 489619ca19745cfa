/** What an authority is asked: may who shows these credentials come in here, now? Types only. */

import type { Credentials } from '../ppp/auth/credentials.ts';
import type { SessionIdentity } from './identity.ts';

export interface Question {
  readonly credentials: Credentials;
  /** Address that the peer calls from, in dotted form. */
  readonly callerId: string;
  /** Name of the server's default profile. */
  readonly defaultProfile: string;
  readonly identity: SessionIdentity;
  /** The conversation that `credentials` go on with: what the verdict before was `Continued` by. EAP only. */
  readonly resume?: Resume;
}

/** Where a conversation with a RADIUS server stands. */
export interface Resume {
  /** State of its Access-Challenge; undefined if it sent none. */
  readonly state: Uint8Array | undefined;
  /** The server that holds the other end: `192.0.2.1:1812`. */
  readonly server: string;
}
