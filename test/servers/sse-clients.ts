// Reads Server-Sent Events in the tests: an EventSource that reconnects, and a parser of the bytes.

import { EventSource } from 'eventsource';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { TestContext } from 'vitest';
import { until } from './http/raw-http.ts';

export type Messages = { data: string; lastEventId: string }[];

/** A client that reconnects by itself, with what it got. */
export function listen(t: TestContext, url: string, query: string) {
  const source = new EventSource(`${url}/events?${query}`);
  t.onTestFinished(() => source.close());
  const messages: Messages = [];
  const resets: Messages = [];
  source.onmessage = ({ data, lastEventId }) => void messages.push({ data: data as string, lastEventId });
  source.addEventListener(
    'reset',
    ({ data, lastEventId }) => void resets.push({ data: data as string, lastEventId }),
  );
  return {
    source,
    messages,
    resets,
    saw: (count: number) => until(`${count} messages`, () => messages.length >= count),
  };
}

/** What a parser makes of the bytes. */
export function reader() {
  const events: EventSourceMessage[] = [];
  const comments: string[] = [];
  const retries: number[] = [];
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onComment: (text) => comments.push(text),
    onRetry: (ms) => retries.push(ms),
    maxBufferSize: 1e8,
  });
  return {
    events,
    comments,
    retries,
    feed: (bytes: Uint8Array) => parser.feed(decoder.decode(bytes, { stream: true })),
  };
}
