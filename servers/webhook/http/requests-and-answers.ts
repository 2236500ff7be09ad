// Reads what requests of the API hold, checked against their schemas, and writes answers as JSON.

import { z } from 'zod';
import { messageOf } from '../../../core/base/errors.ts';
import { endWith, readBody, RequestError } from '../../http/request.ts';
import type { Request, Response } from '../../pattern.ts';

/** A thousand topic names of the longest kind fit twice. */
const maxRegistrationBytes = 256 * 1024;
/**
 * A request's body as JSON.
 * @param what it is, for people
 * @throws RequestError 400 when it is not JSON, 413 when it is too large
 */
export async function readJson(request: Request, what: string): Promise<unknown> {
  return parseJson(await readBody(request, maxRegistrationBytes), what);
}

/** A segment of the path, from 1. */
export function segment(url: URL, index: number): string {
  return url.pathname.split('/')[index] ?? '';
}

/** The cursor of the page behind `limit` rows, of which one more was asked for. */
export function nextOf(ids: readonly number[], limit: number): { nextCursor?: string } {
  return ids.length > limit ? { nextCursor: String(ids[limit - 1]) } : {};
}

/** @throws RequestError 400 */
export function queryOf<S extends z.ZodType>(schema: S, url: URL): z.infer<S> {
  return checked(schema, Object.fromEntries(url.searchParams), 400, 'bad-query');
}

/** @throws RequestError 422 */
export function bodyOf<S extends z.ZodType>(schema: S, body: unknown): z.infer<S> {
  return checked(schema, body, 422, 'bad-request');
}

function checked<S extends z.ZodType>(schema: S, value: unknown, status: number, code: string): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RequestError(
    status,
    code,
    parsed.error.issues
      .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
      .join('; '),
  );
}

function parseJson(body: Buffer, what: string): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    // Without the piece of text that it quotes: there may be a secret in it.
    throw new RequestError(
      400,
      'not-json',
      `${what} is a JSON object: ${messageOf(error).replace(/, (?:\.\.\.)?".*$/s, '')}`,
    );
  }
}

export function answerJson(response: Response, status: number, body: object): void {
  endWith(response, status, { 'content-type': 'application/json' }, `${JSON.stringify(body)}\n`);
}
