/** Certificates for one test, made by openssl in its folder: an authority, and servers and clients that it vouches for. */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';

/** Paths of files in PEM form. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

const newKey = ['-newkey', 'rsa:2048', '-nodes'] as const;
const lifetime = ['-days', '2'] as const;

export class CertificateAuthority {
  readonly files: CertificateFiles;
  readonly #directory: string;

  constructor(directory: string, name = 'authority') {
    this.#directory = directory;
    this.files = this.#filesOf(name);
    const { certificate, key } = this.files;
    openssl(
      'req',
      '-x509',
      ...newKey,
      ...lifetime,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      key,
      '-out',
      certificate,
    );
  }

  /** A certificate for `name`, which may be an address, good for one end of TLS. */
  vouchFor(name: string, end: 'server' | 'client'): CertificateFiles {
    const files = this.#filesOf(name);
    const [request, extensions] = [
      join(this.#directory, `${name}.csr`),
      join(this.#directory, `${name}.ext`),
    ];
    writeFileSync(
      extensions,
      `extendedKeyUsage=${end}Auth\nsubjectAltName=${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}\n`,
    );
    openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', files.key, '-out', request);
    const by = ['-CA', this.files.certificate, '-CAkey', this.files.key, '-CAcreateserial'];
    const out = ['-extfile', extensions, '-out', files.certificate];
    openssl('x509', '-req', '-in', request, ...by, ...lifetime, ...out);
    return files;
  }

  #filesOf(name: string): CertificateFiles {
    return {
      certificate: join(this.#directory, `${name}.pem`),
      key: join(this.#directory, `${name}.key`),
    };
  }
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}
