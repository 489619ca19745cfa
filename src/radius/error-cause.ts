/** Error-Cause, RFC 5176 section 3.5: what a NAK says was in the way. Data only; those that this program can mean. */

export const errorCauses = {
  unsupportedAttribute: 401,
  missingAttribute: 402,
  nasIdentificationMismatch: 403,
  invalidRequest: 404,
  unsupportedService: 405,
  invalidAttributeValue: 407,
  sessionContextNotFound: 503,
  resourcesUnavailable: 506,
  multipleSessionSelectionUnsupported: 508,
} as const;

export type ErrorCause = (typeof errorCauses)[keyof typeof errorCauses];
