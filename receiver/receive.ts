// Receives webhooks as a request handler for `node:http` (and Express, in front of any body parser). It reads
// the body raw and bounded, verifies it, recognises repetitions, and hands what is new to the application.
//
// sequence.ts, on top of it, puts events in order. Callers come from anywhere, web pages too: what counts is
// the signature, which none of them can make, so Host and Origin are not looked at.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { kindOf, requireFunction, requireNames, requireNumber } from '../core/base/checked-options.ts';
import { UserError } from '../core/base/errors.ts';
import { isEncoded } from '../core/http/message.ts';
import { schemeNames, schemes, type Headers, type SchemeName } from '../core/signature/schemes.ts';
import { latestS, longestToleranceS } from '../core/signature/scheme.ts';
import { readRawBody, requireMaxBytes, type RawBody } from './raw-body.ts';
import { createSeen, type SeenOptions } from './seen.ts';

export type Delivery = {
  /**
   * The same on every attempt. Undefined when the scheme has none and the body neither; such
   * deliveries are not deduplicated.
   */
  id: string | undefined;
  headers: Headers;
  /** As it stood on the wire, and verified. */
  body: Buffer;
};

export type ReceiverOptions = {
  /** How the sender signs. */
  scheme: SchemeName;
  /** As the sender gave them, the newest first; two while one replaces the other. */
  secrets: readonly string[];
  /**
   * Acts upon a delivery that has not been acted upon. When it throws, the sender is
   * answered 500 and will try again.
   */
  onDelivery: (delivery: Delivery) => void | Promise<void>;
  /**
   * How far the sender's clock may be off and how old a delivery may be, up to a year;
   * five minutes when left out.
   */
  toleranceS?: number;
  /** Up to 1 GiB; 1 MiB when left out. */
  maxBodyBytes?: number;
  /** 100,000 deliveries and four days when left out: longer than any common sender retries. */
  remember?: SeenOptions;
  /** Seconds since 1970; the wall clock when left out. */
  nowS?: () => number;
};

export type ReceiverCounts = {
  accepted: number;
  /** Recognised repetitions: answered like the first, not acted upon. */
  repeated: number;
  /** Came while the first attempt was being acted upon; told to try again. */
  underWay: number;
  /** Not signed as they should be, or not in time. */
  refused: number;
  /** Too large, cut off or with a content coding. */
  unread: number;
  /** `onDelivery` threw. */
  failed: number;
};

export type Receiver = {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  counts(): ReceiverCounts;
};

const defaultMaxBodyBytes = 1024 * 1024;
const defaultRemember: SeenOptions = { maxKeys: 100_000, maxAgeMs: 4 * 86_400_000 };

/** More at once are no rotation. */
const maxSecrets = 16;

/**
 * All options are checked here, so that none that limits nothing lets a delivery in.
 * @throws UserError when there is no secret or one of them is none of the scheme; TypeError or
 *   RangeError for the other options
 */
export function createReceiver(options: ReceiverOptions): Receiver {
  requireOptions(options);
  const { scheme: name, secrets, onDelivery, toleranceS, maxBodyBytes = defaultMaxBodyBytes, nowS } = options;
  if (secrets.length === 0)
    throw new UserError(
      'bad-secret',
      'a receiver needs at least one secret to verify with; the sender ' +
        'showed it when the endpoint was registered',
    );
  const scheme = schemes[name];
  const keys = secrets.map((secret) => scheme.key(secret));
  const seen = createSeen(options.remember ?? defaultRemember);
  const counts: ReceiverCounts = { accepted: 0, repeated: 0, underWay: 0, refused: 0, unread: 0, failed: 0 };

  async function take(headers: Headers, body: Buffer): Promise<Answer> {
    const verified = scheme.verify(keys, headers, body, {
      ...(toleranceS === undefined ? {} : { toleranceS }),
      ...(nowS === undefined ? {} : { nowS: timeOf(nowS) }),
    });
    if (!verified.ok) {
      counts.refused++;
      return { status: 401, error: verified.reason, message: verified.message };
    }
    const id = scheme.idOf(headers, body);
    const state = id === undefined ? 'new' : seen.begin(id);
    if (state === 'done') {
      counts.repeated++;
      return { status: 204 };
    }
    if (state === 'under-way') {
      counts.underWay++;
      return {
        status: 409,
        error: 'under-way',
        message: 'this delivery is being acted upon; how that ends is not known yet',
      };
    }
    try {
      await onDelivery({ id, headers, body });
    } catch (error) {
      if (id !== undefined) seen.forget(id);
      counts.failed++;
      console.error(error);
      return { status: 500, error: 'failed', message: 'the receiver failed at this delivery; try again' };
    }
    if (id !== undefined) seen.finish(id);
    counts.accepted++;
    return { status: 204 };
  }

  function withoutBody(kind: Exclude<RawBody['kind'], 'whole'>): Answer {
    counts.unread++;
    if (kind === 'too-large')
      return {
        status: 413,
        error: 'too-large',
        message: `a delivery's body has at most ${maxBodyBytes} bytes`,
      };
    if (kind === 'cut') return { status: 400, error: 'cut', message: 'the body was cut off' };
    console.error(
      'The body of a webhook was read before the receiver got it, so its signature cannot be verified: ' +
        'mount the receiver in front of body parsers such as express.json().',
    );
    return {
      status: 500,
      error: 'body-gone',
      message: 'the receiver is set up wrongly; its standard error says how',
    };
  }

  /** What is left to throw are clocks of the application that give no time: then nothing can be believed. */
  function defect(error: unknown): Answer {
    counts.failed++;
    console.error(error);
    return {
      status: 500,
      error: 'failed',
      message: 'the receiver cannot verify deliveries; its standard error says why',
    };
  }

  return {
    async handle(request, response) {
      if (request.method !== 'POST')
        return answer(response, { status: 405, error: 'method', message: 'deliveries are POSTed' });
      if (isEncoded(request.headers)) {
        counts.unread++;
        request.resume();
        const message =
          'deliveries are taken without a content coding: a signature is over the body as it is';
        return answer(response, { status: 415, error: 'content-coding', message });
      }
      const read = await new Promise<RawBody>((resolve) => readRawBody(request, maxBodyBytes, resolve));
      const { kind } = read;
      answer(
        response,
        kind === 'whole' ? await take(request.headers, read.body).catch(defect) : withoutBody(kind),
      );
    },
    counts: () => ({ ...counts }),
  };
}

/** Of the application's clock. @throws TypeError or RangeError; undefined would mean the wall clock */
function timeOf(nowS: () => number): number {
  const now = nowS();
  requireNumber('what nowS returns', now, { least: 0, most: latestS });
  return now;
}

const optionNames = ['scheme', 'secrets', 'onDelivery', 'toleranceS', 'maxBodyBytes', 'remember', 'nowS'];

function requireOptions(options: ReceiverOptions): void {
  requireNames('createReceiver', options, optionNames);
  const { scheme, secrets, onDelivery, toleranceS, maxBodyBytes, nowS } = options;
  if (!schemeNames.includes(scheme)) {
    const given = typeof scheme === 'string' ? 'none of them' : kindOf(scheme);
    throw new TypeError(`scheme must be one of ${schemeNames.join(', ')}; it is ${given}`);
  }
  if (!Array.isArray(secrets))
    throw new TypeError(`secrets must be a list of texts; it is ${kindOf(secrets)}`);
  requireNumber('the number of secrets', secrets.length, { least: 0, most: maxSecrets });
  requireFunction('onDelivery', onDelivery);
  if (toleranceS !== undefined)
    requireNumber('toleranceS', toleranceS, { least: 0, most: longestToleranceS });
  if (maxBodyBytes !== undefined) requireMaxBytes('maxBodyBytes', maxBodyBytes);
  if (nowS !== undefined) requireFunction('nowS', nowS);
}

type Answer = { status: 204 } | { status: number; error: string; message: string };

function answer(response: ServerResponse, given: Answer): void {
  if (response.destroyed) return;
  if (!('error' in given)) {
    response.writeHead(given.status).end();
    return;
  }
  const { status, ...body } = given;
  response.writeHead(status, { 'content-type': 'application/json', ...fieldsOf(status) });
  response.end(`${JSON.stringify(body)}\n`);
}

/** Header fields that go with a status. */
function fieldsOf(status: number): Record<string, string> {
  if (status === 413) return { connection: 'close' };
  if (status === 415) return { 'accept-encoding': 'identity' };
  return status === 405 ? { allow: 'POST' } : {};
}
