// Serves webhooks as they run, and on timers that go off when a test says so.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { defaultLimits, type ServerLimits } from '../../../core/scenario/scenario.ts';
import { createHub } from '../../../servers/hub/hub.ts';
import { createRouter } from '../../../servers/http/router.ts';
import { startServer } from '../../../servers/start.ts';
import { createTally } from '../../../servers/http/connection-counts.ts';
import { webhookOn } from '../../../servers/webhook.ts';
import { publisherOf } from './client.ts';
import { virtualTimers } from '../virtual-timers.ts';

export type Given = { options?: Record<string, unknown>; limits?: Partial<ServerLimits> };

/** The server as it runs, and what the tests ask of it. */
export async function serve(t: TestContext, { options = {}, limits = {} }: Given = {}) {
  const server = await startServer({
    pattern: 'webhook',
    options: patterns.webhook.options.parse(options),
    limits: { ...defaultLimits, ...limits },
    seed: 1,
  });
  t.onTestFinished(() => server.close());
  return { server, ...clientOf(server.endpoint.url), publish: publisherOf(server.hub, server.publish) };
}

/** The same pattern on timers that go off when the test says so. */
export async function serveVirtually(t: TestContext, { options = {}, limits = {} }: Given = {}) {
  const timers = virtualTimers();
  const counters = newCounters();
  const hub = createHub(defaultLimits);
  const tally = createTally(counters);
  const context = {
    hub,
    limits: { ...defaultLimits, ...limits },
    counters,
    countConnection: tally.add,
    random: () => 0.5,
  };
  const running = await webhookOn(timers).start(context, patterns.webhook.options.parse(options));
  const listener = createServer(createRouter(running.routes, counters)).listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  t.onTestFinished(async () => {
    await running.close();
    listener.closeAllConnections();
    listener.close();
  });
  const { port } = listener.address() as AddressInfo;
  return {
    timers,
    counters,
    running,
    ...clientOf(`http://127.0.0.1:${port}`),
    publish: publisherOf(hub, running.publish!),
  }; // this pattern has it
}

export type Row = {
  id: string;
  url: string;
  events: string[];
  disabled?: string;
  pending: number;
  delivered: number;
  givenUp: number;
  lastFailure?: string;
};

export function clientOf(url: string) {
  const post = async (body: string) => {
    const response = await fetch(`${url}/webhooks`, { method: 'POST', body });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as { id: string; secret: string; error: string; message: string },
    };
  };
  return {
    post,
    async register(receiverUrl: string, events = ['news'], secret?: string) {
      const { status, body } = await post(JSON.stringify({ url: receiverUrl, events, secret }));
      assert.equal(status, 201, body.message);
      return body;
    },
    async list() {
      const response = await fetch(`${url}/webhooks`);
      return {
        text: await response.clone().text(),
        rows: ((await response.json()) as { webhooks: Row[] }).webhooks,
      };
    },
    remove: async (id: string) => {
      const response = await fetch(`${url}/webhooks/${id}`, { method: 'DELETE' });
      return { status: response.status, text: await response.text() };
    },
  };
}
