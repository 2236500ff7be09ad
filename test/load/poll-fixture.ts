// What the tests of polling and long polling share: a small server of the wire's two polling endpoints over
// `node:http`, written from docs/wire.md and nothing else, and a context that records
// what subscribers report.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { newCounters } from '../../core/result/counters.ts';
import { decodeEnvelope, encodeEnvelope, type Envelope } from '../../core/event/envelope.ts';
import { random } from '../../core/base/random.ts';
import { patterns, type PatternOptions } from '../../core/pattern/registry.ts';
import type { LoadContext } from '../../load/pattern.ts';
import { polling } from '../../load/polling.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

/** A server that answers with `answer`, and keeps what it was asked. */
export async function startServer(answer: Answer) {
  const asked: { url: URL; headers: IncomingMessage['headers']; atMs: number }[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const url = new URL(request.url ?? '', 'http://test');
    asked.push({ url, headers: request.headers, atMs: performance.now() });
    answer(request, response, url);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    connections: () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count))),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The log behind `/poll` and `/long-poll`: every event, and those who wait for one. */
export function newLog(epoch = 'e1') {
  const events: Envelope[] = [];
  const waiting = new Set<() => void>();
  const after = (url: URL) => {
    const topics = (url.searchParams.get('topics') ?? '').split(',');
    const since = url.searchParams.get('since');
    const from = since === null ? events.length : Number(since.split('-')[1]);
    return events.slice(from).filter((event) => topics.includes(event.topic));
  };
  const cursor = () => `${epoch}-${events.length}`;
  const list = (found: Envelope[]) =>
    `{"cursor":"${cursor()}","events":[${found.map(encodeEnvelope).join(',')}]}`;
  const headers = (url: URL) => {
    const topics = (url.searchParams.get('topics') ?? '').split(',');
    const newest = events.findLast((event) => topics.includes(event.topic));
    return { 'content-type': 'application/json', etag: `"${newest?.id ?? `${epoch}-0`}"` };
  };

  return {
    publish(topic: string, body: string, plannedUs = 1) {
      const seq = events.filter((event) => event.topic === topic).length + 1;
      events.push({
        id: `${epoch}-${events.length + 1}`,
        topic,
        seq,
        plannedUs,
        sentUs: 2,
        acceptedUs: 3,
        body,
      });
      for (const wake of waiting) wake();
    },
    poll: ((request, response, url) => {
      const { etag, ...rest } = headers(url);
      if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
      else response.writeHead(200, { etag, ...rest }).end(list(after(url)));
    }) satisfies Answer,
    longPoll: ((_, response, url) => {
      const answer = () => {
        clearTimeout(timer);
        waiting.delete(wake);
        const found = after(url);
        if (found.length === 0 && url.searchParams.has('since'))
          response.writeHead(204, { 'pushbench-cursor': cursor() }).end();
        else response.writeHead(200, headers(url)).end(list(found));
      };
      const wake = () => {
        if (after(url).length > 0) answer();
      };
      const timer = setTimeout(answer, Number(url.searchParams.get('hold')));
      response.on('close', () => {
        clearTimeout(timer);
        waiting.delete(wake);
      });
      if (!url.searchParams.has('since') || after(url).length > 0) answer();
      else waiting.add(wake);
    }) satisfies Answer,
  };
}

/** A context for subscribers of `url`, and all that they report to it. */
export function recorder(url: string, changes: Partial<LoadContext> = {}) {
  const got: { subscriber: number; event: Envelope; atUs: number }[] = [];
  const calls: string[] = [];
  const problems: string[] = [];
  const context: LoadContext = {
    endpoint: { url, publishUrl: url, over: 'h1' },
    counters: newCounters(),
    reconnect: { base: 20, cap: 100 },
    random: random(1, 'test'),
    topicsOf: () => ['news'],
    sourceAddress: () => '127.0.0.1',
    sink: {
      ready: (subscriber) => void calls.push(`ready ${subscriber}`),
      lost: (subscriber) => void calls.push(`lost ${subscriber}`),
      reset: (subscriber) => void calls.push(`reset ${subscriber}`),
      gone: (subscriber) => void calls.push(`gone ${subscriber}`),
      event(subscriber, bytes, from, to, atUs) {
        const line = bytes.toString('utf8', from, to);
        if (!line.startsWith('{"id":')) return false;
        got.push({ subscriber, event: decodeEnvelope(line), atUs });
        return true;
      },
      problem: (code, message) => void problems.push(`${code}: ${message}`),
    },
    ...changes,
  };
  return {
    context,
    counters: context.counters,
    got,
    calls,
    problems,
    bodies: () => got.map(({ event }) => event.body),
  };
}

/** Waits until `holds`, however long the machine takes; fails after 10 s. */
export async function until(holds: () => boolean): Promise<void> {
  for (const fromMs = performance.now(); !holds(); await sleep(5)) {
    if (performance.now() - fromMs > 10_000) throw new Error(`waited 10 s in vain for: ${holds}`);
  }
}

const pollingOptions = (changes: Partial<PatternOptions<'polling'>> = {}) => ({
  ...patterns.polling.options.parse({}),
  every: 20,
  ...changes,
});

/** Polling subscribers that ask every 20 ms, or as changed. */
export async function startPolling(
  context: LoadContext,
  changes?: Partial<PatternOptions<'polling'>>,
  subscribers = 1,
) {
  const load = await polling.start(context, pollingOptions(changes));
  for (let subscriber = 0; subscriber < subscribers; subscriber++) load.open(subscriber);
  return { [Symbol.asyncDispose]: () => load.close(1000), load };
}
