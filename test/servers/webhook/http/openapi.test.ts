// Holds the live server against the OpenAPI document: it names every route and no other, and each answer is
// as it says. The answers are checked against the document's own schemas, read back from its file.

import assert from 'node:assert/strict';
import { EventSource } from 'eventsource';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { openApiText } from '../../../../scripts/schema.ts';
import { startServer, type RunningServer } from '../../../../servers/start.ts';
import { deliveryQuery, endpointQuery, eventQuery } from '../../../../servers/webhook/api.ts';
import { receiver, until } from '../../receivers.ts';
import { errors, valid, text, document, operationsIn } from './openapi-document.ts';

describe('the document', () => {
  test('is the one that the code makes; npm run schema writes it again', () =>
    assert.equal(text, openApiText()));

  test('is valid OpenAPI 3.1', () => {
    assert.deepEqual(errors, undefined);
    assert.equal(valid, true);
    assert.match(document.openapi, /^3\.1\./);
  });

  test('names the parameters that the lists take, with their defaults', () => {
    for (const [path, schema] of [
      ['/webhooks', endpointQuery],
      ['/webhooks/events', eventQuery],
      ['/webhooks/deliveries', deliveryQuery],
    ] as const) {
      const parameters = document.paths[path]!['get']!.parameters!;
      assert.deepEqual(parameters.map(({ name }) => name).sort(), Object.keys(schema.shape).sort(), path);
      const limit = parameters.find(({ name }) => name === 'limit')!.schema;
      assert.equal(limit.default, schema.parse({}).limit);
      assert.equal(schema.safeParse({ limit: limit.maximum }).success, true);
      assert.equal(schema.safeParse({ limit: limit.maximum! + 1 }).success, false);
    }
  });
});

describe('the live server', () => {
  let server: RunningServer;
  /** Each operation and status that was checked. */
  const checked = new Set<string>();
  /** Everything that was answered, but for the two answers that tell a secret. */
  let said = '';
  const secrets: string[] = [];

  beforeAll(async () => {
    server = await startServer({
      pattern: 'webhook',
      options: patterns.webhook.options.parse({ store: 'memory', retries: [] }),
      limits: defaultLimits,
      seed: 1,
    });
  });
  afterAll(() => server.close());

  /** Asks, and holds the answer against what the document says of this operation and status. */
  async function ask(
    method: string,
    path: string,
    parameters: Record<string, string> = {},
    body?: unknown,
    headers: Record<string, string> = {},
  ) {
    const operation = document.paths[path]?.[method.toLowerCase()];
    assert.ok(operation, `${method} ${path} is not in the document`);
    const inPath = path.replace(/\{(\w+)\}/g, (_, name: string) => parameters[name]!);
    const query = new URLSearchParams(
      Object.entries(parameters).filter(([name]) => !path.includes(`{${name}}`)),
    );
    const response = await fetch(`${server.endpoint.url}${inPath}${query.size > 0 ? `?${query}` : ''}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const answer = await response.text();
    const described = operation.responses[response.status];
    assert.ok(
      described,
      `${operation.operationId} answered ${response.status}, of which the document knows nothing: ${answer}`,
    );
    checked.add(`${operation.operationId} ${response.status}`);
    if (!described.content) {
      assert.equal(answer, '');
      return { status: response.status, body: undefined };
    }
    assert.equal(response.headers.get('content-type'), 'application/json');
    const parsed: unknown = JSON.parse(answer);
    const held = z.fromJSONSchema(described.content['application/json']!.schema).safeParse(parsed);
    assert.ok(held.success, `${operation.operationId} ${response.status}: ${answer}: ${held.error?.message}`);
    const { secret } = parsed as { secret?: string };
    if (secret) secrets.push(secret);
    else said += answer;
    return { status: response.status, body: parsed as Record<string, never> };
  }

  test('has the documented routes and no other', async () => {
    const index = (await (await fetch(server.endpoint.url)).json()) as { endpoints: string[] };
    const undocumented = ['GET /', 'GET /readyz', 'GET /dashboard', 'GET /dashboard/*', 'GET /openapi.json'];
    const documented = operationsIn(document).map(
      ([method, path]) => `${method} ${path.replace(/\{\w+\}/g, '*')}`,
    );
    assert.deepEqual(
      index.endpoints.filter((route) => !undocumented.includes(route)).sort(),
      documented.sort(),
    );
  });

  test('answers the document itself', async () => {
    const served = await (await fetch(`${server.endpoint.url}/openapi.json`)).json();
    assert.deepEqual(served, parse(text));
  });

  test('answers each operation as documented, well asked and badly asked', async (t) => {
    let status = 500;
    const at = await receiver(t, () => status);
    const events = new EventSource(`${server.endpoint.url}/webhooks/stream`);
    t.onTestFinished(() => events.close());
    const streamed: unknown[] = [];
    events.addEventListener('message', ({ data }) => streamed.push(JSON.parse(data as string)));
    await new Promise((resolve) => events.addEventListener('open', resolve));

    const registration = { url: at.url, events: ['news'] };
    const { body: registered } = await ask('POST', '/webhooks', {}, registration);
    const { id } = registered as unknown as { id: string };
    await ask('POST', '/webhooks', {}, '{');
    await ask('POST', '/webhooks', {}, { ...registration, url: 'http://10.0.0.1/' });
    await ask('POST', '/webhooks', {}, 'x'.repeat(300_000));
    await ask('POST', '/webhooks', {}, registration, { origin: 'https://evil.example' });
    await ask('GET', '/webhooks', {}, undefined, { 'x-forwarded-for': '198.51.100.7' });
    await ask('GET', '/webhooks');
    await ask('GET', '/webhooks', { limit: '0' });
    await ask('GET', '/webhooks/{id}', { id });
    await ask('GET', '/webhooks/{id}', { id: 'ep_nobody' });

    for (const body of ['{"n":1}', 'no JSON']) await ask('POST', '/topics/{topic}', { topic: 'news' }, body);
    await ask('POST', '/messages/{topic}', { topic: 'chat' }, '1');
    await ask('POST', '/topics/{topic}', { topic: 'a b' }, '1');
    await until('both failed', () => server.counters().errors >= 2);
    type Deliveries = { deliveries: { id: string; state: string }[] };
    const exhausted = async () =>
      (
        (await ask('GET', '/webhooks/deliveries', { state: 'exhausted', endpoint: id }))
          .body as unknown as Deliveries
      ).deliveries;
    while ((await exhausted()).length < 2);
    await ask('GET', '/webhooks/deliveries', { state: 'lost' });
    const { body: page } = await ask('GET', '/webhooks/deliveries', { limit: '1' });
    const { nextCursor } = page as unknown as { nextCursor: string };
    await ask('GET', '/webhooks/deliveries', { limit: '1', cursor: nextCursor });
    const [dead] = await exhausted();
    await ask('GET', '/webhooks/deliveries/{id}', { id: dead!.id });
    await ask('GET', '/webhooks/deliveries/{id}', { id: '999999' });
    await ask('GET', '/webhooks/events');
    await ask('GET', '/webhooks/events', { topic: 'news', limit: '1' });
    await ask('GET', '/webhooks/events', { cursor: 'x' });

    status = 204;
    await ask('POST', '/webhooks/deliveries/{id}/replay', { id: dead!.id });
    await ask('POST', '/webhooks/deliveries/{id}/replay', { id: '999999' });
    await ask('POST', '/webhooks/{id}/recover', { id }, { since: new Date(0).toISOString() });
    await ask('POST', '/webhooks/{id}/recover', { id }, { since: 'yesterday' });
    await ask('POST', '/webhooks/{id}/test', { id });
    await ask('POST', '/webhooks/{id}/rotate', { id }, {});
    await ask('POST', '/webhooks/{id}/rotate', { id }, { overlapS: 'long' });
    await ask('GET', '/webhooks/stats');
    await ask('GET', '/webhooks/trend');
    await ask('PATCH', '/webhooks/{id}', { id }, { events: ['news', 'orders'] });
    await ask('PATCH', '/webhooks/{id}', { id }, { events: [] });
    await ask('PATCH', '/webhooks/{id}', { id }, { enabled: false });
    for (const path of ['/webhooks/{id}/test', '/webhooks/{id}/recover'])
      assert.equal((await ask('POST', path, { id }, { since: new Date(0).toISOString() })).status, 409);
    await ask('GET', '/webhooks/{id}', { id });
    await until('the stream told of all kinds', () =>
      ['attempt', 'endpoint', 'stats'].every((kind) =>
        streamed.some((one) => (one as { kind: string }).kind === kind),
      ),
    );
    await ask('DELETE', '/webhooks/{id}', { id });
    await ask('DELETE', '/webhooks/{id}', { id });

    const message = z.fromJSONSchema(
      document.paths['/webhooks/stream']!['get']!.responses['200']!.content!['text/event-stream']!.schema,
    );
    for (const one of streamed) assert.ok(message.safeParse(one).success, JSON.stringify(one));
    checked.add('stream 200');

    const { parameters, requestBody } = document.webhooks.event.post;
    const event = z.fromJSONSchema(requestBody!.content['application/json']!.schema);
    const published = at.got.filter(({ body }) => !body.includes('"webhook.test"'));
    assert.ok(published.length >= 4);
    for (const { body, headers } of published) {
      assert.ok(event.safeParse(JSON.parse(body)).success, body);
      for (const { name } of parameters!) assert.equal(typeof headers[name], 'string', name);
    }

    const unchecked = operationsIn(document).filter(
      ([, , { operationId, responses }]) =>
        !Object.keys(responses).some((one) => one.startsWith('2') && checked.has(`${operationId} ${one}`)),
    );
    assert.deepEqual(
      unchecked.map(([method, path]) => `${method} ${path}`),
      [],
      'operations without a good answer',
    );
    for (const one of [
      'register 400',
      'register 403',
      'register 413',
      'register 422',
      'listEndpoints 400',
      'listEndpoints 401',
      'getEndpoint 404',
      'sendTest 409',
      'recover 409',
    ])
      assert.ok(checked.has(one), one);
    assert.equal(secrets.length, 2);
    for (const secret of secrets)
      assert.ok(!said.includes(secret.slice(6, 30)), 'a secret was told a second time');
  });

  test('takes the bodies that the document takes, and no other', async () => {
    const rows: [path: string, bodies: unknown[]][] = [
      [
        '/webhooks',
        [
          { url: 'http://127.0.0.1:9/', events: ['a'] },
          { url: 'http://127.0.0.1:9/', events: [] },
          { url: 'http://127.0.0.1:9/', events: ['a b'] },
          { url: 'http://127.0.0.1:9/' },
          { events: ['a'] },
          { url: 'ftp://127.0.0.1/', events: ['a'] },
          { url: 7, events: ['a'] },
          { url: 'http://127.0.0.1:9/', events: ['a'], more: 1 },
          [],
          null,
          'x',
        ],
      ],
      [
        '/webhooks/{id}/rotate',
        [{}, { overlapS: 0 }, { overlapS: 1.5 }, { overlapS: -1 }, { overlapS: 2_592_001 }, { more: 1 }, []],
      ],
      [
        '/webhooks/{id}/recover',
        [
          { since: '2026-01-01T00:00:00Z' },
          { since: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00.5Z' },
          { since: '2026-13-01T00:00:00Z' },
          { since: 0 },
          {},
          { since: '2026-01-01T00:00:00Z', more: 1 },
        ],
      ],
    ];
    const { body } = await ask('POST', '/webhooks', {}, { url: 'http://127.0.0.1:9/', events: ['a'] });
    const { id } = body as unknown as { id: string };
    for (const [path, bodies] of rows) {
      const schema = z.fromJSONSchema(
        document.paths[path]!['post']!.requestBody!.content['application/json']!.schema,
      );
      for (const one of bodies) {
        const { status } = await ask('POST', path, path.includes('{id}') ? { id } : {}, one);
        assert.equal(
          status < 300,
          schema.safeParse(one).success,
          `${path} ${JSON.stringify(one)}: ${status}`,
        );
      }
    }
  });
});
