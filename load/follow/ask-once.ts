// Asks an address once and reads the beginning of the answer, to find out what is there. It leaves an endless
// answer when enough of it has come.

import { nowUs } from '../../core/base/clock.ts';
import { newCounters } from '../../core/result/counters.ts';
import { createDialer, type Connector } from '../wire/connection.ts';
import {
  encodeRequest,
  endResponses,
  newResponseReader,
  readResponse,
  type ResponseHead,
  type ResponseParts,
} from '../wire/http-head.ts';
import { ProtocolError } from '../wire/protocol-error.ts';

export type FirstAnswer = {
  head: ResponseHead;
  /** What came of the body, as text. */
  text: string;
};

/** Why there is none: a system error's code, a protocol error's, `ended` or `silent`. */
export type NoAnswer = { code: string; message: string };

/** More of an answer is not looked at. */
const mostBytes = 64 * 1024;
/** How long a stream may be silent: what it sends first, it sends at once. */
const pauseMs = 300;

/** @param withinMs for the head of the answer */
export function askOnce(
  url: URL,
  headers: Readonly<Record<string, string>>,
  connector: Connector | undefined,
  withinMs: number,
): Promise<FirstAnswer | NoAnswer> {
  const { promise, resolve } = Promise.withResolvers<FirstAnswer | NoAnswer>();
  const reader = newResponseReader();
  const pieces: Buffer[] = [];
  let bytes = 0;
  let head: ResponseHead | undefined;

  function settle(otherwise: NoAnswer): void {
    clearTimeout(timer);
    resolve(head ? { head, text: Buffer.concat(pieces).toString('utf8') } : otherwise);
    socket.destroy();
  }

  const parts: ResponseParts<undefined> = {
    head(_owner, came) {
      head = came;
      clearTimeout(timer);
      timer = setTimeout(settle, pauseMs, silent);
    },
    body(_owner, piece, from, to) {
      pieces.push(Buffer.from(piece.subarray(from, Math.min(to, from + mostBytes - bytes))));
      bytes += to - from;
      if (bytes >= mostBytes) settle(silent);
    },
    end: () => settle(silent),
  };
  const silent = { code: 'silent', message: `there was no answer within ${withinMs / 1000} s` };
  const dialer = createDialer<undefined>(
    {
      endpoint: { url: url.href },
      counters: newCounters(),
      sourceAddress: () => '127.0.0.1',
      sink: { problem() {} }, // its cause is told below
      ...(connector && { connector }),
    },
    {
      opened: () => dialer.send(socket, encodeRequest(url, url.pathname + url.search, headers)),
      read: (_owner, piece, to, atUs) => void readResponse(reader, piece, 0, to, atUs, parts, undefined),
      closed(_owner, cause) {
        try {
          endResponses(reader, nowUs(), parts, undefined);
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          cause = error;
        }
        settle(cause);
      },
    },
  );
  let timer = setTimeout(settle, withinMs, silent);
  const socket = dialer.dial(undefined, 0);
  return promise;
}
