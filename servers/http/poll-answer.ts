// Encodes and sends the answer that polling and long polling share: `{"cursor":"...","events":[...]}`
// (docs/wire.md).

import { acceptsGzip, createGzip } from './content-coding.ts';
import type { HubEvent } from '../hub/event.ts';
import type { Request, Response } from '../pattern.ts';
import { endWith } from './request.ts';

/** The events are put in as they stand: each was encoded once, when it was published. */
export function encodeAnswer(cursor: string, reset: boolean, events: readonly HubEvent[]): string {
  let list = '';
  for (const { json } of events) list += list === '' ? json : `,${json}`;
  return `{"cursor":"${cursor}"${reset ? ',"reset":true' : ''},"events":[${list}]}`;
}

/** Answers 200 with a JSON text. */
export type SendAnswer = (
  response: Response,
  compressed: boolean,
  headers: Readonly<Record<string, string>>,
  text: string,
) => void;

/** @param gzip whether answers are compressed for those who ask for it */
export function createAnswers(gzip: boolean): {
  compresses(request: Request): boolean;
  vary: Readonly<Record<string, string>>;
  send: SendAnswer;
} {
  const compress = createGzip();
  const vary: Record<string, string> = gzip ? { vary: 'accept-encoding' } : {};
  return {
    compresses: (request) => gzip && acceptsGzip(request),
    /** What every answer says where who asked for gzip gets another one. */
    vary,
    send(response, compressed, headers, text) {
      const body = compressed ? compress(text) : text;
      const coding: Record<string, string> = compressed ? { 'content-encoding': 'gzip' } : {};
      endWith(
        response,
        200,
        {
          'content-type': 'application/json',
          ...vary,
          ...coding,
          'content-length': String(Buffer.byteLength(body)),
          ...headers,
        },
        body,
      );
    },
  };
}
