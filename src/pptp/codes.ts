/** The result, reason and error codes of RFC 2637 as data, each table by the message that carries it. Pure. */

type Codes = Readonly<Record<string, number>>;

/** Result Code by message: sections 2.2, 2.4, 2.6, 2.8, 2.10, 2.13. */
export const resultCodes = {
  startControlConnectionReply: {
    successfulChannelEstablishment: 1,
    generalError: 2,
    commandChannelAlreadyExists: 3,
    requesterIsNotAuthorized: 4,
    protocolVersionNotSupported: 5,
  },
  stopControlConnectionReply: { ok: 1, generalError: 2 },
  echoReply: { ok: 1, generalError: 2 },
  outgoingCallReply: {
    connected: 1,
    generalError: 2,
    noCarrier: 3,
    busy: 4,
    noDialTone: 5,
    timeOut: 6,
    doNotAccept: 7,
  },
  incomingCallReply: { connect: 1, generalError: 2, doNotAccept: 3 },
  callDisconnectNotify: { lostCarrier: 1, generalError: 2, adminShutdown: 3, request: 4 },
} as const satisfies Record<string, Codes>;

/** Reason of Stop-Control-Connection-Request, section 2.3. */
export const reasons = { none: 1, stopProtocol: 2, stopLocalShutdown: 3 } as const satisfies Codes;

/** Error Code, section 2.16: says more when the Result Code is General Error. */
export const errorCodes = {
  none: 0,
  notConnected: 1,
  badFormat: 2,
  badValue: 3,
  noResource: 4,
  badCallId: 5,
  pacError: 6,
} as const satisfies Codes;

/** Why we stop a connection. */
export type Reason = keyof typeof reasons;

/** Why we, as a PAC, disconnect a call. */
export type Disconnect = keyof typeof resultCodes.callDisconnectNotify;

interface Coded {
  readonly resultCode: number;
  readonly errorCode: number;
}

/** `result 2 (generalError), error 4 (noResource)`, for logs. A code that the RFC does not know is printed bare. */
export function describe(message: keyof typeof resultCodes, { resultCode, errorCode }: Coded): string {
  const result = `result ${named(resultCodes[message], resultCode)}`;
  return errorCode === errorCodes.none ? result : `${result}, error ${named(errorCodes, errorCode)}`;
}

/** `3 (stopLocalShutdown)`. */
export function named(codes: Codes, code: number): string {
  const name = Object.keys(codes).find((key) => codes[key] === code);
  return name === undefined ? `${code}` : `${code} (${name})`;
}
