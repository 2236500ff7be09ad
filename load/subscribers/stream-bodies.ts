// Inflates the bodies of streams that come compressed, between a connection, which gives bytes, and a
// pattern, which reads text. Inflating takes a while, in which a connection may end and the next begin.

import type { Counters } from '../../core/result/counters.ts';
import { createInflation, isGzip, type Inflation } from '../wire/gunzip.ts';
import type { ResponseHead } from '../wire/http-head.ts';
import type { Line, Stream, Streams } from './streams.ts';

/** The part of a stream's state that is kept here. */
export type Inflating = { inflation: Inflation | undefined };

/** Where a response's parts go; `read` gets its body. */
export type StreamBodies<Owner> = {
  /** The stream's response begins. @throws ProtocolError `http-coding` */
  head(stream: Owner, head: Pick<ResponseHead, 'headers'>): void;
  body(stream: Owner, bytes: Buffer, from: number, to: number, atUs: number): void;
  end(stream: Owner): void;
  /** Resolves when all that was taken has been handed on. */
  settled(): Promise<void>;
};

/**
 * @param counters of which `compressed` grows with each such body
 * @param read gets the bodies as they were before they were compressed.
 * @throws ProtocolError from there ends a stream
 */
export function createStreamBodies<State extends Inflating, L extends Line>(
  counters: Pick<Counters, 'compressed'>,
  streams: () => Pick<Streams<State, L, never>, 'fail' | 'hangUp'>,
  read: StreamBodies<Stream<State, L>>['body'],
): StreamBodies<Stream<State, L>> {
  let waiting = 0;
  let allWritten = () => {};
  const written = () => {
    waiting--;
    if (waiting === 0) allWritten();
  };

  return {
    head(stream, head) {
      if (!isGzip(head)) return;
      counters.compressed++;
      const { state } = stream;
      state.inflation = createInflation({
        // What comes when the subscriber is on another connection comes there again.
        data: (bytes, atUs) => void (stream.state === state && read(stream, bytes, 0, bytes.length, atUs)),
        failed: (error) => void (stream.state === state && streams().fail(stream, error)),
      });
    },
    body(stream, bytes, from, to, atUs) {
      const { inflation } = stream.state;
      if (inflation) {
        waiting++;
        inflation.write(bytes, from, to, written);
      } else {
        read(stream, bytes, from, to, atUs);
      }
    },
    end(stream) {
      const { state } = stream;
      if (state.inflation)
        state.inflation.end(() => void (stream.state === state && streams().hangUp(stream)));
      else streams().hangUp(stream);
    },
    async settled() {
      if (waiting > 0) await new Promise<void>((resolve) => (allWritten = resolve));
    },
  };
}
