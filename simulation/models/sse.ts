// Simulates SSE: an event of a text/event-stream for each event, in a chunk of a response over HTTP/1.1, or
// in a frame of a stream of HTTP/2.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import type { Model, ModelInput } from '../model.ts';
import { compressed } from './compressed.ts';
import type { StreamKind } from './stream-kind.ts';
import { runStreams } from './streams.ts';
import { chunkBytes } from './wire-sizes.ts';

/** Of a frame of HTTP/2 (RFC 9113, section 4.1). */
const frameHeadBytes = 9;

export const sse: Model = (input) => runStreams(input, sseKind(input));

export function sseKind({ variant }: Pick<ModelInput, 'variant'>): StreamKind {
  const { heartbeat, gzip, over } = variant.options as PatternOptions<'sse'>; // by its schema
  const framed = over === 'h1' ? chunkBytes : (bytes: number) => frameHeadBytes + bytes;
  return {
    eventBytes: (envelope, cursor) => framed('id: \ndata: \n\n'.length + cursor + envelope),
    life: {
      when: 'quiet',
      everyMs: heartbeat,
      bytes: () => framed(': keep-alive\n\n'.length),
      answerBytes: 0,
    },
    leavesOut: compressed(gzip),
  };
}
