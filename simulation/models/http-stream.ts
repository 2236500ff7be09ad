// Simulates HTTP streaming: a line of JSON for each event, in a chunk of a response that does not end.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import type { Model, ModelInput } from '../model.ts';
import type { StreamKind } from './stream-kind.ts';
import { runStreams } from './streams.ts';
import { chunkBytes } from './wire-sizes.ts';
import { compressed } from './compressed.ts';

export const httpStream: Model = (input) => runStreams(input, httpStreamKind(input));

export function httpStreamKind({ variant }: Pick<ModelInput, 'variant'>): StreamKind {
  const { heartbeat, gzip } = variant.options as PatternOptions<'http-stream'>; // by its schema
  const line = '{"stream":"heartbeat","cursor":""}\n';
  return {
    eventBytes: (envelope) => chunkBytes(envelope + 1),
    life: {
      when: 'quiet',
      everyMs: heartbeat,
      bytes: (cursor) => chunkBytes(line.length + cursor),
      answerBytes: 0,
    },
    leavesOut: compressed(gzip),
  };
}
