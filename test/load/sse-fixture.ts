// Holds what the tests of SSE subscribers share: events as a server writes them, and running subscribers.

import type { TestContext } from 'vitest';
import { sse } from '../../load/sse.ts';
import type { RunningLoad } from '../../load/pattern.ts';
import { envelope, type Seen } from './context.ts';

export const options = { over: 'h1' as const, gzip: false, heartbeat: 15_000, retry: 1000 };
export const head =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
export const event = (offset: number) => `id: abc123-${offset}\ndata: ${envelope(offset)}\n\n`;

export async function start(t: TestContext, seen: Seen, subscribers = 1): Promise<RunningLoad> {
  const running = await sse.start(seen.context, options);
  for (let i = 0; i < subscribers; i++) running.open(i);
  t.onTestFinished(() => running.close(0));
  return running;
}
