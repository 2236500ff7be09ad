// Follows a server with clients of other people until it lets them go, for the tests of draining: when each
// was told, and with what words.

import { once } from 'node:events';
import { EventSource } from 'eventsource';
import type { TestContext } from 'vitest';
import { Client } from 'undici';
import type { PatternName } from '../../core/pattern/registry.ts';
import { until } from './http/raw-http.ts';
import { open } from './websocket-clients.ts';

/** How one client was let go, and when on the clock of `performance.now()`. */
export type Goodbye = { atMs: number; words: unknown };
export type DrainClient = { goodbye: Promise<Goodbye> };

type Join = (t: TestContext, url: string) => Promise<DrainClient>;

/** @returns an HTTP client with one connection of its own */
export function keptAlive(t: TestContext, url: string): Client {
  const client = new Client(url, { pipelining: 1 });
  t.onTestFinished(() => client.destroy());
  return client;
}

async function joinSocket(t: TestContext, url: string): Promise<DrainClient> {
  const { closed, got, saw } = await open(t, url, 'topics=a');
  await saw(1);
  return {
    goodbye: closed.then(({ code }) => ({ atMs: performance.now(), words: [code, ...got.slice(1)] })),
  };
}

async function joinEventSource(t: TestContext, url: string): Promise<DrainClient> {
  const source = new EventSource(`${url}/events?topics=a`);
  t.onTestFinished(() => source.close());
  await once(source, 'open');
  const ended = new Promise<number>((resolve) =>
    source.addEventListener('error', () => resolve(performance.now()), { once: true }),
  );
  return { goodbye: ended.then((atMs) => ({ atMs, words: source.readyState })) };
}

async function joinStream(t: TestContext, url: string): Promise<DrainClient> {
  const { body } = await keptAlive(t, url).request({ path: '/stream?topics=a', method: 'GET' });
  const goodbye = body.text().then((text) => ({
    atMs: performance.now(),
    words: JSON.parse(text.trim().split('\n').at(-1)!) as unknown,
  }));
  return { goodbye };
}

/** Polls over one connection until an answer says that it is the last. */
async function joinPolls(t: TestContext, url: string, path: string, everyMs: number): Promise<DrainClient> {
  const client = keptAlive(t, url);
  let since = '';
  const ask = async () => {
    const answer = await client.request({ path: `${path}?topics=a${since}`, method: 'GET' });
    const text = await answer.body.text();
    const cursor =
      text === '' ? answer.headers['pushbench-cursor'] : (JSON.parse(text) as { cursor: string }).cursor;
    since = `&since=${String(cursor)}`;
    return answer;
  };
  await ask();
  const goodbye = (async () => {
    for (;;) {
      const { statusCode, headers } = await ask();
      const atMs = performance.now();
      if (headers['connection'] === 'close') return { atMs, words: statusCode };
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  })();
  return { goodbye };
}

/** A client of each pattern, with the words that let it go. */
export const clientsOf: Partial<Record<PatternName, { join: Join; words: unknown }>> = {
  websocket: { join: joinSocket, words: [1012] },
  // It comes back by itself: it is connecting again when the error is told.
  sse: { join: joinEventSource, words: EventSource.CONNECTING },
  'http-stream': { join: joinStream, words: { stream: 'end', comeBack: true } },
  'long-polling': { join: (t, url) => joinPolls(t, url, '/long-poll', 0), words: 204 },
  polling: { join: (t, url) => joinPolls(t, url, '/poll', 5), words: 200 },
};

/** So many, in their order. */
export async function joinAll(
  t: TestContext,
  join: Join,
  { url, subscribers }: { url: string; subscribers(): number },
  count: number,
): Promise<DrainClient[]> {
  const clients: DrainClient[] = [];
  for (let i = 0; i < count; i++) {
    clients.push(await join(t, url));
    await until(`${i + 1} have joined`, () => subscribers() === i + 1);
  }
  return clients;
}
