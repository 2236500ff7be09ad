// Receives webhooks: reads the raw body up to a limit, verifies it, recognises repetitions, and hands new
// deliveries to the application. node.ts and web.ts know the requests of `node:http` and of the web.
//
// sequence.ts, on top of it, puts events in order. Requests may come from anywhere, web pages too: only the
// signature counts, which nobody else can make, so Host and Origin are not checked.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { requireNumber } from '../core/base/checked-options.ts';
import { latestS } from '../core/signature/scheme.ts';
import { schemes, type Headers, type SchemeName, type Verification } from '../core/signature/schemes.ts';
import { createAct } from './act.ts';
import { refusal, type Answer } from './answer.ts';
import { challengeOf } from './challenge.ts';
import { noCounts, type ReceiverCounts } from './counts.ts';
import { eventOf, type EventOf } from './events.ts';
import { headersOf, isCoded, type GivenHeaders } from './headers.ts';
import { answerNode, readNode } from './node.ts';
import { settingsOf, type ReceiverOptions } from './options.ts';
import { createProblems } from './problems.ts';
import type { RawBody } from './raw-body.ts';
import { answerWeb, readWeb } from './web.ts';

/** Each function can be passed on alone: none uses `this`. */
export type Receiver = {
  /** For `node:http`, Express and others with the same requests. Resolves when it has answered. */
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** For frameworks with `Request` and `Response` of the web: Hono, Next, Workers, Bun, Deno. */
  fetch: (request: Request) => Promise<Response>;
  /** For frameworks that have read the raw body already: Fastify, Lambda. */
  receive: (request: {
    headers: GivenHeaders;
    body: string | Uint8Array;
    /** POST when left out. */
    method?: string;
  }) => Promise<Answer>;
  counts: () => ReceiverCounts;
};

type Incoming = { method: string; headers: Headers; read: () => RawBody | Promise<RawBody> };

/**
 * Checks all options, so that no invalid limit lets a delivery in.
 * @throws UserError when there is no secret or one of them does not fit the scheme; TypeError or
 *   RangeError for the other options
 */
export function createReceiver<Scheme extends SchemeName, Event = EventOf<Scheme>>(
  options: ReceiverOptions<Scheme, Event>,
): Receiver {
  const { keys, store, toleranceS, timeoutMs, maxBodyBytes } = settingsOf(options);
  const { scheme: name, onDelivery, onProblem, nowS } = options;
  const scheme = schemes[name];
  const counts = noCounts();
  const problems = createProblems(onProblem);
  const act = createAct<Event>({
    store,
    timeoutMs,
    onDelivery,
    // A type of the application's own is its word that the sender keeps to it.
    eventOf: ({ headers, body }) => eventOf(name, headers, body) as Event,
    counts,
    problems,
  });

  async function answerTo({ method, headers, read }: Incoming): Promise<Answer> {
    if (method !== 'POST') return refusal(405, 'method', 'deliveries are POSTed', { allow: 'POST' });
    const coded = isCoded(headers);
    const body = coded ? undefined : await read();
    if (body?.kind === 'whole' && body.body.length <= maxBodyBytes) return take(headers, body.body);
    counts.unread++;
    const why = unread(coded ? 'coded' : body?.kind === 'whole' ? 'too-large' : body!.kind, maxBodyBytes);
    return problems.refuse(...why);
  }

  async function take(headers: Headers, body: Buffer): Promise<Answer> {
    let verified: Verification;
    try {
      verified = scheme.verify(keys, headers, body, { toleranceS, ...(nowS && { nowS: timeOf(nowS) }) });
    } catch (error) {
      // The application's clock gives no time: then nothing can be believed.
      counts.failed++;
      const message = 'the receiver cannot verify deliveries; try again';
      return problems.refuse({ status: 500, code: 'failed', message, error });
    }
    if (!verified.ok) {
      counts.refused++;
      return problems.refuse({ status: 401, code: verified.reason, message: verified.message });
    }
    const challenge = name === 'slack' ? challengeOf(body) : undefined;
    if (challenge === undefined) return act({ id: scheme.idOf(headers, body), headers, body });
    counts.challenged++;
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: challenge };
  }

  return {
    async handle(request, response) {
      const { method = '', headers } = request;
      const answer = await answerTo({ method, headers, read: () => readNode(request, maxBodyBytes) });
      answerNode(request, response, answer);
    },
    async fetch(request) {
      const { method } = request;
      const headers = headersOf(request.headers);
      return answerWeb(await answerTo({ method, headers, read: () => readWeb(request, maxBodyBytes) }));
    },
    receive: async ({ headers, body, method = 'POST' }) =>
      answerTo({
        method,
        headers: headersOf(headers),
        read: () =>
          typeof body === 'string' || body instanceof Uint8Array
            ? { kind: 'whole', body: Buffer.from(body) }
            : { kind: 'gone' },
      }),
    counts: () => ({ ...counts }),
  };
}

/** Why there is no body to verify, as the sender is told. */
function unread(
  kind: 'coded' | Exclude<RawBody['kind'], 'whole'>,
  maxBodyBytes: number,
): Parameters<ReturnType<typeof createProblems>['refuse']> {
  switch (kind) {
    case 'coded':
      return [
        {
          status: 415,
          code: 'content-coding',
          message: 'deliveries are taken without a content coding: a signature is over the body as it is',
        },
        { headers: { 'accept-encoding': 'identity' } },
      ];
    case 'too-large': {
      const message = `a delivery's body has at most ${maxBodyBytes} bytes`;
      return [{ status: 413, code: 'too-large', message }];
    }
    case 'cut':
      return [{ status: 400, code: 'cut', message: 'the body was cut off' }];
    case 'gone':
      return [
        {
          status: 500,
          code: 'body-gone',
          message:
            'the body was read before the receiver got it, so its signature cannot be verified: mount the ' +
            'receiver in front of body parsers such as express.json(), or give it the body as it was read',
        },
        { told: 'the receiver is set up wrongly; its log says how' },
      ];
  }
}

/** Of the application's clock. @throws TypeError or RangeError; undefined would mean the wall clock */
function timeOf(nowS: () => number): number {
  const now = nowS();
  requireNumber('what nowS returns', now, { least: 0, most: latestS });
  return now;
}
