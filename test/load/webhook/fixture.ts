// Holds what the tests of webhook subscribers share: a server for registrations, and signed deliveries.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { type TestContext } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { webhook } from '../../../load/webhook.ts';
import { listen, testContext, until } from '../context.ts';

export type Registered = { url: string; events: string[]; secret: string };

export const accept = (id: number, response: ServerResponse): void =>
  void response.writeHead(201).end(`{"id":"ep_${id}"}`);

/** A server that takes registrations, answering as told, and subscribers that register with it. */
export async function setUp(
  t: TestContext,
  answer: (count: number, response: ServerResponse, request: IncomingMessage) => void = accept,
) {
  const registered: Registered[] = [];
  const removed: string[] = [];
  let connections = 0;
  let posts = 0;
  const server = createServer((request, response) => {
    let body = '';
    request
      .on('data', (piece: Buffer) => (body += piece.toString()))
      .on('end', () => {
        if (request.method === 'DELETE') {
          removed.push(request.url!.slice('/base/webhooks/'.length));
          response.writeHead(204).end();
          return;
        }
        assert.equal(request.url, '/base/webhooks');
        registered.push(JSON.parse(body) as Registered);
        answer(posts++, response, request);
      });
  });
  server.on('connection', () => connections++);
  const seen = testContext(`${await listen(t, server)}/base`, {
    topicsOf: (subscriber) => ['news', `own.${subscriber}`],
  });
  const load = await webhook.start(seen.context, patterns.webhook.options.parse({}));
  t.onTestFinished(() => load.close(0));
  return { ...seen, load, registered, removed, connections: () => connections };
}

/** One subscriber, and a sender that signs for it with the library. */
export async function setUpOne(t: TestContext) {
  const all = await setUp(t);
  all.load.open(7);
  await until(() => all.ready.length === 1, 'ready');
  const [{ url, secret }] = all.registered as [Registered];
  const signed = (id: string, body: string, { key = secret, ageS = 0 } = {}) => {
    const timestampS = Math.floor(Date.now() / 1000) - ageS;
    return {
      'webhook-id': id,
      'webhook-timestamp': String(timestampS),
      'webhook-signature': new Webhook(key).sign(id, new Date(timestampS * 1000), body),
    };
  };
  const deliver = async (headers: Record<string, string>, body: string, to = url) =>
    (await fetch(to, { method: 'POST', headers, body })).status;
  return { ...all, url, secret, signed, deliver };
}
