// Decodes gzip as a content coding (RFC 9110, section 8.4.1.3) of what servers answer: a whole body at once,
// and the body of a response that does not end as it comes. What a server flushes when is its own affair:
// neither chunks nor packets need be events. WebSocket's compression is inflate.ts.

import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { nowUs } from '../../core/base/clock.ts';
import { messageOf } from '../../core/base/errors.ts';
import { largestMessageBytes } from '../../core/event/body-size.ts';
import type { ResponseHead } from './http-head.ts';
import { ProtocolError, tooLarge } from './protocol-error.ts';

/** The field that asks for it, where it is wanted. */
export function gzipAccepted(gzip: boolean): Record<string, string> {
  return gzip ? { 'accept-encoding': 'gzip' } : {};
}

/** Whether a body is compressed. @throws ProtocolError `http-coding` when it is so in another way */
export function isGzip({ headers }: Pick<ResponseHead, 'headers'>): boolean {
  const coding = headers.get('content-encoding')?.trim().toLowerCase();
  if (coding === undefined || coding === '' || coding === 'identity') return false;
  if (coding === 'gzip' || coding === 'x-gzip') return true;
  throw new ProtocolError(
    'http-coding',
    `the answer has the content coding "${coding}", which was not asked for`,
  );
}

/**
 * The body in bytes `from`..`to`.
 * @throws ProtocolError `gzip`, `http-body-too-large` when it has more than `largestBytes`
 */
export function gunzipBody(bytes: Buffer, from: number, to: number, largestBytes: number): Buffer {
  try {
    return gunzipSync(bytes.subarray(from, to), { maxOutputLength: largestBytes });
  } catch (error) {
    if (error instanceof RangeError)
      throw tooLarge(
        'http-body-too-large',
        `an answer's body is larger than ${largestBytes} bytes when it is inflated`,
      );
    throw unreadable(error);
  }
}

/** Inflates one response that does not end. */
export type Inflation = {
  /**
   * Takes the bytes `from`..`to`, which may be overwritten afterwards. `written` is called when they have
   * been handed on, or never will be.
   */
  write(bytes: Buffer, from: number, to: number, written: () => void): void;
  /** The response is over; `ended` is called when all of it has been handed on. */
  end(ended: () => void): void;
};

/**
 * Where inflated bytes go, in pieces of at most `constants.Z_DEFAULT_CHUNK` (16 KiB). Calls come later than
 * `write`.
 */
export type InflationParts = {
  /** @throws ProtocolError to have it end there */
  data(bytes: Buffer, atUs: number): void;
  /** No more comes. */
  failed(error: ProtocolError): void;
};

export function createInflation({ data, failed }: InflationParts): Inflation {
  const gunzip = createGunzip({ chunkSize: constants.Z_DEFAULT_CHUNK });
  const fail = (error: unknown) => {
    gunzip.destroy();
    if (!(error instanceof ProtocolError)) throw error;
    failed(error);
  };
  gunzip.on('data', (bytes: Buffer) => {
    try {
      data(bytes, nowUs());
    } catch (error) {
      fail(error);
    }
  });
  gunzip.on('error', (error) => fail(unreadable(error)));
  // Of a write that fails the stream itself says nothing.
  const waiting: (() => void)[] = [];
  gunzip.once('close', () => {
    for (const written of waiting.splice(0)) written();
  });
  return {
    write(bytes, from, to, written) {
      if (!gunzip.destroyed && gunzip.writableLength + to - from > largestMessageBytes) {
        fail(
          tooLarge('gzip-behind', `more than ${largestMessageBytes} compressed bytes wait to be inflated`),
        );
      }
      if (gunzip.destroyed) {
        written();
      } else {
        waiting.push(written);
        gunzip.write(Buffer.from(bytes.subarray(from, to)), () => waiting.shift()?.());
      }
    },
    end(ended) {
      if (!gunzip.destroyed) gunzip.once('end', ended).end();
    },
  };
}

function unreadable(error: unknown): ProtocolError {
  return new ProtocolError('gzip', `a compressed answer cannot be read: ${messageOf(error)}`);
}
