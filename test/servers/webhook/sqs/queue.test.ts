// Checks what is asked of SQS for waits beyond its delays, for batches of a FIFO group, for requests of which
// it took a part and for answers that are lost, on an API that the test plays.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'vitest';
import type { Entry, EntryOutcome, Received, SqsApi } from '../../../../servers/webhook/sqs/api.ts';
import { credentialsIn, outcomeOf, regionOf } from '../../../../servers/webhook/sqs/api.ts';
import { createSqsQueue } from '../../../../servers/webhook/sqs/queue.ts';
import { decodeWork, encodeWork, type End, type Work } from '../../../../servers/webhook/queue/work-queue.ts';
import { until } from '../../receivers.ts';

const work = (firstId: number, given: Partial<Work> = {}): Work => ({
  kind: 'delivery',
  message: { id: `e-${firstId}`, topic: 'news', body: '{"n":1}', bodyBytes: 7 },
  firstId,
  receivers: [{ id: 'ep_1', key: 1 }],
  createdMs: 1000,
  round: 0,
  ...given,
});

type Hidden = { handle: string; seconds: number };

/** SQS as the test wants it: hands out each of `batches` once. */
function playedSqs(batches: Received[][], answers: EntryOutcome[][] = []) {
  const sent: Entry[] = [];
  const removed: string[] = [];
  const hidden: Hidden[] = [];
  const api: SqsApi = {
    attributes: () => Promise.resolve({}),
    async send(_url, entries) {
      sent.push(...entries);
      return answers.shift() ?? entries.map(() => ({ state: 'stored' }));
    },
    async receive(_most, _visibilityS, _waitS, signal) {
      const next = batches.shift();
      if (next) return next;
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('over'))));
    },
    async remove(handles) {
      removed.push(...handles);
    },
    async hide(handle, seconds) {
      hidden.push({ handle, seconds });
    },
    close() {},
  };
  return { api, sent, removed, hidden };
}

function queueOn(t: TestContext, api: SqsApi, url: string) {
  const queue = createSqsQueue(api, {
    url,
    deadUrl: '',
    visibilityS: 15,
    messageBytesMost: 262_144,
    emulator: undefined,
    concurrency: 10,
    report: (error) => assert.fail(String(error)),
  });
  t.onTestFinished(() => queue.stop());
  return queue;
}

const standard = 'http://127.0.0.1:1/0/q';
const fifo = 'http://127.0.0.1:1/0/q.fifo';
const received = (one: Work, group?: string): Received => ({
  body: encodeWork(one),
  handle: `h${one.firstId}`,
  ...(group !== undefined && { group }),
});

test('characters that XML has not are escaped, and come back', async (t) => {
  const { api, sent } = playedSqs([]);
  const odd = work(1, { message: { id: 'e', topic: 'news', body: '"\ufffe\uffff"', bodyBytes: 8 } });
  await queueOn(t, api, standard).send([odd]);
  assert.doesNotMatch(sent[0]!.body, /[\ufffe\uffff]/);
  assert.equal(decodeWork(sent[0]!.body)!.message.body, odd.message.body);
});

test('a wait beyond 15 minutes is queued again for as much of it as a delay may be', async (t) => {
  const { api, sent, removed, hidden } = playedSqs([[received(work(1)), received(work(2))]]);
  const queue = queueOn(t, api, standard);
  const waitsMs = new Map([
    [1, 2 * 3_600_000],
    [2, 1200],
  ]);
  queue.start(async ({ firstId }) => ({ kind: 'later', ms: waitsMs.get(firstId)! }));
  await until('both were queued again', () => removed.length === 2);
  assert.deepEqual(
    sent.map(({ delayS, body }) => [decodeWork(body)!.firstId, delayS]),
    [
      [1, 900],
      [2, 2],
    ],
  );
  assert.deepEqual(hidden, []);
});

test('in a FIFO group one that waits is hidden, and those behind it wait with it', async (t) => {
  const group = [1, 2, 3].map((id) => received(work(id), 'ep_1'));
  const { api, sent, removed, hidden } = playedSqs([[...group, received(work(4), 'ep_2')]]);
  const queue = queueOn(t, api, fifo);
  const handled: number[] = [];
  queue.start(async ({ firstId }): Promise<End> => {
    handled.push(firstId);
    return firstId === 2 ? { kind: 'later', ms: 13 * 3_600_000 } : { kind: 'done' };
  });
  await until('the last was shown again', () => hidden.some(({ seconds }) => seconds === 0));
  assert.deepEqual(handled.sort(), [1, 2, 4]);
  assert.deepEqual(removed.sort(), ['h1', 'h4']);
  assert.deepEqual(hidden, [
    { handle: 'h2', seconds: 15 }, // its time ran while it waited for the first
    { handle: 'h2', seconds: 12 * 3600 - 60 },
    { handle: 'h3', seconds: 0 },
  ]);
  assert.deepEqual(sent, []);
});

test('a request to SQS has ten messages and 256 KiB at most', async (t) => {
  const requests: number[][] = [];
  const { api } = playedSqs([]);
  const counted: SqsApi = {
    ...api,
    send: (url, entries) => {
      requests.push(entries.map(({ body }) => decodeWork(body)!.firstId));
      return api.send(url, entries);
    },
  };
  const large = (id: number, bytes: number) =>
    work(id, { message: { id: 'e', topic: 'news', body: 'x'.repeat(bytes), bodyBytes: bytes } });
  const sizes = [100_000, 100_000, 100_000, 300_000, 10, ...Array.from({ length: 12 }, () => 10)];
  const sent = await queueOn(t, counted, standard).send(sizes.map((bytes, i) => large(i, bytes)));
  assert.ok(sent.every(({ state }) => state === 'stored'));
  assert.deepEqual(
    requests.map((ids) => ids.join(' ')),
    ['0 1', '2', '3', '4 5 6 7 8 9 10 11 12 13', '14 15 16'],
  );
});

test('groups of a FIFO queue: events are one, and each endpoint is one', async (t) => {
  const { api, sent } = playedSqs([]);
  const event = work(1, { kind: 'event', receivers: [{ id: 'a', key: 1 }] });
  await queueOn(t, api, fifo).send([event, work(2), work(2, { round: 1 })]);
  assert.deepEqual(
    sent.map(({ group, deduplication }) => [group, deduplication]),
    [
      ['events', 'event-1-0'],
      ['ep_1', 'delivery-2-0'],
      ['ep_1', 'delivery-2-1'],
    ],
  );
});

test('what SQS did not take is sent again, and what nobody can know is said', async (t) => {
  const lost: EntryOutcome = { state: 'unknown', why: 'timeout' };
  const busy: EntryOutcome = { state: 'again', why: 'busy' };
  const bad: EntryOutcome = { state: 'refused', why: 'bad' };
  const stored: EntryOutcome = { state: 'stored' };
  const { api, sent } = playedSqs([], [[stored, busy, lost, bad, lost], [stored, stored, busy], [busy]]);
  const outcomes = await queueOn(t, api, standard).send([1, 2, 3, 4, 5].map((id) => work(id)));
  assert.deepEqual(
    outcomes.map(({ state }) => state),
    ['stored', 'stored', 'stored', 'refused', 'unknown'],
  );
  assert.equal(sent.length, 5 + 3 + 1);
});

describe('what comes behind in its group is in a FIFO queue already', () => {
  const stored: EntryOutcome = { state: 'stored' };
  const busy: EntryOutcome = { state: 'again', why: 'busy' };
  const lost: EntryOutcome = { state: 'unknown', why: 'timeout' };
  const sentIds = (sent: readonly Entry[]) => sent.map(({ body }) => decodeWork(body)!.firstId);
  const to = (endpoint: string, ids: readonly number[]) =>
    ids.map((id) => work(id, { receivers: [{ id: endpoint, key: 1 }] }));
  const sendAll = async (t: TestContext, works: readonly Work[], answers: EntryOutcome[][]) => {
    const { api, sent } = playedSqs([], answers);
    const outcomes = await queueOn(t, api, fifo).send(works);
    return { outcomes, states: outcomes.map(({ state }) => state), ids: sentIds(sent) };
  };

  test('what failed before it is not sent again', async (t) => {
    const { states, ids } = await sendAll(t, to('a', [1, 2, 3]), [[stored, busy, stored]]);
    assert.deepEqual(states, ['stored', 'refused', 'stored']);
    assert.deepEqual(ids, [1, 2, 3]);
  });

  test('nobody knows of one whose first answer was lost', async (t) => {
    const { states, ids } = await sendAll(t, to('a', [1, 2]), [
      [lost, lost],
      [busy, stored],
    ]);
    assert.deepEqual(states, ['unknown', 'stored']);
    assert.deepEqual(ids, [1, 2, 1, 2]);
  });

  test('the end of a group is sent again in its order, and other groups are their own', async (t) => {
    const works = [...to('a', [1, 2, 3]), ...to('b', [4]), ...to('c', [5])];
    const { states, ids } = await sendAll(t, works, [[stored, busy, busy, busy, stored]]);
    assert.deepEqual(states, Array(5).fill('stored'));
    assert.deepEqual(ids, [1, 2, 3, 4, 5, 2, 3, 4]);
  });

  test('what is in later requests is not sent behind one that failed, nor waits for it', async (t) => {
    const ten = to(
      'a',
      Array.from({ length: 10 }, (_, i) => i + 1),
    );
    const answers = [1, 2, 3].map(() => ten.map(() => lost));
    const { outcomes, states, ids } = await sendAll(t, [...ten, ...to('a', [11]), ...to('b', [12])], answers);
    assert.deepEqual(states, [...Array<string>(10).fill('unknown'), 'refused', 'stored']);
    const why = 'it was not sent, because one before it failed: timeout';
    assert.deepEqual(outcomes[10], { state: 'refused', why });
    assert.deepEqual(ids.slice(30), [12]);
  });

  test('one that SQS will never take holds up no other', async (t) => {
    const bad: EntryOutcome = { state: 'refused', why: 'bad' };
    const eleven = to(
      'a',
      Array.from({ length: 11 }, (_, i) => i + 1),
    );
    const { states } = await sendAll(t, eleven, [[bad, ...Array<EntryOutcome>(9).fill(stored)]]);
    assert.deepEqual(states, ['refused', ...Array<string>(10).fill('stored')]);
  });
});

test('what a failed call means', () => {
  const failure = (name: string, given: object) => Object.assign(new Error('no'), { name, ...given });
  const stateOf = (name: string, given: object) => outcomeOf(failure(name, given)).state;
  assert.equal(stateOf('Error', { code: 'ECONNREFUSED' }), 'again');
  assert.equal(stateOf('TimeoutError', {}), 'unknown');
  assert.equal(stateOf('Error', { code: 'ECONNRESET' }), 'unknown');
  assert.equal(stateOf('InternalError', { $fault: 'server' }), 'unknown');
  assert.equal(stateOf('AccessDenied', { $fault: 'client' }), 'refused');
  assert.equal(stateOf('RequestThrottled', { $fault: 'client' }), 'again');
});

test('credentials are those of the environment, and the region is the one that the host names', () => {
  const both = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
  assert.deepEqual(credentialsIn(both, false), { accessKeyId: 'a', secretAccessKey: 'b' });
  assert.equal(credentialsIn({ ...both, AWS_SESSION_TOKEN: 'c' }, false).sessionToken, 'c');
  assert.throws(() => credentialsIn({ AWS_ACCESS_KEY_ID: 'a' }, false), /AWS_SECRET_ACCESS_KEY is not set/);
  assert.equal(credentialsIn({}, true).accessKeyId, 'none');
  assert.equal(regionOf('sqs.eu-central-1.amazonaws.com', { AWS_REGION: 'x' }), 'eu-central-1');
  assert.equal(regionOf('vpce-1-2.sqs.us-west-2.vpce.amazonaws.com', {}), 'us-west-2');
  assert.equal(regionOf('127.0.0.1', { AWS_REGION: 'eu-north-1' }), 'eu-north-1');
  assert.equal(regionOf('127.0.0.1', {}), 'us-east-1');
});
