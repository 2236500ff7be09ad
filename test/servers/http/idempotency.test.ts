// Repeats events with their Idempotency-Key, which must be one event each: the header, every pattern, and the
// stores that remember it. Over Redis: webhook/redis-faults.test.ts.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, test, type TestContext } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { fingerprintOf, idempotencyKeyOf, keyReused, withKeys } from '../../../servers/http/idempotency.ts';
import { createHub } from '../../../servers/hub/hub.ts';
import { keyedOf } from '../../../servers/http/publish.ts';
import { RequestError } from '../../../servers/http/request.ts';
import { startServer } from '../../../servers/start.ts';
import { realTimers } from '../../../servers/webhook/sending/timers.ts';
import { receiver, until } from '../receivers.ts';
import { full, serveFailing } from '../webhook/failing-store.ts';

type Answer = { status: number; id?: string; seq?: number; error?: string };

async function post(
  url: string,
  topic: string,
  body: string,
  key?: string,
  path = 'topics',
): Promise<Answer> {
  const response = await fetch(`${url}/${path}/${topic}`, {
    method: 'POST',
    body,
    ...(key !== undefined && { headers: { 'idempotency-key': key } }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

async function serve(t: TestContext, pattern: keyof typeof patterns, options: object = {}) {
  const server = await startServer({
    pattern,
    options: patterns[pattern].options.parse(options),
    limits: defaultLimits,
    seed: 1,
  });
  t.onTestFinished(() => server.close());
  return { server, url: server.endpoint.publishUrl };
}

describe('the header', () => {
  test('is a string in double quotes or the bare key', () => {
    const visible = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 255,
    });
    fc.assert(
      fc.property(visible, (key) =>
        assert.equal(idempotencyKeyOf(`"${key.replace(/["\\]/g, '\\$&')}"`), key),
      ),
    );
    for (const key of ['8e03978e-40d5-43dd-bc93-6894a57f9324', 'k', 'a/b:c=', 'x'.repeat(255)])
      assert.equal(idempotencyKeyOf(key), key);
    assert.equal(idempotencyKeyOf(undefined), undefined);
  });

  test('is refused where it is neither', () => {
    for (const value of [
      '',
      '""',
      '"',
      'a b',
      '"a b"',
      '"a',
      'a"',
      '"a"b"',
      '"a\\b"',
      '"a";p=1',
      'a, b',
      '"a", "b"',
      'ä',
      '\u0001',
      'x'.repeat(256),
      `"${'x'.repeat(256)}"`,
    ]) {
      assert.throws(
        () => idempotencyKeyOf(value),
        (error) =>
          error instanceof RequestError && error.status === 400 && error.code === 'bad-idempotency-key',
        value,
      );
    }
    fc.assert(
      fc.property(fc.string(), (value) => {
        try {
          assert.match(idempotencyKeyOf(value)!, /^[\x21-\x7e]{1,255}$/);
        } catch (error) {
          assert.ok(error instanceof RequestError);
        }
      }),
    );
  });
});

for (const pattern of Object.keys(patterns) as (keyof typeof patterns)[]) {
  test(`${pattern}: a repeat is the same event`, async (t) => {
    const { server, url } = await serve(t, pattern);
    const first = await post(url, 'news', 'one', '"k"');
    assert.deepEqual([first.status, first.seq], [201, 1]);
    assert.deepEqual(await post(url, 'news', 'one', 'k'), first);
    const other = await post(url, 'news', 'two', 'k');
    assert.deepEqual([other.status, other.error], [422, 'idempotency-key-reused']);
    assert.equal((await post(url, 'other', 'one', 'k')).status, 422);
    const bad = await post(url, 'news', 'one', 'not a key');
    assert.deepEqual([bad.status, bad.error], [400, 'bad-idempotency-key']);
    const together = await Promise.all(Array.from({ length: 8 }, () => post(url, 'news', 'two', 'k2')));
    for (const answer of together) assert.deepEqual(answer, { ...together[0], status: 201, seq: 2 });
    assert.equal((await post(url, 'news', 'one')).seq, 3, 'without a key it is another event');
    assert.equal(server.hub.published(), 3);
  });
}

test('a key stands for the same event on both routes', async (t) => {
  const { server, url } = await serve(t, 'polling');
  const first = await post(url, 'news', 'one', 'k');
  assert.deepEqual(await post(url, 'news', 'one', 'k', 'messages'), first);
  assert.equal(server.hub.published(), 1);
});

test('a repeat waits for the first, and tries again when that failed', async () => {
  const calls: PromiseWithResolvers<{ id: string; seq: number }>[] = [];
  const publish = withKeys(() => {
    const call = Promise.withResolvers<{ id: string; seq: number }>();
    calls.push(call);
    return call.promise;
  });
  const again = () => publish('news', 'x', {}, { key: 'k' });
  const [first, second] = [again(), again()];
  assert.equal(calls.length, 1);
  calls[0]!.reject(new Error('not stored'));
  await assert.rejects(first, /not stored/);
  await assert.rejects(second, /not stored/);
  const third = again();
  assert.equal(calls.length, 2);
  calls[1]!.resolve({ id: 'e-1', seq: 1 });
  assert.deepEqual(await third, { id: 'e-1', seq: 1 });
  assert.deepEqual(await again(), { id: 'e-1', seq: 1 });
  assert.equal(calls.length, 2);
});

test('the newest keys are remembered, and no more', async () => {
  let published = 0;
  const publish = withKeys(async () => ({ id: 'e', seq: ++published }), 3);
  for (const key of ['a', 'b', 'c', 'd']) await publish('news', 'x', {}, { key });
  for (const key of ['b', 'c', 'd']) await publish('news', 'x', {}, { key });
  assert.equal(published, 4);
  await publish('news', 'x', {}, { key: 'a' });
  assert.equal(published, 5);
});

test('a key is not forgotten while its event is under way, however many come behind it', async () => {
  const stored = Promise.withResolvers<{ id: string; seq: number }>();
  let published = 0;
  const publish = withKeys(() => {
    published++;
    return stored.promise;
  }, 2);
  const answers = ['a', 'b', 'c', 'd', 'a'].map((key) => publish('news', key, {}, { key }));
  assert.equal(published, 4);
  stored.resolve({ id: 'test-1', seq: 1 });
  await Promise.all(answers);
});

test('a key that is remembered keeps no body in memory', async () => {
  const publish = keyedOf(createHub(defaultLimits, { epoch: 'test' }), undefined);
  assert.deepEqual(await publish('news', '{}', {}, { key: 'k' }), { id: 'test-1', seq: 1 });
});

test('what a key stands for is the topic and the body', () => {
  assert.notEqual(fingerprintOf('a', 'b'), fingerprintOf('ab', ''));
  assert.match(keyReused('k').message, /^the Idempotency-Key "k" stands for another event/);
});

describe('in a database', () => {
  function newFile(t: TestContext): string {
    const folder = mkdtempSync(join(tmpdir(), 'pushbench-keys-'));
    t.onTestFinished(() => rmSync(folder, { recursive: true }));
    return join(folder, 'store.db');
  }

  test('keys outlive the server', async (t) => {
    const at = await receiver(t);
    const file = newFile(t);
    const before = await serve(t, 'webhook', { store: 'sqlite', file });
    await fetch(`${before.server.endpoint.url}/webhooks`, {
      method: 'POST',
      body: JSON.stringify({ url: at.url, events: ['news'] }),
    });
    const first = await post(before.url, 'news', '"once"', 'k');
    const unheard = await post(before.url, 'nobody-follows', '"once"', 'k2');
    await until('it came', () => at.got.length === 1);
    await before.server.close();
    const after = await serve(t, 'webhook', { store: 'sqlite', file });
    assert.deepEqual(await post(after.url, 'news', '"once"', 'k'), first);
    assert.deepEqual(await post(after.url, 'nobody-follows', '"once"', 'k2'), unheard);
    assert.equal((await post(after.url, 'news', 'another', 'k')).status, 422);
    assert.equal((await post(after.url, 'news', '"twice"')).seq, 1, 'nothing was numbered for the repeats');
    await until('it came', () => at.got.length === 2);
    assert.deepEqual(
      at.got.map(({ body }) => (JSON.parse(body) as { body: string }).body),
      ['once', 'twice'],
    );
  });

  test('one that was written before there were keys is opened', async (t) => {
    const file = newFile(t);
    const { server } = await serve(t, 'webhook', { store: 'sqlite', file });
    await fetch(`${server.endpoint.url}/webhooks`, {
      method: 'POST',
      body: JSON.stringify({ url: 'http://127.0.0.1:9/', events: ['news'] }),
    });
    await server.close();
    const db = new DatabaseSync(file);
    db.exec('DROP TABLE idempotency_keys; PRAGMA user_version = 1');
    db.close();
    const { server: after, url } = await serve(t, 'webhook', { store: 'sqlite', file });
    const { webhooks } = (await (await fetch(`${after.endpoint.url}/webhooks`)).json()) as {
      webhooks: unknown[];
    };
    assert.equal(webhooks.length, 1);
    const first = await post(url, 'news', 'once', 'k');
    assert.deepEqual(await post(url, 'news', 'once', 'k'), first);
  });

  test('a refused event leaves no key behind', async (t) => {
    const { url, failWith, hub } = await serveFailing(t, realTimers);
    failWith(full);
    const refused = await post(url, 'news', 'once', 'k');
    assert.deepEqual([refused.status, refused.error], [503, 'store-full']);
    failWith();
    const answer = await post(url, 'news', 'once', 'k');
    assert.deepEqual([answer.status, answer.seq], [201, 1]);
    assert.equal(hub.published(), 1);
  });
});
