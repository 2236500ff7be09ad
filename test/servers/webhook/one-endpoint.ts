// Serves webhooks to one endpoint, over a store that fails when a test says so.

import { type TestContext } from 'vitest';
import { realTimers } from '../../../servers/webhook/sending/timers.ts';
import { receiver } from '../receivers.ts';
import { serveFailing } from './failing-store.ts';

export const seqsOf = (bodies: { body: string }[]) =>
  bodies.map(({ body }) => (JSON.parse(body) as { seq: number }).seq);

/** A server with one endpoint on `news`, whose receiver takes everything. */
export async function setUp(t: TestContext, options: Record<string, unknown> = {}, statuses: number[] = []) {
  const at = await receiver(t, (_, count) => statuses[count - 1] ?? 204);
  const server = await serveFailing(t, realTimers, options);
  return { ...server, got: at.got, at: at.url, ...(await server.register(at.url)) };
}
