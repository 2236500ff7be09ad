// Lists the load sides by pattern. Each is loaded when asked for, so that a process holds the code of one
// pattern.

import type { PatternName, PatternOptions } from '../core/pattern/registry.ts';
import type { PatternLoad } from './pattern.ts';

export const loads: { readonly [P in PatternName]: () => Promise<PatternLoad<PatternOptions<P>>> } = {
  polling: async () => (await import('./polling.ts')).polling,
  'long-polling': async () => (await import('./long-polling.ts')).longPolling,
  'http-stream': async () => (await import('./http-stream.ts')).httpStream,
  sse: async () => (await import('./sse.ts')).sse,
  websocket: async () => (await import('./websocket.ts')).websocket,
  webhook: async () => (await import('./webhook.ts')).webhook,
};
