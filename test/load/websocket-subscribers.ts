// Opens WebSocket subscribers for the tests of this folder.

import type { TestContext } from 'vitest';
import { websocket } from '../../load/websocket.ts';
import type { RunningLoad } from '../../load/pattern.ts';
import type { Seen } from './context.ts';

export const open = (offset = 0) => JSON.stringify({ socket: 'open', cursor: `abc123-${offset}` });

export async function start(
  t: TestContext,
  seen: Seen,
  { subscribers = 1, deflate = false } = {},
): Promise<RunningLoad> {
  const running = await websocket.start(seen.context, { deflate, ping: 25_000, fallback: [], again: false });
  for (let i = 0; i < subscribers; i++) running.open(i);
  t.onTestFinished(() => running.close(0));
  return running;
}
