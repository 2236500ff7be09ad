// Reads the stream of deliveries with the `eventsource` package, as a browser would.

import { EventSource } from 'eventsource';
import type { TestContext } from 'vitest';
import type { StreamMessage } from '../../../servers/webhook/api.ts';

/** Resolves when the stream is open, with the messages so far; the list grows. */
export async function createEventSource(t: TestContext, url: string): Promise<StreamMessage[]> {
  const messages: StreamMessage[] = [];
  const source = new EventSource(url);
  t.onTestFinished(() => source.close());
  source.onmessage = ({ data }) => messages.push(JSON.parse(data as string) as StreamMessage);
  await new Promise((resolve, reject) => {
    source.onopen = resolve;
    source.onerror = reject;
  });
  return messages;
}
