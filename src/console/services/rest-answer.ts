/**
 * What a request of REST is answered: a command is done, and its rows become JSON, an item a line, as they come. Errors have
 * RouterOS's form: `{"error":404,"message":"Not Found","detail":"no such item"}`. Pure.
 */

import type { Fault } from '../../base/fault.ts';
import type { Step } from '../run.ts';
import { type Asked, isEndless, perform } from './commands.ts';
import { type Flow, noSuchItem, type ServiceDesk, serviceFault, wordsOf } from './desk.ts';
import type { RestError, RestRequest } from './rest-request.ts';
import type { Row } from './row.ts';
import type { Rights } from './users.ts';

/** A part of the body; the first one has the status. */
export interface Piece {
  readonly status: number;
  readonly json: string;
}

/** Does what `request` asks for. */
export function* answer(
  request: RestRequest,
  rights: Rights,
  desk: ServiceDesk,
): Generator<Step | Piece, string | undefined, unknown> {
  if (isEndless(request)) {
    const hint = 'Say once, or use the API.';
    throw serviceFault(
      'SERVICE_ENDLESS',
      `${request.verb} would not end by itself: give once, or use the API`,
      hint,
    );
  }
  switch (request.shape) {
    case 'all':
      yield* list(perform(request, rights, desk), () => undefined);
      break;
    case 'outcome':
      yield* list(perform(request, rights, desk), (ret) => (ret === undefined ? undefined : { ret }));
      break;
    case 'nothing':
      yield* rowsOf(perform(request, rights, desk));
      yield { status: 204, json: '' };
      break;
    case 'created': {
      const id = yield* each(perform(request, rights, desk), () => undefined);
      yield* one(item(request, id ?? ''), 201, rights, desk);
      break;
    }
    case 'changed': {
      // By its number: the change may be one of its name.
      const [before] = yield* rowsOf(
        perform(item(request, request.arguments.get('.id') ?? ''), rights, desk),
      );
      yield* rowsOf(perform(request, rights, desk));
      yield* one(item(request, before?.['.id'] ?? ''), 200, rights, desk);
      break;
    }
    case 'one':
      yield* one(request, 200, rights, desk);
      break;
  }
  return undefined;
}

/** The question for the item `id` of the menu of `path`. */
function item({ path }: RestRequest, id: string): Asked {
  return { path, verb: 'print', arguments: new Map([['.id', id]]), query: [] };
}

/** The rows as an array; what the command tells in the end takes their place. */
function* list(
  flow: Flow,
  outcomeOf: (ret: string | undefined) => Row | undefined,
): Generator<Step | Piece, void, unknown> {
  let before = '[';
  const ret = yield* each(flow, (row) => {
    const json = before + JSON.stringify(row);
    before = ',\n';
    return { status: 200, json };
  });
  const outcome = outcomeOf(ret);
  if (outcome !== undefined) yield { status: 200, json: JSON.stringify(outcome) };
  else yield { status: 200, json: before === '[' ? '[]' : ']' };
}

function* one(
  asked: Asked,
  status: number,
  rights: Rights,
  desk: ServiceDesk,
): Generator<Step | Piece, void, unknown> {
  const [row] = yield* rowsOf(perform(asked, rights, desk));
  if (row === undefined) throw noSuchItem('It is not there, or not as it was asked for.');
  yield { status, json: JSON.stringify(row) };
}

/** All rows of `flow`, which are few. */
function* rowsOf(flow: Flow): Generator<Step | Piece, readonly Row[], unknown> {
  const rows: Row[] = [];
  yield* each(flow, (row) => {
    rows.push(row);
    return undefined;
  });
  return rows;
}

/** `flow`, with what `see` makes of its rows. */
function* each(
  flow: Flow,
  see: (row: Row) => Piece | undefined,
): Generator<Step | Piece, string | undefined, unknown> {
  let given: unknown;
  try {
    for (;;) {
      const { done, value } = flow.next(given);
      given = undefined;
      if (done) return value;
      const step = typeof value === 'object' && 'row' in value ? see(value.row) : value;
      if (step !== undefined) given = yield step;
    }
  } finally {
    flow.return(undefined);
  }
}

/** RouterOS answers 400 to whatever it does not understand. */
const statuses: Readonly<Record<string, number>> = { SERVICE_ITEM: 404, SERVICE_RIGHTS: 403 };

const messages: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export function errorPiece({ status, detail }: RestError): Piece {
  const message = messages[status] ?? 'Error';
  return { status, json: JSON.stringify({ error: status, message, ...(detail === '' ? {} : { detail }) }) };
}

export function faultPiece(fault: Fault): Piece {
  const status = fault.owner === 'system' ? 500 : (statuses[fault.code] ?? 400);
  const words = wordsOf(fault);
  return errorPiece({
    status,
    detail: words === 'no such command prefix' ? 'no such command or directory' : words,
  });
}
