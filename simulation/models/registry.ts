// Lists the models by pattern. A pattern without one cannot be simulated.

import type { ModelRegistry } from '../model.ts';
import { httpStream } from './http-stream.ts';
import { longPolling } from './long-polling.ts';
import { polling } from './polling.ts';
import { sse } from './sse.ts';
import { webhook } from './webhook.ts';
import { websocket } from './websocket.ts';

export const models: ModelRegistry = {
  polling,
  'long-polling': longPolling,
  'http-stream': httpStream,
  sse,
  websocket,
  webhook,
};
