// What the tests of webhook delivery share: the server on timers of the test's, and its HTTP API.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { defaultLimits, type ServerLimits } from '../../../core/scenario/scenario.ts';
import { createHub, type Hub } from '../../../servers/hub/hub.ts';
import type { Publish } from '../../../servers/pattern.ts';
import { createRouter } from '../../../servers/http/router.ts';
import { createTally } from '../../../servers/http/connection-counts.ts';
import { webhookOn } from '../../../servers/webhook.ts';
import type {
  DeliveryDetail,
  DeliveryList,
  DeliveryView,
  EndpointList,
  EndpointView,
  EventList,
  RecoverAnswer,
  Stats,
} from '../../../servers/webhook/api.ts';
import type { Timers } from '../../../servers/webhook/sending/timers.ts';

/** The webhook server on these timers; closed when the test is over, if not before. */
export async function serveOn(
  t: TestContext,
  timers: Timers,
  options: Record<string, unknown> = {},
  limits: Partial<ServerLimits> = {},
  random = () => 0.5,
) {
  const counters = newCounters();
  const hub = createHub(defaultLimits);
  const tally = createTally(counters);
  const context = {
    hub,
    limits: { ...defaultLimits, slowBuffer: 64 * 1024 ** 2, ...limits },
    counters,
    countConnection: tally.add,
    random,
  };
  const running = await webhookOn(timers).start(
    context,
    patterns.webhook.options.parse({ jitter: '0%', ...options }),
  );
  const listener = createServer(createRouter(running.routes, counters)).listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await running.close();
    listener.closeAllConnections();
    await new Promise((resolve) => listener.close(resolve));
  };
  t.onTestFinished(close);
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`; // of a TCP listener
  // This pattern has it.
  return { url, counters, hub, running, close, ...apiOf(url), publish: publisherOf(hub, running.publish!) };
}

/** Publishes as a request does. @returns the event, as the hub has it once it is stored */
export function publisherOf(hub: Hub, publish: Publish) {
  return async (topic: string, body = '{}') => {
    const { id } = await publish(topic, body, {});
    const { events } = hub.since([topic], `${hub.epoch}-${Number(id.split('-')[1]) - 1}`);
    return events[0]!; // the one with that id
  };
}

export function apiOf(url: string) {
  async function call(method: string, path: string, body?: object) {
    const response = await fetch(`${url}${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as unknown };
  }
  async function ok<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await call(method, path, body);
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
    return answer.body as T; // as api.ts has it
  }
  return {
    call,
    register: (receiver: string, events = ['news']) =>
      ok<{ id: string; secret: string }>('POST', '/webhooks', { url: receiver, events }),
    endpoint: (id: string) => ok<EndpointView>('GET', `/webhooks/${id}`),
    endpoints: (query = '') => ok<EndpointList>('GET', `/webhooks${query}`),
    change: (id: string, change: object) => ok<EndpointView>('PATCH', `/webhooks/${id}`, change),
    remove: (id: string) => ok<undefined>('DELETE', `/webhooks/${id}`),
    sendTest: (id: string) => ok<DeliveryView>('POST', `/webhooks/${id}/test`),
    recover: (id: string, range: object) => ok<RecoverAnswer>('POST', `/webhooks/${id}/recover`, range),
    events: (query = '') => ok<EventList>('GET', `/webhooks/events${query}`),
    deliveries: (query = '') => ok<DeliveryList>('GET', `/webhooks/deliveries${query}`),
    delivery: (id: string) => ok<DeliveryDetail>('GET', `/webhooks/deliveries/${id}`),
    replay: (id: string) => ok<DeliveryView>('POST', `/webhooks/deliveries/${id}/replay`),
    stats: () => ok<Stats>('GET', '/webhooks/stats'),
  };
}
