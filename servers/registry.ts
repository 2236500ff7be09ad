// Lists the reference servers by pattern. Only the module of the served pattern is loaded.

import type { PatternName, PatternOptions } from '../core/pattern/registry.ts';
import type { PatternServer } from './pattern.ts';

export const patternServers: {
  readonly [P in PatternName]: () => Promise<PatternServer<PatternOptions<P>>>;
} = {
  polling: async () => (await import('./polling.ts')).polling,
  'long-polling': async () => (await import('./long-polling.ts')).longPolling,
  'http-stream': async () => (await import('./http-stream.ts')).httpStream,
  sse: async () => (await import('./sse.ts')).sse,
  websocket: async () => (await import('./websocket.ts')).websocket,
  webhook: async () => (await import('./webhook.ts')).webhook,
};
