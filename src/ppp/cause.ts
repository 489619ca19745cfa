/**
 * Why a link or a bundle ended: a closed set. The first cause wins; the owner maps it to its own ending (Acct-Terminate-Cause,
 * last-disconnect-reason). `text` goes into the peer's Terminate-Request and the log, `hint` tells an operator what to look at.
 */

interface Explanation {
  readonly text: string;
  readonly hint: string;
}

export const causes = {
  closed: { text: 'closed by this side', hint: '' },
  'lower-down': { text: 'the call is gone', hint: 'See why the call ended.' },
  'lcp-timeout': {
    text: 'LCP was never answered',
    hint: 'The peer opened a call but no PPP came through: is GRE (IP protocol 47) filtered, or NATed without a PPTP helper?',
  },
  'lcp-failed': {
    text: 'LCP could not agree',
    hint: 'The peer answers but refuses what it is offered; a trace of its LCP shows which option.',
  },
  loopback: {
    text: 'the link is looped back',
    hint: 'Our own frames come back to us: check the path, or a client that dials itself.',
  },
  unstable: {
    text: 'LCP was renegotiated too often',
    hint: 'The peer starts over again and again; look at the log of the peer.',
  },
  'echo-lost': {
    text: 'LCP missed echo reply',
    hint: 'The path to the peer is broken, or the peer is gone without saying so.',
  },
  'peer-terminated': { text: 'terminated by the peer', hint: '' },
  'peer-refused-authentication': {
    text: 'the peer refuses every authentication method that is allowed',
    hint: 'Allow a method that the peer speaks, or enable one of the allowed ones on the peer.',
  },
  'authentication-failed': {
    text: 'authentication failed',
    hint: 'Wrong name or password, or the account is not allowed here.',
  },
  'authentication-silent': {
    text: 'authentication was never answered',
    hint: 'The peer agreed to prove itself and then did not; is it waiting for its user?',
  },
  'authentication-timeout': {
    text: 'authentication took too long',
    hint: 'The peer did not finish authentication in time.',
  },
  'password-change': {
    text: 'the password has to be changed',
    hint: 'Change the password out of band: it cannot be changed during log-in.',
  },
  impostor: {
    text: 'the server could not prove that it knows the password',
    hint: 'The peer is not the server that shares this password: do not trust this path.',
  },
  'encryption-unavailable': {
    text: 'encryption is required but there are no keys',
    hint: 'MPPE needs MS-CHAP: require mschap1 or mschap2, or eap by a type that has keys; with RADIUS the accept must carry the MPPE keys.',
  },
  'encryption-refused': {
    text: 'encryption is required but the peer refuses it',
    hint: 'Enable MPPE on the peer, in a strength that is allowed here, or set use-encryption=yes.',
  },
  'encryption-timeout': {
    text: 'encryption is required but the peer never negotiated it',
    hint: 'Enable MPPE on the peer, or set use-encryption=yes.',
  },
  'ipcp-timeout': {
    text: 'IPCP was never answered',
    hint: 'The peer does not bring IPv4 up; does it insist on encryption first?',
  },
  'ipcp-failed': {
    text: 'IPCP could not agree on addresses',
    hint: 'The peer refuses its address or ours, or gave us none.',
  },
} as const satisfies Readonly<Record<string, Explanation>>;

export type Cause = keyof typeof causes;
