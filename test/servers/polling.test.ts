// Polls a server on the wire: cursors, ETags, what is counted, and the limits.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { test, type TestContext } from 'vitest';
import { patterns } from '../../core/pattern/registry.ts';
import { defaultLimits, type ServerLimits } from '../../core/scenario/scenario.ts';
import { startServer } from '../../servers/start.ts';
import { polling } from '../../servers/polling.ts';
import { rawClient, talk, until } from './http/raw-http.ts';

async function setUp(
  t: TestContext,
  options: Record<string, unknown> = {},
  limits: Partial<ServerLimits> = {},
) {
  const server = await startServer({
    pattern: 'polling',
    options: patterns.polling.options.parse(options),
    limits: { ...defaultLimits, ...limits },
    seed: 1,
  });
  t.onTestFinished(() => server.close());
  const { hub } = server;
  const publish = (topic: string, ...bodies: string[]) => bodies.map((body) => hub.publish(topic, body, {}));
  const poll = (query: string, headers: Record<string, string> = {}) =>
    fetch(`${server.endpoint.url}/poll?${query}`, { headers });
  const at = (offset: number) => `${hub.epoch}-${offset}`;
  return { ...server, publish, poll, at };
}

const jsonOf = (...events: { json: string }[]) => `[${events.map(({ json }) => json).join(',')}]`;

test(
  'the first poll gets a cursor; the next what came since, as ' + 'published, with the cursor to go on from',
  async (t) => {
    const { publish, poll, at } = await setUp(t);
    publish('a', '"before"');
    const first = await poll('topics=a,b');
    assert.deepEqual(
      [
        first.status,
        first.headers.get('content-type'),
        first.headers.get('cache-control'),
        first.headers.get('etag'),
      ],
      [200, 'application/json', 'no-cache', `"${at(1)}"`],
    );
    assert.equal(await first.text(), `{"cursor":"${at(1)}","events":[]}`);
    const [second] = publish('b', '{ "x" : 1 }');
    publish('c', '"of no interest"');
    const [fourth] = publish('a', 'two\nlines');
    assert.equal(
      await (await poll(`topics=a,b&since=${at(1)}`)).text(),
      `{"cursor":"${at(4)}","events":${jsonOf(second!, fourth!)}}`,
    );
    assert.equal(
      await (await poll(`topics=b,b&since=${at(1)}`)).text(),
      `{"cursor":"${at(4)}","events":${jsonOf(second!)}}`,
    );
    assert.equal(await (await poll(`topics=a&since=${at(4)}`)).text(), `{"cursor":"${at(4)}","events":[]}`);
  },
);

test('the ETag changes only when one of the topics has something new, and 304 has no body', async (t) => {
  const { publish, poll, at, counters } = await setUp(t);
  const none = await poll('topics=a');
  assert.equal(none.headers.get('etag'), `"${at(0)}"`);
  publish('b', '1', '2');
  for (const tags of [`"${at(0)}"`, `W/"${at(0)}"`, `"x", "${at(0)}"`]) {
    const same = await poll(`topics=a&since=${at(0)}`, { 'if-none-match': tags });
    assert.deepEqual(
      [same.status, same.headers.get('etag'), same.headers.get('cache-control'), await same.text()],
      [304, `"${at(0)}"`, 'no-cache', ''],
      tags,
    );
  }
  const [event] = publish('a', '3');
  const changed = await poll(`topics=a&since=${at(0)}`, { 'if-none-match': `"${at(0)}"` });
  assert.deepEqual(
    [changed.status, changed.headers.get('etag'), await changed.text()],
    [200, `"${at(3)}"`, `{"cursor":"${at(3)}","events":${jsonOf(event!)}}`],
  );
  const { fullPolls, emptyPolls, events } = counters();
  assert.deepEqual({ fullPolls, emptyPolls, events }, { fullPolls: 1, emptyPolls: 4, events: 1 });
});

test(
  'a cursor that comes too late, or of another life of the ' + 'server, is told so and gets what is held',
  async (t) => {
    const { publish, poll, at, counters } = await setUp(t, {}, { history: 2 });
    const events = publish('a', '1', '2', '3');
    const held = jsonOf(...events.slice(1));
    assert.equal(
      await (await poll(`topics=a&since=${at(0)}`)).text(),
      `{"cursor":"${at(3)}","reset":true,"events":${held}}`,
    );
    assert.equal(
      await (await poll('topics=a&since=before-7')).text(),
      `{"cursor":"${at(3)}","reset":true,"events":${held}}`,
    );
    assert.equal(
      await (await poll('topics=b&since=before-7')).text(),
      `{"cursor":"${at(3)}","reset":true,"events":[]}`,
    );
    assert.equal(
      await (await poll(`topics=a&since=${at(1)}`)).text(),
      `{"cursor":"${at(3)}","events":${held}}`,
    );
    assert.equal(counters().resets, 3);
  },
);

test(
  'an answer ends with the event that reaches slowBuffer ' + 'bytes, and the next poll gets the rest',
  async (t) => {
    const { publish, poll, at } = await setUp(t, {}, { slowBuffer: 1000 });
    publish('a', ...Array.from({ length: 20 }, (_, i) => `"${'x'.repeat(i === 4 ? 2000 : 100)}"`));
    const seqs: number[] = [];
    let cursor = at(0);
    let etag = '';
    for (;;) {
      const answer = await poll(`topics=a&since=${cursor}`, { 'if-none-match': etag });
      if (answer.status === 304) break;
      etag = answer.headers.get('etag')!;
      const body = (await answer.json()) as { cursor: string; events: { seq: number }[] };
      cursor = body.cursor;
      const sizes = body.events.map((event) => JSON.stringify(event).length);
      const total = sizes.reduce((a, b) => a + b);
      assert.ok(total - sizes.at(-1)! < 1000 && (total >= 1000 || cursor === at(20)), `${sizes}`);
      seqs.push(...body.events.map(({ seq }) => seq));
    }
    assert.deepEqual(
      seqs,
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  },
);

for (const [query, error] of [
  ['', 'no-topics'],
  ['topics=', 'no-topics'],
  ['topics=a,b%20c', 'bad-topic'],
  ['topics=a&since=yesterday', 'bad-cursor'],
  ['topics=a&since=x-99999999999999999', 'bad-cursor'],
] as const) {
  test(`"?${query}" is answered 400 ${error}`, async (t) => {
    const { poll, counters } = await setUp(t);
    const answer = await poll(query);
    assert.deepEqual([answer.status, ((await answer.json()) as { error: string }).error], [400, error]);
    const { emptyPolls, errors } = counters();
    assert.deepEqual([emptyPolls, errors], [0, 1]);
  });
}

test(
  'kept alive, connections are the subscribers; there is a limit ' + 'on them, and a fault that cuts a share',
  async (t) => {
    const { endpoint, subscribers, counters, disconnect } = await setUp(t, {}, { maxSubscribers: 10 });
    const clients = await Promise.all(Array.from({ length: 10 }, () => rawClient(endpoint.url)));
    const ask = 'GET /poll?topics=a HTTP/1.1\r\nhost: localhost\r\n\r\n';
    for (const { socket } of clients) socket.write(ask + ask);
    for (const { saw } of clients) await saw(/(cursor[^]*){2}/);
    assert.equal(subscribers(), 10);
    const refused = await talk(endpoint.url, ask.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
    assert.match(
      refused,
      /^HTTP\/1.1 503 [^]*retry-after: 1\r\n[^]*"too-many-subscribers".*10 connections are polling/i,
    );
    const { refusals, emptyPolls } = counters();
    assert.deepEqual([refusals, emptyPolls], [1, 20]);
    disconnect(0.3);
    await until('three are cut off', () => clients.filter(({ socket }) => socket.closed).length === 3);
    await until('and forgotten', () => subscribers() === 7);
    disconnect(1);
    await Promise.all(clients.map(({ closed }) => closed));
    await until('none is left', () => subscribers() === 0);
  },
);

test(
  'with a connection for each request, the server says so, and ' + 'polls per interval are the subscribers',
  async (t) => {
    const { endpoint, subscribers, counters } = await setUp(t, { connection: 'close', every: '200ms' });
    const ask = 'GET /poll?topics=a HTTP/1.1\r\nhost: localhost\r\n\r\n';
    let most = 0;
    for (let i = 0; i < 15; i++) {
      const answers = await Promise.all(Array.from({ length: 5 }, () => talk(endpoint.url, ask)));
      for (const answer of answers) assert.match(answer, /\r\nconnection: close\r\n/i);
      most = Math.max(most, subscribers());
      await sleep(40);
    }
    assert.ok(most >= 5 && most <= 75, `${most}`);
    await until('those that stopped are gone', () => subscribers() === 0);
    assert.equal(counters().connectionsOpened, 75);
  },
);

test('a keep-alive connection carries many polls', async (t) => {
  const { endpoint, counters } = await setUp(t);
  const agent = new Agent({ connections: 1 });
  t.onTestFinished(() => agent.close());
  for (let i = 0; i < 5; i++) {
    const { statusCode, body } = await agent.request({
      origin: endpoint.url,
      path: '/poll?topics=a',
      method: 'GET',
    });
    assert.equal(statusCode, 200);
    await body.text();
  }
  assert.equal(counters().connectionsOpened, 1);
});

test('the examples name endpoints that there are, and show how to publish', () => {
  const lines = polling
    .examples(patterns.polling.options.parse({}))
    .map(({ command }) => command('http://a:1', 'http://a:2', 'e-0', 'pushbench'));
  assert.ok(lines.every((line) => /http:\/\/a:(1\/poll\?topics=|2\/topics\/)/.test(line)));
  assert.ok(lines.some((line) => line.includes('http://a:2/topics/')));
});
