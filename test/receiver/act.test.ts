// What the application does with a delivery: it hangs, answers itself, fails, or its store does.

import assert from 'node:assert/strict';
import { test, vi } from 'vitest';
import {
  createReceiver,
  createSeen,
  sign,
  type Answer,
  type Delivery,
  type DeliveryStore,
  type Problem,
  type ReceiverOptions,
  type StandardEvent,
} from '../../receiver/index.ts';
import { good } from './odd-options.ts';

const secret = good.secrets[0]!;

function setUp(options: Partial<ReceiverOptions<'standard'>>) {
  const problems: Problem[] = [];
  const receiver = createReceiver({
    ...good,
    scheme: 'standard',
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  const deliver = (id: string, body = '{}') =>
    receiver.receive({ headers: sign({ scheme: 'standard', secret, id, body }), body });
  return { ...receiver, deliver, problems, codes: () => problems.map(({ code }) => code) };
}

const statusOf = async (answer: Promise<Answer>) => (await answer).status;

test('one that hangs is ended after its time: the sender is told, and the next attempt is new', async () => {
  const signals: AbortSignal[] = [];
  const { deliver, codes, counts } = setUp({
    timeoutMs: 20,
    onDelivery({ signal }) {
      signals.push(signal);
      return signals.length === 1 ? new Promise(() => {}) : undefined;
    },
  });
  const first = deliver('a');
  assert.equal(await statusOf(deliver('a')), 409, 'while it is under way');
  assert.equal(await statusOf(first), 503);
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true],
  );
  assert.equal(await statusOf(deliver('a')), 204);
  assert.equal(await statusOf(deliver('a')), 204);
  assert.equal(signals.length, 2, 'the last was recognised');
  assert.deepEqual(codes(), ['under-way', 'timed-out']);
  const { accepted, timedOut, repeated, underWay } = counts();
  assert.deepEqual(
    { accepted, timedOut, repeated, underWay },
    { accepted: 1, timedOut: 1, repeated: 1, underWay: 1 },
  );
});

test('one that ends well after its time counts as acted upon', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let times = 0;
  const { deliver } = setUp({ timeoutMs: 20, onDelivery: () => (times++, promise) });
  assert.equal(await statusOf(deliver('a')), 503);
  resolve();
  await promise;
  await new Promise(setImmediate);
  assert.equal(await statusOf(deliver('a')), 204);
  assert.equal(times, 1);
});

test('one that fails after its time does not take the claim of the attempt that came next', async () => {
  const attempts: ((error?: Error) => void)[] = [];
  const { deliver, problems } = setUp({
    timeoutMs: 200,
    onDelivery: () =>
      new Promise<void>((resolve, reject) => attempts.push((error) => (error ? reject(error) : resolve()))),
  });
  assert.equal(await statusOf(deliver('a')), 503);
  const second = deliver('a');
  await vi.waitUntil(() => attempts.length === 2);
  attempts[0]!(new Error('too late'));
  await vi.waitUntil(() => problems.some(({ error }) => error instanceof Error));
  assert.equal(await statusOf(deliver('a')), 409, 'the second is under way still');
  attempts[1]!();
  assert.equal(await statusOf(second), 204);
});

test('it answers itself, with a body or an error; after an error the next attempt is new', async () => {
  const answers: Answer[] = [
    { status: 429, headers: { 'retry-after': '7' } },
    { status: 202, headers: { 'content-type': 'text/plain' }, body: 'taken' },
  ];
  const { deliver, counts } = setUp({ onDelivery: ({ answer }) => answer(answers.shift()!) });
  assert.deepEqual(await deliver('a'), { status: 429, headers: { 'retry-after': '7' } });
  assert.deepEqual(await deliver('a'), {
    status: 202,
    headers: { 'content-type': 'text/plain' },
    body: 'taken',
  });
  assert.deepEqual(await deliver('a'), { status: 204 }, 'a repetition');
  assert.deepEqual([counts().failed, counts().accepted, counts().repeated], [1, 1, 1]);
});

test('what it returns is no answer, whatever it is', async () => {
  const { deliver } = setUp({ onDelivery: () => ({ status: 500 }) });
  assert.equal(await statusOf(deliver('a')), 204);
});

test('what is no answer, or a second one, is an error of the application', async () => {
  const rows: [answers: unknown[], says: RegExp][] = [
    [[{ status: 99 }], /^status must be a whole number from 200 to 599; it is 99$/],
    [[{ status: '200' }], /^status must be .*; it is of type string$/],
    [[200], /^answer takes an object of options; this is of type number$/],
    [[{ status: 204, body: 'x' }], /^an answer with status 204 has no body$/],
    [[{ status: 200, body: { ok: true } }], /^body must be a text or bytes; it is of type object$/],
    [[{ status: 200, headers: { 'a b': 'c' } }], /a b/],
    [[{ status: 200, headers: { 'Content-Length': '9' } }], /^leave the header content-length out; /],
    [[{ status: 200, header: {} }], /^answer has no option "header"; did you mean "headers"\?$/],
    [[{ status: 200 }, { status: 200 }], /^this delivery has its answer already$/],
  ];
  for (const [answers, says] of rows) {
    const { deliver, problems } = setUp({
      onDelivery: ({ answer }) => answers.forEach((one) => answer(one as Answer)), // odd on purpose
    });
    assert.equal(await statusOf(deliver('a')), 500);
    assert.match((problems[0]!.error as Error).message, says);
  }
});

test('the hook is told of everything that was not acted upon; what it throws changes nothing', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  for (const onProblem of [
    () => {
      throw new Error('the hook is broken');
    },
    async () => Promise.reject(new Error('the hook is broken')),
  ]) {
    const { receive } = setUp({ onProblem });
    assert.equal(await statusOf(receive({ headers: {}, body: '{}' })), 401);
  }
  await vi.waitUntil(() => said.mock.calls.length === 2);

  const { receive, deliver, problems } = setUp({ maxBodyBytes: 9, onDelivery: () => assert.fail('no') });
  await receive({ headers: {}, body: '{}' });
  await deliver('a', '{"a":"too much"}');
  await deliver('a', '{}');
  assert.deepEqual(
    problems.map(({ code, status, id }) => [code, status, id]),
    [
      ['missing-header', 401, undefined],
      ['too-large', 413, undefined],
      ['failed', 500, 'a'],
    ],
  );
  assert.equal((problems[2]!.error as Error).message, 'no');
  assert.equal(said.mock.calls.length, 2, 'with a hook nothing goes to standard error');
});

test('without a hook, what is wrong with a request is counted, and what is wrong here is said', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  const receiver = createReceiver({ ...good, onDelivery: () => assert.fail('no') });
  await receiver.receive({ headers: {}, body: '{}' });
  assert.equal(said.mock.calls.length, 0);
  const body = '{}';
  await receiver.receive({ headers: sign({ scheme: 'standard', secret, body }), body });
  assert.equal(said.mock.calls.length, 1);
});

test('a store that fails: nothing is acted upon by guess, and what was is not asked for again', async () => {
  const seen = createSeen({ maxKeys: 9, maxAgeMs: 1e9 });
  const away = () => assert.fail('the database is away');
  const rows: [part: Partial<DeliveryStore>, status: number, acted: number, code: string][] = [
    [{ begin: away }, 503, 0, 'store-failed'],
    [{ begin: () => Promise.reject(new Error('away')) }, 503, 0, 'store-failed'],
    [{ begin: () => undefined as never }, 503, 0, 'store-failed'], // odd on purpose
    [{ begin: () => new Promise(() => {}) }, 503, 0, 'timed-out'],
    [{ finish: away }, 204, 1, 'not-remembered'],
  ];
  for (const [part, status, acted, code] of rows) {
    let times = 0;
    const { deliver, codes } = setUp({
      timeoutMs: 50,
      store: { ...seen, ...part },
      onDelivery: () => void times++,
    });
    assert.deepEqual([await statusOf(deliver(`of ${code}`)), times], [status, acted]);
    assert.deepEqual(codes(), [code]);
  }
});

test('a store that comes back too late is given the claim back', async () => {
  const { promise, resolve } = Promise.withResolvers<'new'>();
  const calls: string[] = [];
  const { deliver } = setUp({
    timeoutMs: 20,
    store: {
      begin: () => promise,
      finish: () => calls.push('finish'),
      forget: (id) => calls.push(`forget ${id}`),
    },
    onDelivery: () => calls.push('acted'),
  });
  assert.equal(await statusOf(deliver('a')), 503);
  resolve('new');
  await vi.waitUntil(() => calls.length > 0);
  assert.deepEqual(calls, ['forget a']);
});

test('an endless id is kept as its hash, and handed over as it is', async () => {
  const keys: string[] = [];
  const ids: (string | undefined)[] = [];
  const { deliver } = setUp({
    store: { begin: (id) => (keys.push(id), 'new'), finish() {}, forget() {} },
    onDelivery: ({ id }) => ids.push(id),
  });
  await deliver('x'.repeat(10_000));
  assert.match(keys[0]!, /^sha256:[0-9a-f]{64}$/);
  assert.equal(ids[0]!.length, 10_000);
});

test('the event is read when it is asked for, once; a body that is none fails then', async () => {
  const got: unknown[] = [];
  const { deliver, problems } = setUp({
    onDelivery(delivery: Delivery<StandardEvent>) {
      got.push(delivery.event.type, delivery.event === delivery.event);
    },
  });
  assert.equal(await statusOf(deliver('a', '{"type":"user.created","data":{"id":7}}')), 204);
  assert.deepEqual(got, ['user.created', true]);
  assert.equal(await statusOf(deliver('b', '[]')), 500);
  assert.match(String(problems[0]!.error), /TypeError: the body is JSON, but not an object/);
});
