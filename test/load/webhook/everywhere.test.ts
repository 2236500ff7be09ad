// Checks that what follows a registration waits until every server knows of it: the others are asked, and
// again where one cannot say; one that is gone is not waited for.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test, type TestContext } from 'vitest';
import { createEverywhere } from '../../../load/webhook/everywhere.ts';
import { listen, testContext, until } from '../context.ts';

/** A server that is asked, and answers with these statuses one after the other, the last again and again. */
async function asked(t: TestContext, ...statuses: number[]) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(statuses[Math.min(seen.length, statuses.length) - 1]!).end('{}');
  });
  return { url: await listen(t, server), seen };
}

function everywhere(t: TestContext, urls: readonly string[]) {
  const done: string[] = [];
  const made = createEverywhere(testContext(urls[0]!, { urls }).context);
  t.onTestFinished(() => made.close());
  return { done, add: (name: string, server = 0) => made.add(server, () => done.push(name), 1) };
}

test('the others are asked once for many registrations, and again where one cannot say', async (t) => {
  const first = await asked(t, 200);
  const second = await asked(t, 503, 200);
  const { done, add } = everywhere(t, [first.url, second.url]);
  add('one');
  add('two');
  assert.deepEqual(done, [], 'not before anybody was asked');
  await until(() => done.length > 0);
  assert.deepEqual(done, ['one', 'two']);
  assert.deepEqual(second.seen, ['GET /webhooks?limit=1', 'GET /webhooks?limit=1']);
  assert.deepEqual(first.seen, [], 'it took them itself');
  add('three', 0);
  add('four', 1);
  await until(() => done.length === 4);
  assert.equal(first.seen.length, 1, 'each knows its own alone');
});

test('what comes while they are asked waits for the next time', async (t) => {
  const answered = Promise.withResolvers<void>();
  let times = 0;
  const slow = createServer((_request, response) => {
    times++;
    void answered.promise.then(() => response.end('{}'));
  });
  const { done, add } = everywhere(t, [(await asked(t, 200)).url, await listen(t, slow)]);
  add('one');
  await until(() => times === 1);
  add('two');
  answered.resolve();
  await until(() => done.length > 0);
  assert.deepEqual(done, ['one']);
  await until(() => done.length === 2);
  assert.equal(times, 2);
});

test('a server that is gone is not waited for', async (t) => {
  const gone = createServer();
  const url = await listen(t, gone);
  await new Promise((resolve) => gone.close(resolve));
  const { done, add } = everywhere(t, [(await asked(t, 200)).url, url]);
  add('one');
  await until(() => done.length === 1);
});

test('one server alone is not asked', async (t) => {
  const only = await asked(t, 200);
  const made = createEverywhere(testContext(only.url).context);
  let at = 0;
  made.add(0, (atUs) => (at = atUs), 7);
  assert.equal(at, 7);
  assert.deepEqual(only.seen, []);
});
