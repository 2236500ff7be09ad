// The webhook server from outside: registration, deliveries that verify, retries in virtual time, receivers
// that misbehave, and an end that leaves nothing open.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { describe, test, type TestContext } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { defaultLimits, type ServerLimits } from '../../../core/scenario/scenario.ts';
import { newSecret, standardWebhooks } from '../../../core/signature/schemes.ts';
import { createHub } from '../../../servers/hub/hub.ts';
import { createRouter } from '../../../servers/http/router.ts';
import { startServer } from '../../../servers/start.ts';
import { createTally } from '../../../servers/http/connection-counts.ts';
import { webhookOn } from '../../../servers/webhook.ts';
import { bareReceiver, receiver, until } from '../receivers.ts';
import { publisherOf } from './client.ts';
import { virtualTimers } from '../virtual-timers.ts';

type Given = { options?: Record<string, unknown>; limits?: Partial<ServerLimits> };

/** The server as it runs, and what the tests ask of it. */
async function serve(t: TestContext, { options = {}, limits = {} }: Given = {}) {
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
async function serveVirtually(t: TestContext, { options = {}, limits = {} }: Given = {}) {
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

type Row = {
  id: string;
  url: string;
  events: string[];
  disabled?: string;
  pending: number;
  delivered: number;
  givenUp: number;
  lastFailure?: string;
};

function clientOf(url: string) {
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

describe('registration', () => {
  test('gives an id, and a secret once when it made it', async (t) => {
    const { register, list, server } = await serve(t);
    const made = await register('http://127.0.0.1:9/hook', ['a', 'b', 'a']);
    assert.match(made.id, /^ep_[\w-]{12}$/);
    standardWebhooks.key(made.secret);
    const own = newSecret();
    const given = await register('http://localhost:9/hook', ['a'], own);
    assert.equal(given.secret, undefined);
    const { text, rows } = await list();
    assert.deepEqual(
      rows.map(({ id, url, events, disabled, pending }) => [id, url, events, disabled, pending]),
      [
        [made.id, 'http://127.0.0.1:9/hook', ['a', 'b'], undefined, 0],
        [given.id, 'http://localhost:9/hook', ['a'], undefined, 0],
      ],
    );
    for (const secret of [made.secret, own]) assert.ok(!text.includes(secret.slice(6, 30)));
    assert.equal(server.subscribers(), 2);
    assert.equal(server.counters().registrations, 2);
  });

  const url = 'http://127.0.0.1:9/';
  const rows: [what: string, status: number, body: unknown, message: RegExp][] = [
    ['no JSON', 400, 'url=http://x', /a registration is a JSON object: Unexpected token/],
    ['no object', 422, [], /expected object/],
    ['nothing in it', 422, {}, /url: .*; events: /],
    ['no URL', 422, { url: 'here', events: ['a'] }, /url: not a URL/],
    ['another protocol', 422, { url: 'ftp://127.0.0.1/', events: ['a'] }, /url: neither http nor https/],
    [
      'a password in the URL',
      422,
      { url: 'http://me:pw@127.0.0.1/', events: ['a'] },
      /url: a user name or password does not belong into it/,
    ],
    [
      'another machine',
      422,
      { url: 'http://10.0.0.1/', events: ['a'] },
      /url: 10\.0\.0\.1 is not among the addresses that deliveries go to: 127\.0\.0\.0\/8, ::1\/128/,
    ],
    [
      'a name of the network',
      422,
      { url: 'https://example.com/', events: ['a'] },
      /url: example\.com is a name; deliveries go to the addresses .* and to localhost only/,
    ],
    ['a URL that is too long', 422, { url: `${url}${'x'.repeat(3000)}`, events: ['a'] }, /url: Too big/],
    ['no topic', 422, { url, events: [] }, /events: Too small/],
    ['a bad topic', 422, { url, events: ['a', 'b c'] }, /events\.1: a topic name of letters, digits and/],
    [
      'too many topics',
      422,
      { url, events: Array.from({ length: 1001 }, (_, i) => `t${i}`) },
      /events: Too big/,
    ],
    [
      'a secret that is too short',
      422,
      { url, events: ['a'], secret: 'whsec_AAAA' },
      /secret: a webhook secret is .* this one holds 3/,
    ],
    ['a key that there is not', 422, { url, events: ['a'], topics: ['a'] }, /Unrecognized key: "topics"/],
    ['far too much', 413, { url, events: ['x'.repeat(300_000)] }, /the body is larger than 262144 bytes/],
  ];
  for (const [what, status, body, message] of rows) {
    test(`of ${what} is refused with ${status}`, async (t) => {
      const { post, server } = await serve(t);
      const answer = await post(typeof body === 'string' ? body : JSON.stringify(body));
      assert.equal(answer.status, status);
      assert.match(answer.body.message, message);
      assert.equal(server.subscribers(), 0);
    });
  }

  test('beyond the limit is refused with 503 until one is removed', async (t) => {
    const { post, register, remove, server } = await serve(t, { limits: { maxSubscribers: 2 } });
    const { id } = await register(url);
    await register(url);
    const answer = await post(JSON.stringify({ url, events: ['a'] }));
    assert.equal(answer.status, 503);
    assert.match(answer.body.message, /2 endpoints are registered, which is the limit; delete one/);
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    assert.equal(server.counters().refusals, 1);
    assert.equal((await remove(id)).status, 204);
    await register(url);
  });

  test('for more topics than the hub holds is refused and leaves nothing', async (t) => {
    const { post, server } = await serve(t, { limits: { maxTopics: 2 } });
    assert.equal((await post(JSON.stringify({ url, events: ['a', 'b', 'c'] }))).status, 503);
    assert.equal(server.subscribers(), 0);
    assert.equal(server.hub.subscriptions(), 0);
  });

  test('is taken back by its id', async (t) => {
    const { got, url: at } = await receiver(t);
    const { register, remove, list, publish, server } = await serve(t);
    const { id } = await register(at);
    assert.equal((await remove(id)).status, 204);
    assert.deepEqual((await list()).rows, []);
    const again = await remove(id);
    assert.equal(again.status, 404);
    assert.match(again.text, /no webhook has the id .*; GET \/webhooks lists them/);
    await publish('news');
    await sleep(30);
    assert.equal(got.length, 0);
    assert.equal(server.hub.subscriptions(), 0);
  });
});

describe('delivery', () => {
  test('brings each event to the endpoints of its topic, signed over its bytes', async (t) => {
    const a = await receiver(t);
    const b = await receiver(t);
    const { register, publish, server } = await serve(t);
    const { secret } = await register(`${a.url}/hook/1?x=y`, ['news', 'sport']);
    await register(b.url, ['sport']);
    const bodies = ['{"n":1}', 'grüße 🎈', '{ "spaces" : 1 }\n'];
    const events = await Promise.all(bodies.map((body, i) => publish(i === 1 ? 'sport' : 'news', body)));
    await publish('weather');
    await until('all came', () => a.got.length === 3 && b.got.length === 1);
    for (const event of events) {
      const one = a.got.find(({ headers }) => headers['webhook-id'] === event.id)!;
      assert.equal(one.path, '/hook/1?x=y');
      assert.equal(one.body, event.json);
      assert.equal(decodeEnvelope(one.body).body, bodies[events.indexOf(event)]);
      assert.equal(one.headers['content-type'], 'application/json');
      assert.equal(one.headers['pushbench-attempt'], '1');
      new Webhook(secret).verify(one.body, one.headers as Record<string, string>);
      assert.ok(Math.abs(Number(one.headers['webhook-timestamp']) - Date.now() / 1000) < 5);
    }
    assert.throws(
      () => new Webhook(secret).verify(b.got[0]!.body, b.got[0]!.headers as Record<string, string>),
      /No matching signature/,
    );
    const { deliveryRequests, retries, events: delivered, errors } = server.counters();
    assert.deepEqual(
      { deliveryRequests, retries, delivered, errors },
      { deliveryRequests: 4, retries: 0, delivered: 4, errors: 0 },
    );
  });

  test('does not keep the publisher waiting', async (t) => {
    const { url, requests } = await bareReceiver(t, () => {});
    const { register, server } = await serve(t, { options: { concurrency: 1 } });
    await register(url);
    for (let i = 0; i < 20; i++) {
      const response = await fetch(`${server.endpoint.publishUrl}/topics/news`, {
        method: 'POST',
        body: `${i}`,
      });
      assert.equal(response.status, 201);
    }
    assert.ok(requests() <= 1, 'the one slot is taken by a receiver that never answers');
  });

  test('keeps to its concurrency over all endpoints', async (t) => {
    let open = 0;
    let most = 0;
    const { got, url, connections } = await receiver(t, async () => {
      most = Math.max(most, ++open);
      await sleep(5);
      open--;
      return 204;
    });
    const { register, publish } = await serve(t, { options: { concurrency: 3 } });
    for (let i = 0; i < 10; i++) await register(`${url}/${i}`);
    await Promise.all(Array.from({ length: 10 }, () => publish('news')));
    await until('all came', () => got.length === 100);
    assert.equal(most, 3);
    assert.equal(connections(), 3);
  });

  test('to a thousand endpoints is not held up by one that never answers', async (t) => {
    const live = await receiver(t);
    const dead = await bareReceiver(t, () => {});
    const { register, publish, list } = await serve(t, { options: { timeout: '60s', concurrency: 16 } });
    await register(dead.url);
    for (let i = 0; i < 1000; i++) await register(`${live.url}/${i}`);
    await Promise.all(Array.from({ length: 10 }, () => publish('news')));
    // Far below the dead one's timeout; it holds two of the sixteen slots until then.
    await until('all others have theirs', () => live.got.length === 10_000, 40_000);
    assert.equal(dead.requests(), 2);
    const { rows } = await list();
    assert.deepEqual([rows[0]!.pending, rows[0]!.delivered], [10, 0]);
    assert.ok(rows.slice(1).every(({ delivered, pending }) => delivered === 10 && pending === 0));
  });
});

describe('retries', () => {
  /** Answers attempt after attempt with these statuses, then with 204, and goes through the waits. */
  async function retried(t: TestContext, statuses: number[], options: Record<string, unknown>) {
    const at = await receiver(t, (_, count) => statuses[count - 1] ?? 204);
    const server = await serveVirtually(t, { options });
    await server.register(at.url);
    const event = await server.publish('news');
    const waits: number[] = [];
    for (;;) {
      await until('answered', () => at.got.length === waits.length + 1);
      await until('judged', () => server.counters.errors === Math.min(at.got.length, statuses.length));
      await sleep(10);
      if (server.timers.waiting() === 0) return { ...server, got: at.got, waits, event };
      waits.push(server.timers.next());
    }
  }

  test(
    'come at the times of the schedule until one succeeds, ' + 'same id, new timestamp and signature',
    async (t) => {
      const { got, waits, event, counters, list } = await retried(t, [500, 503, 404], {
        retries: ['5s', '5m', '30m', '2h'],
        jitter: '0%',
      });
      assert.deepEqual(waits, [5000, 300_000, 1_800_000]);
      assert.deepEqual(
        got.map(({ headers }) => headers['pushbench-attempt']),
        ['1', '2', '3', '4'],
      );
      assert.deepEqual(new Set(got.map(({ headers }) => headers['webhook-id'])), new Set([event.id]));
      const stamps = got.map(({ headers }) => Number(headers['webhook-timestamp']));
      assert.deepEqual(
        stamps.map((stamp) => stamp - stamps[0]!),
        [0, 5, 305, 2105],
      );
      assert.equal(new Set(got.map(({ headers }) => headers['webhook-signature'])).size, 4);
      assert.equal(new Set(got.map(({ body }) => body)).size, 1);
      const { deliveryRequests, retries, events, errors } = counters;
      assert.deepEqual(
        { deliveryRequests, retries, events, errors },
        { deliveryRequests: 1, retries: 3, events: 4, errors: 3 },
      );
      const [row] = (await list()).rows;
      assert.deepEqual(
        [row!.pending, row!.delivered, row!.givenUp, row!.lastFailure],
        [0, 1, 0, 'answered 404'],
      );
    },
  );

  test('end with the schedule, and the event is given up', async (t) => {
    const { got, waits, list } = await retried(t, Array(9).fill(500), {
      retries: ['1s', '5s', '30s'],
      jitter: '0%',
    });
    assert.deepEqual(waits, [1000, 5000, 30_000]);
    assert.equal(got.length, 4);
    const [row] = (await list()).rows;
    assert.deepEqual([row!.pending, row!.delivered, row!.givenUp], [0, 0, 1]);
  });

  test('come after a redirect as after any failure', async (t) => {
    const { got } = await retried(t, [301, 302, 307], { retries: ['1s', '1s', '1s'] });
    assert.equal(got.length, 4);
  });

  test('are none when the schedule has none', async (t) => {
    const { got } = await retried(t, [500], { retries: [] });
    assert.equal(got.length, 1);
  });

  test('wait for as long as Retry-After asks, up to the longest wait', async (t) => {
    const asks = ['20', '999999'];
    const { url, requests } = await bareReceiver(t, (socket, before) => {
      socket.write(
        `HTTP/1.1 429 Slow down\r\ncontent-length: 0\r\nretry-after: ${asks[before] ?? '0'}\r\n\r\n`,
      );
    });
    const { register, publish, timers } = await serveVirtually(t, {
      options: { retries: ['1s', '2s', '30s'], jitter: '0%' },
    });
    await register(url);
    await publish('news');
    const waits: number[] = [];
    for (let i = 0; i < 3; i++) {
      await until('failed', () => requests() === i + 1 && timers.waiting() === 1);
      waits.push(timers.next());
    }
    assert.deepEqual(waits, [20_000, 30_000, 30_000]);
  });

  test('stop at 410, which disables the endpoint with all that waits for it', async (t) => {
    const { got, url } = await receiver(t, (_, count) => (count <= 3 ? 500 : 410));
    const { register, publish, timers, list, running, counters } = await serveVirtually(t);
    const { id } = await register(url);
    await Promise.all(Array.from({ length: 3 }, () => publish('news')));
    await until('all failed', () => counters.errors === 3 && timers.waiting() === 1);
    assert.equal(running.subscribers(), 1);
    await publish('news');
    await until('gone', () => timers.waiting() === 0);
    await publish('news');
    await sleep(30);
    assert.equal(got.length, 4);
    assert.equal(running.subscribers(), 0);
    const [row] = (await list()).rows;
    assert.deepEqual(
      [row!.id, row!.disabled, row!.pending, row!.lastFailure],
      [id, 'answered 410 Gone', 0, 'answered 410'],
    );
  });

  test('of a removed endpoint do not come', async (t) => {
    const { url } = await receiver(t, () => 500);
    const { register, publish, remove, timers } = await serveVirtually(t);
    const { id } = await register(url);
    await publish('news');
    await until('failed', () => timers.waiting() === 1);
    await remove(id);
    assert.equal(timers.waiting(), 0);
  });
});

describe('an endpoint that falls behind', () => {
  async function behind(t: TestContext, slow: ServerLimits['slow']) {
    const { url, requests } = await bareReceiver(t, () => {});
    const server = await serveVirtually(t, {
      limits: { slow, slowBuffer: 1000 },
      options: { concurrency: 1 },
    });
    await server.register(url);
    const body = JSON.stringify('x'.repeat(100));
    await server.publish('news', body);
    await until('the first is under way', () => requests() === 1);
    await Promise.all(Array.from({ length: 9 }, () => server.publish('news', body)));
    return { ...server, row: (await server.list()).rows[0]! };
  }

  test('is cut off, or loses what comes, or keeps the newest', async (t) => {
    const cut = await behind(t, 'disconnect');
    assert.equal(cut.row.disabled, 'more than 1000 bytes behind');
    assert.equal(cut.counters.slowDisconnects, 1);
    assert.equal(cut.running.subscribers(), 0);
    const fit = cut.counters.slowDrops - 1;
    assert.ok(fit >= 3 && fit <= 8, 'what waited is lost, and the one that was too much');

    const drop = await behind(t, 'drop');
    assert.deepEqual([drop.row.pending, drop.counters.slowDrops], [fit, 10 - fit]);
    assert.equal(drop.running.subscribers(), 1);

    const coalesce = await behind(t, 'coalesce');
    assert.equal(coalesce.counters.slowDrops + coalesce.row.pending, 10);
    assert.ok(coalesce.row.pending <= fit);
  });
});

describe('faults and the end', () => {
  test('cut connections fail their attempts, which are retried', async (t) => {
    const hung = new Set<() => void>();
    const { got, url, open } = await receiver(t, (_, count) =>
      count <= 5 ? new Promise((resolve) => hung.add(() => resolve(204))) : 204,
    );
    const { register, publish, server } = await serve(t, { options: { retries: ['10ms'] } });
    for (let i = 0; i < 5; i++) await register(`${url}/${i}`);
    await publish('news');
    await until('all are under way', () => hung.size === 5);
    assert.equal(open(), 5);
    server.disconnect(1);
    await until('all came again', () => got.length === 10);
    assert.deepEqual(
      got.slice(5).map(({ headers }) => headers['pushbench-attempt']),
      Array(5).fill('2'),
    );
    const { deliveryRequests, retries, events, errors } = server.counters();
    assert.deepEqual(
      { deliveryRequests, retries, events, errors },
      { deliveryRequests: 5, retries: 5, events: 10, errors: 5 },
    );
  });

  test('closing with deliveries under way, due and waiting for a retry leaves nothing open', async (t) => {
    const failing = await receiver(t, () => 500);
    const hanging = await bareReceiver(t, () => {});
    const { register, publish, server } = await serve(t, { options: { concurrency: 2 } });
    await register(failing.url);
    await register(hanging.url);
    await Promise.all(Array.from({ length: 10 }, () => publish('news')));
    await until('one failed and one hangs', () => failing.got.length > 0 && hanging.requests() === 1);
    const fromMs = performance.now();
    await server.close();
    assert.ok(performance.now() - fromMs < 5000);
    await until('no connection is left', () => failing.open() === 0 && hanging.open() === 0);
    const { connectionsOpened, connectionsClosed } = server.counters();
    assert.equal(connectionsOpened, connectionsClosed);
    const before = failing.got.length + hanging.requests();
    await sleep(1200); // the default schedule's first retry would come
    assert.equal(failing.got.length + hanging.requests(), before);
  });
});
