/**
 * What FreeRADIUS is told: its configuration as text, complete in itself. Every method that we speak, users from a file, each
 * request and each accounting record written down. The process is freeradius.io.ts's.
 */

/** One user. Attributes are lines of FreeRADIUS's users file: `Framed-IP-Address = 10.0.0.5`, `Class += 0x0102`. */
export interface RadiusUser {
  readonly name: string;
  /** Without one the user is known and always refused. */
  readonly password?: string;
  /** What is checked or set beside the password: `SMB-Account-CTRL-TEXT := "[D]"`. */
  readonly check?: readonly string[];
  readonly reply?: readonly string[];
}

/** Paths of certificates in PEM form. */
export interface Certificates {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

export interface Configuration {
  readonly directory: string;
  readonly address: string;
  readonly ports: { readonly authentication: number; readonly accounting: number };
  readonly secret: string;
  /** Drops Access-Requests without Message-Authenticator, as servers do since BlastRADIUS. */
  readonly requireMessageAuthenticator?: boolean;
  /** Puts a Message-Authenticator into every answer to an Access-Request, likewise. */
  readonly signReplies?: boolean;
  /** EAP-MD5 and, with certificates, EAP-TLS, PEAP and TTLS. `first` is what a peer is asked for unless it wants another: MD5. */
  readonly eap?: { readonly tls?: Certificates; readonly first?: 'md5' | 'tls' };
  /** More of FreeRADIUS's configuration: another `listen`, another `server`. */
  readonly more?: string;
}

/** The users file: the first entry that fits a name is all that it gets. */
export function usersText(users: readonly RadiusUser[]): string {
  return users.map(userText).join('\n');
}

function userText({ name, password, check = [], reply = [] }: RadiusUser): string {
  const proof = password === undefined ? 'Auth-Type := Reject' : `Cleartext-Password := ${quoted(password)}`;
  return `${quotedName(name)} ${[proof, ...check].join(', ')}\n${reply.map((line) => `\t${line}`).join(',\n')}\n`;
}

/** In names a backslash is itself. */
function quotedName(name: string): string {
  return `"${name.replaceAll('"', '\\"')}"`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** `radiusd.conf`. A closing brace needs a line of its own if anything stands before it. */
export function configurationText(configuration: Configuration): string {
  const { directory, secret, requireMessageAuthenticator = false, more = '' } = configuration;
  return `
name = radiusd
libdir = /usr/lib/freeradius
raddbdir = ${directory}
logdir = ${directory}
run_dir = ${directory}
max_request_time = 30
cleanup_delay = 5
max_requests = 16384
hostname_lookups = no
log {
  destination = stdout
}
security {
  max_attributes = 200
  reject_delay = 0
  status_server = yes
}
thread pool {
  start_servers = 2
  max_servers = 4
  min_spare_servers = 1
  max_spare_servers = 2
}
client everybody {
  ipaddr = 0.0.0.0/0
  secret = "${secret}"
  require_message_authenticator = ${requireMessageAuthenticator ? 'yes' : 'no'}
}
modules {
  files {
    usersfile = ${directory}/users
  }
  pap {
  }
  chap {
  }
  mschap {
    use_mppe = yes
    require_encryption = yes
    require_strong = yes
    with_ntdomain_hack = yes
  }
  detail requests {
    filename = ${directory}/requests
  }
  detail records {
    filename = ${directory}/accounting
  }
${eapModule(configuration)}}
${virtualServer(configuration)}
${more}
`;
}

function eapModule({ eap }: Configuration): string {
  if (eap === undefined) return '';
  return `  eap {
    default_eap_type = ${eap.first ?? 'md5'}
    timer_expire = 60
    ignore_unknown_eap_types = no
    max_sessions = 1024
    md5 {
    }
    mschapv2 {
    }
${eap.tls === undefined ? '' : tlsMethods(eap.tls)}  }
`;
}

function tlsMethods({ certificate, key, authority }: Certificates): string {
  return `    tls-config ours {
      certificate_file = ${certificate}
      private_key_file = ${key}
      ca_file = ${authority}
      tls_min_version = "1.2"
      tls_max_version = "1.2"
    }
    tls {
      tls = ours
    }
    ttls {
      tls = ours
      default_eap_type = md5
      virtual_server = default
    }
    peap {
      tls = ours
      default_eap_type = mschapv2
      virtual_server = default
    }
`;
}

function virtualServer({ address, ports, signReplies = false, eap }: Configuration): string {
  const sign = signReplies ? 'update reply {\n      Message-Authenticator := 0x00\n    }' : '';
  return `
server default {
  listen {
    type = auth
    ipaddr = ${address}
    port = ${ports.authentication}
  }
  listen {
    type = acct
    ipaddr = ${address}
    port = ${ports.accounting}
  }
  authorize {
    requests
    ${eap === undefined ? '' : 'eap {\n      ok = return\n    }'}
    chap
    mschap
    files
    pap
  }
  authenticate {
    Auth-Type PAP {
      pap
    }
    Auth-Type CHAP {
      chap
    }
    Auth-Type MS-CHAP {
      mschap
    }
    ${eap === undefined ? '' : 'eap'}
  }
  accounting {
    records
  }
  post-auth {
    ${sign}
    Post-Auth-Type REJECT {
    ${sign}
    }
  }
}`;
}
