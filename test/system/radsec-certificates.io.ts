/** Certificates for one test, made by openssl: an authority, a server on loopback, a node that is its client, and a stranger. */

import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Certificates {
  readonly #directory = mkdtempSync(join(tmpdir(), 'certificates-'));
  readonly authority = this.#path('authority.pem');
  readonly #authorityKey = this.#path('authority.key');

  constructor() {
    const made = ['-keyout', this.#authorityKey, '-out', this.authority];
    openssl('req', '-x509', ...newKey, ...made, '-subj', '/CN=Authority of a test', '-days', '2');
  }

  /** A certificate of the authority for `name`, good for the names and addresses in `subjects`: `IP:127.0.0.1,DNS:radius.test`. */
  issue(
    name: string,
    subjects: string,
  ): { readonly certificate: string; readonly key: string; readonly both: string } {
    const [key, request, certificate] = [`${name}.key`, `${name}.csr`, `${name}.pem`].map((file) =>
      this.#path(file),
    );
    if (key === undefined || request === undefined || certificate === undefined) throw new Error(name);
    const extensions = this.#path(`${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${subjects}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
    const by = ['-CA', this.authority, '-CAkey', this.#authorityKey, '-CAcreateserial'];
    openssl('x509', '-req', '-in', request, ...by, '-out', certificate, '-days', '2', '-extfile', extensions);
    const both = this.#path(`${name}.both.pem`);
    writeFileSync(both, readFileSync(key), { mode: 0o600 });
    appendFileSync(both, readFileSync(certificate));
    return { certificate, key, both };
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #path(file: string): string {
    return join(this.#directory, file);
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}
