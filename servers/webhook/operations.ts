// Publishes what the delivery of webhooks has to say itself: operational events, which an endpoint may follow
// like any other, and test events.

import { messageOf } from '../../core/base/errors.ts';
import { TooManyTopics } from '../hub/hub.ts';
import type { PatternContext, Publish } from '../pattern.ts';
import { RequestError } from '../http/request.ts';
import type { Message } from '../../core/policy/webhook/delivery.ts';
import type { DeliveryRow } from './records.ts';

/** Topics of operational events. */
export const operationalTopics = {
  disabled: 'webhook.endpoint.disabled',
  enabled: 'webhook.endpoint.enabled',
  exhausted: 'webhook.delivery.exhausted',
} as const;

export type Announcer = {
  /** Publishes an operational event, when what is being published now is done. */
  announce(topic: keyof typeof operationalTopics, body: object): void;
  close(): void;
};

/** @param publish the door that every publisher takes */
export function createAnnouncer({ counters }: Pick<PatternContext, 'counters'>, publish: Publish): Announcer {
  let closed = false;
  return {
    announce(name, body) {
      const topic = operationalTopics[name];
      setImmediate(() => {
        if (closed) return;
        publish(topic, JSON.stringify(body), {}).catch((error: unknown) => {
          counters[error instanceof RequestError || error instanceof TooManyTopics ? 'refusals' : 'errors']++;
          console.error(`an event of ${topic} could not be published: ${messageOf(error)}`);
        });
      });
    },
    close: () => void (closed = true),
  };
}

/** Whether it is an event of ours: that one of these could not be delivered is not announced in turn. */
export function isOperational(topic: string): boolean {
  return topic.startsWith('webhook.');
}

/** A delivery as it was accepted, for a client that asks after it was made and forgotten (`keep: 0`). */
export function acceptedRow(id: number, endpointId: string, message: Message, nowMs: number): DeliveryRow {
  const createdMs = Math.round(nowMs);
  return {
    id,
    endpointId,
    eventId: message.id,
    topic: message.topic,
    state: 'pending',
    attempts: 0,
    createdMs,
    nextMs: createdMs,
    settledMs: undefined,
    status: undefined,
    failure: undefined,
  };
}

/** A test event for the endpoint of this key. */
export function testMessage(key: number, nowMs: number, random: () => number): Message {
  const id = `test_${key}_${Math.round(nowMs)}_${Math.floor(random() * 1e9)}`;
  const body = JSON.stringify({
    id,
    topic: 'webhook.test',
    body: { message: 'a test event', at: new Date(nowMs).toISOString() },
  });
  return { id, topic: 'webhook.test', body, bodyBytes: Buffer.byteLength(body) };
}
