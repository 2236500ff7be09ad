// Reads a request's topics, cursor and body, answers with an error, and draws the subscribers that a fault
// cuts off, for the HTTP handlers of all patterns. Knows no pattern.

import { manyBodiesBytes } from '../../core/event/body-size.ts';
import { cursorPattern, topicPattern } from '../../core/event/envelope.ts';
import { isEncoded } from '../../core/http/message.ts';
import { retryAfterS } from '../../core/policy/server/refuse.ts';
import { currentState } from '../hub/hub.ts';
import type { Request, Response } from '../pattern.ts';

/** A request that cannot be served as it stands. Thrown by a handler, it becomes the answer (listen.ts). */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;
  readonly code: string;
  /** Fields of the answer that go with the status, such as `allow`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/**
 * The topics that `topics=a,b` names, each once, in their order. How many there may be, the limit on the
 * request's head decides (16 KiB).
 * @throws RequestError 400 when there are none or one is not a topic name
 */
export function topicsOf(url: URL): string[] {
  const topics = [
    ...new Set((url.searchParams.get('topics') ?? '').split(',').filter((name) => name !== '')),
  ];
  if (topics.length === 0)
    throw new RequestError(
      400,
      'no-topics',
      'name the topics to follow, with commas between them: ?topics=a,b',
    );
  for (const name of topics) checkTopic(name);
  return topics;
}

/** @throws RequestError 400 when it is not a topic name */
export function checkTopic(name: string): void {
  if (!topicPattern.test(name)) {
    throw new RequestError(
      400,
      'bad-topic',
      `"${name.slice(0, 140)}" is not a topic name: 1 to 128 of A-Z a-z 0-9 . _ : ~ -`,
    );
  }
}

/**
 * The cursor in `since`, or `currentState`; undefined when there is none.
 * @throws RequestError 400 when it is malformed. A cursor of another epoch is not: the hub decides about it.
 */
export function cursorOf(url: URL): string | undefined {
  const cursor = url.searchParams.get('since');
  if (cursor === null || cursor === '') return undefined;
  if (cursor !== currentState && !cursorPattern.test(cursor)) {
    throw new RequestError(
      400,
      'bad-cursor',
      `since=${cursor.slice(0, 40)} is not a cursor: give an event's id, the cursor of an earlier answer, ` +
        `or ${currentState} for the newest event of each topic`,
    );
  }
  return cursor;
}

const notPlain = 'bodies are taken as they are, without a content coding';
const plain = { 'accept-encoding': 'identity' };

/** Of bodies that are not whole yet, all listeners of the process together. */
const mostHeldBytes = manyBodiesBytes;
let heldBytes = 0;
const noRoom = 'bodies of other requests, which are not whole yet, take all the room there is for them';

/** How long a body may take over HTTP/2. Over HTTP/1.1 the listener bounds the whole request. */
const bodyMs = 60_000;

/**
 * Reads the request's body. A body that is too large is not kept; its rest is read and thrown away, so that
 * the answer arrives and requests that were pipelined behind it can still be read.
 * @throws RequestError 413 when it is larger than `maxBytes`, 415 when it has a content coding
 *   (RFC 9110, section 8.4),
 * 400 when the connection ends before it does, 408 when it takes longer than a minute, 503 when half-sent
 * bodies of all clients together take more than `manyBodiesBytes`
 */
export function readBody(request: Request, maxBytes: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let pieces: Buffer[] = [];
  let bytes = 0;
  let over = false;

  function refuse(error: RequestError): void {
    finish();
    reject(error);
  }

  function finish(): void {
    if (over) return;
    over = true;
    heldBytes -= bytes;
    pieces = [];
    clearTimeout(timer);
  }

  const timer =
    'stream' in request
      ? setTimeout(() => {
          refuse(new RequestError(408, 'too-slow', `the body was not whole within ${bodyMs / 1000} s`));
          request.stream.once('finish', () => request.stream.close());
        }, bodyMs).unref()
      : undefined;

  request.on('data', (piece: Buffer) => {
    if (over) return;
    bytes += piece.length;
    heldBytes += piece.length;
    pieces.push(piece);
    if (bytes > maxBytes) refuse(tooLarge(maxBytes));
    else if (heldBytes > mostHeldBytes) refuse(new RequestError(503, 'too-many-bodies', noRoom));
  });
  request.on('end', () => {
    const body = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    finish();
    resolve(body);
  });
  // Nobody is left to be answered, but what waits for the body must be let go.
  const cutOff = () => {
    if (over) return; // every request ends with 'close', and an error costs more than most of them
    refuse(new RequestError(400, 'cut-off', 'the connection ended before the body did'));
  };
  request.on('error', cutOff).on('close', cutOff);

  if (isEncoded(request.headers)) refuse(new RequestError(415, 'content-coding', notPlain, plain));
  else if (Number(request.headers['content-length']) > maxBytes) refuse(tooLarge(maxBytes));
  return promise;
}

function tooLarge(maxBytes: number): RequestError {
  return new RequestError(
    413,
    'body-too-large',
    `the body is larger than ${maxBytes} bytes; send less, or raise maxBody`,
  );
}

/**
 * Answers with an error: a code for programs and a sentence for people, as JSON. Does nothing when an answer
 * has begun.
 */
export function answerError(
  response: Response,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) return;
  const body = Buffer.from(`${JSON.stringify({ error: code, message })}\n`);
  endWith(
    response,
    status,
    { 'content-type': 'application/json', 'content-length': String(body.length), ...headers },
    body,
  );
}

/** Answers 503 with `Retry-After`: a limit is reached. Counting the refusal is the caller's. */
export function answerFull(
  response: Response,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  answerError(response, 503, code, message, { 'retry-after': String(retryAfterS), ...headers });
}

/**
 * A whole answer; to HEAD the same without its body (RFC 9110, section 9.3.2). Node's two response types have
 * one signature each for this, so a union of them has none.
 */
export function endWith(
  response: Response,
  status: number,
  headers: Readonly<Record<string, string>>,
  body?: string | Buffer,
): void {
  response.statusCode = status;
  const varied = response.getHeader('vary'); // the gate may have said that the answer depends on Origin
  for (const name in headers) response.setHeader(name, headers[name]!);
  const vary = headers['vary'];
  if (vary !== undefined && varied !== undefined && vary !== varied)
    response.setHeader('vary', `${varied}, ${vary}`);
  if (body !== undefined && response.req.method === 'HEAD') {
    if (!response.hasHeader('content-length'))
      response.setHeader('content-length', String(Buffer.byteLength(body)));
    response.end();
  } else if (body === undefined) response.end();
  else response.end(body);
}
