// Holds what the tests of targets share: a subscriber of a target file's pattern, and small servers with ways
// of their own.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'vitest';
import { encodeEnvelope } from '../../../core/event/envelope.ts';
import { accessOf, type TargetAccess } from '../../../core/target/access.ts';
import { parseTarget } from '../../../core/target/file.ts';
import { startTarget } from '../../../load/target/loads.ts';
import { certificate } from '../certificate.ts';
import { listen, testContext, type Seen } from '../context.ts';

export const run = 'k3f9a1x2y7';

export function event(seq: number, topic = 'news', of = run): string {
  return encodeEnvelope({
    id: `${of}-${seq}`,
    topic,
    seq,
    plannedUs: 1,
    sentUs: 2,
    acceptedUs: 0,
    body: `{"n":${seq}}`,
  });
}

/** @param yaml what stands below `name` and `url` in a target file */
export function access(url: string, yaml: string, env: Record<string, string> = {}): TargetAccess {
  const text =
    `name: feed\nurl: ${url}\n` + `${yaml.includes('publish:') ? '' : 'publish: /pub/{topic}\n'}${yaml}`;
  return { ...accessOf(parseTarget(text, 'feed.yaml'), 'feed.yaml', env, () => certificate), run };
}

export type Subscribed = Seen & { notes: string[] };

export async function subscribe(
  t: TestContext,
  pattern: string,
  target: TargetAccess,
  options: Record<string, unknown> = {},
  topics = ['news'],
): Promise<Subscribed> {
  const seen = testContext('http://127.0.0.1:1', { topicsOf: () => topics });
  const notes: string[] = [];
  const load = await startTarget(pattern, options, {
    context: seen.context,
    access: target,
    note: (_code, message) => void notes.push(message),
  });
  t.onTestFinished(() => load.close(500));
  load.open(0);
  return { ...seen, notes };
}

export function httpServer(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  return listen(t, createServer(answer));
}

export const stream = { 'content-type': 'text/event-stream' };
export const polls = { every: 20, jitter: 0, connection: 'keep-alive' };
