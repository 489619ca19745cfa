/**
 * What can be wrong with the way to Redis that an operator can mend: errors of TLS and replies of the server enter, faults with what to
 * do leave. Pure.
 */

import { Fault } from './fault.ts';
import type { Log, Severity } from './observe.ts';

interface Trouble {
  /** Of the error's code, a space, and its message. */
  readonly pattern: RegExp;
  readonly code: string;
  readonly text: string;
  readonly hint: string;
}

const troubles: readonly Trouble[] = [
  {
    pattern: /\b(WRONGPASS|NOAUTH|ERR invalid password)\b/,
    code: 'REDIS_PASSWORD',
    text: 'redis does not take our user and password',
    hint: 'Compare redis-user and redis-password of /system cluster with what ACL LIST says on the server.',
  },
  {
    pattern: /\bNOPERM\b/,
    code: 'REDIS_PERMISSION',
    text: 'redis does not let our user do what the service needs',
    hint: 'Give the user the rule of README.md (Redis); ACL LOG on the server tells what was refused.',
  },
  {
    pattern:
      /\b(SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|CERT_SIGNATURE_FAILURE)/,
    code: 'REDIS_CA',
    text: 'the certificate of redis is signed by nobody whom we trust',
    hint: 'Set redis-ca-file of /system cluster to the certificate of the authority that signed it.',
  },
  {
    pattern: /\bERR_TLS_CERT_ALTNAME_INVALID\b/,
    code: 'REDIS_CERTIFICATE_NAME',
    text: 'the certificate of redis is for another host',
    hint: 'Name the host as its certificate does (subjectAltName); nodes of a Redis Cluster announce it by cluster-announce-hostname.',
  },
  {
    pattern: /\bCERT_(HAS_EXPIRED|NOT_YET_VALID)\b/,
    code: 'REDIS_CERTIFICATE_TIME',
    text: 'the certificate of redis is not valid now',
    hint: "Renew it, or set this machine's clock.",
  },
  {
    pattern: /\balert (certificate required|unknown ca|bad certificate|certificate (expired|unknown))\b/,
    code: 'REDIS_CLIENT_CERTIFICATE',
    text: 'redis does not take our certificate, or we have none',
    hint: 'Set redis-certificate-file and redis-key-file of /system cluster; its tls-ca-cert-file must vouch for them.',
  },
  {
    pattern: /(^| )MOVED \d/,
    code: 'REDIS_IS_CLUSTER',
    text: 'this redis is a node of a Redis Cluster',
    hint: 'Set redis-cluster-nodes of /system cluster to some of its nodes.',
  },
  {
    pattern: /cluster support disabled/,
    code: 'REDIS_NO_CLUSTER',
    text: 'this redis is no node of a Redis Cluster',
    hint: 'Clear redis-cluster-nodes of /system cluster, or start the server with cluster-enabled yes.',
  },
];

/** What an operator can do about `error`; undefined if nothing is known. */
export function troubleOf(error: unknown): Fault | undefined {
  const said = wordsOf(error);
  const trouble = troubles.find(({ pattern }) => pattern.test(`${codeOf(error)} ${said}`));
  if (trouble === undefined) return undefined;
  const { code, text, hint } = trouble;
  return new Fault(code, 'operator', `${text}: ${said}`, hint);
}

/** Different ones that are told at a time: a cluster's nodes may fail in several ways each. */
const complaintsMax = 32;

/** Tells the log what is wrong: each thing once, until all is well. */
export class Complaints {
  readonly #log: Log;
  readonly #severity: Severity | undefined;
  readonly #told = new Set<string>();

  /** `severity` of all that is told; undefined: what an operator can mend is an error, the rest a warning. */
  constructor(log: Log, severity?: Severity) {
    this.#log = log;
    this.#severity = severity;
  }

  tell(error: unknown): void {
    const fault = troubleOf(error);
    const text = fault?.message ?? `cannot reach redis: ${wordsOf(error)}`;
    const name = fault?.code ?? text;
    if (this.#told.has(name) || this.#told.size >= complaintsMax) return;
    this.#told.add(name);
    if (fault === undefined) this.#log(this.#severity ?? 'warning', 'system', text);
    else this.#log(this.#severity ?? 'error', 'system', text, { code: fault.code, hint: fault.hint });
  }

  allIsWell(): void {
    this.#told.clear();
  }
}

/** An error for several addresses of one name has no words of its own. */
function wordsOf(error: unknown): string {
  return (error instanceof Error && error.message) || codeOf(error) || String(error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
