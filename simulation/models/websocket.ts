// Simulates WebSocket: a frame for each event, and a ping at each turn, which the client answers.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import type { Model, ModelInput } from '../model.ts';
import { compressed } from './compressed.ts';
import type { StreamKind } from './stream-kind.ts';
import { runStreams } from './streams.ts';
import { frameBytes } from './wire-sizes.ts';

/** A pong of a client without a payload: its head and its mask. */
const pongBytes = 6;

export const websocket: Model = (input) => runStreams(input, websocketKind(input));

export function websocketKind({ variant }: Pick<ModelInput, 'variant'>): StreamKind {
  const { ping, deflate } = variant.options as PatternOptions<'websocket'>; // by its schema
  return {
    eventBytes: (envelope) => frameBytes(envelope),
    life: { when: 'always', everyMs: ping, bytes: () => frameBytes(0), answerBytes: pongBytes },
    leavesOut: compressed(deflate),
  };
}
