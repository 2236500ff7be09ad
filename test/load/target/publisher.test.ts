// The publisher of a target: each event once, in order and in the form that the target wants.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, vi, type TestContext } from 'vitest';
import { nowUs } from '../../../core/base/clock.ts';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { startInTurn } from '../../../load/publisher/in-turn.ts';
import { targetDialect } from '../../../load/target/publish-request.ts';
import type { TargetAccess } from '../../../core/target/access.ts';
import type { PublisherSetup } from '../../../load/publisher/contract.ts';
import { access, httpServer, run } from './fixture.ts';

const startInTurnTo = ({ target, ...setup }: PublisherSetup & { target: TargetAccess }) =>
  startInTurn(setup, targetDialect(target));

describe('publishing', () => {
  type Received = { method: string; path: string; headers: IncomingMessage['headers']; body: string };

  async function publish(
    t: TestContext,
    yaml: string,
    count: number,
    answer: (received: Received, response: ServerResponse) => void,
    topicCount = 1,
  ) {
    const received: Received[] = [];
    const url = await httpServer(t, (request, response) => {
      let body = '';
      request
        .setEncoding('utf8')
        .on('data', (text: string) => (body += text))
        .on('end', () => {
          const one = { method: request.method!, path: request.url!, headers: request.headers, body };
          received.push(one);
          answer(one, response);
        });
    });
    const publisher = startInTurnTo({
      publishUrl: url,
      target: access(url, `${yaml}\nsubscribe: { sse: /s }`, { K: 'sesame-7' }),
      topics: [{ name: 'news', count: topicCount, follow: 1, first: 0 }],
      plan: {
        offsetUs: Float64Array.from({ length: count }, (_, i) => i * 200),
        topic: Uint32Array.from({ length: count }, (_, i) => i % topicCount),
        body: new Int32Array(count),
        corpus: ['{"n":"é"}'],
      },
      seed: 1,
    });
    t.onTestFinished(() => publisher.close());
    await publisher.ready;
    const fromUs = nowUs() + 10_000;
    const done = await publisher.run({ warmupFromUs: fromUs, fromUs, toUs: fromUs + 1e6, slotUs: 1e6 });
    return { received, done, publisher };
  }

  test(
    'each event once, numbered by topic and in order, though ' + 'connections are closed after every third',
    async (t) => {
      let answers = 0;
      const { received, done, publisher } = await publish(
        t,
        'publish: /pub/{topic}\ntopics: fixed',
        100,
        (_received, response) => {
          response.writeHead(202, ++answers % 3 === 0 ? { connection: 'close' } : {}).end('queued');
        },
        2,
      );
      for (const topic of ['news.0', 'news.1']) {
        const events = received
          .filter(({ path }) => path === `/pub/${topic}`)
          .map(({ body }) => decodeEnvelope(body));
        assert.deepEqual(
          events.map(({ seq }) => seq),
          Array.from({ length: 50 }, (_, i) => i + 1),
        );
        assert.ok(
          events.every(
            (one) => one.topic === topic && one.body === '{"n":"é"}' && one.id.startsWith(`${run}-`),
          ),
        );
      }
      assert.deepEqual(
        [...done.seq],
        Array.from({ length: 100 }, (_, i) => Math.floor(i / 2) + 1),
      );
      assert.deepEqual(
        [done.unconfirmed, done.problems, done.lag.count, done.roundTrip.count, publisher.confirmed()],
        [[], [], 100, 100, 100],
      );
    },
  );

  test('in the form that the target wants', async (t) => {
    const yaml =
      'publish: { url: /api, method: PUT, type: application/x-feed, headers: { x-key: "${K}" }, body: ' +
      `'{"to":"{topic}","data":{event},"again":{eventString}}' }`;
    const { received } = await publish(t, yaml, 1, (_received, response) => void response.end());
    const [one] = received;
    assert.deepEqual(
      [one?.method, one?.path, one?.headers['content-type'], one?.headers['x-key']],
      ['PUT', '/api', 'application/x-feed', 'sesame-7'],
    );
    const { to, data, again } = JSON.parse(one!.body) as { to: string; data: object; again: string };
    assert.equal(to, `news.${run}`);
    assert.deepEqual(JSON.parse(again), data);
  });

  test('500 answers: unconfirmed, with their numbers and without the secret they repeat', async (t) => {
    let answers = 0;
    const { done } = await publish(
      t,
      'publish: { url: /p, headers: { x-key: "${K}" } }',
      10,
      ({ headers }, response) => {
        response.writeHead(++answers % 2 === 0 ? 500 : 200).end(`no entry for ${headers['x-key']}`);
      },
    );
    assert.deepEqual([...done.seq], [1, 0, 3, 0, 5, 0, 7, 0, 9, 0]);
    assert.deepEqual(
      done.unconfirmed,
      [2, 4, 6, 8, 10].map((seq) => ({ topic: 0, seq })),
    );
    assert.deepEqual(done.problems, [
      {
        code: 'publish-refused',
        message: 'an event was answered with status 500: no entry for ${K}',
        count: 5,
      },
    ]);
  });

  test('nobody there: every event fails and the end comes at once', async (t) => {
    const gone = createServer();
    const url = await new Promise<string>((resolve) =>
      gone.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(gone.address() as AddressInfo).port}`)),
    );
    await new Promise((resolve) => gone.close(resolve));
    const plan = {
      offsetUs: Float64Array.of(0, 1, 2),
      topic: new Uint32Array(3),
      body: new Int32Array(3),
      corpus: ['1'],
    };
    const publisher = startInTurnTo({
      publishUrl: url,
      target: access(url, 'subscribe: { sse: /s }'),
      topics: [{ name: 'news', count: 1, follow: 1, first: 0 }],
      plan,
      seed: 1,
    });
    t.onTestFinished(() => publisher.close());
    await publisher.ready;
    const fromUs = nowUs();
    const { seq, unconfirmed } = await publisher.run({
      warmupFromUs: fromUs,
      fromUs,
      toUs: fromUs + 1e6,
      slotUs: 1e6,
    });
    assert.deepEqual([[...seq], unconfirmed.length], [[0, 0, 0], 3]);
  });

  test('answers are awaited as long as the measured phase lasts', async (t) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    t.onTestFinished(() => void vi.useRealTimers());
    const asked: ServerResponse[] = [];
    const url = await httpServer(t, (_request, response) => void asked.push(response));
    const publisher = startInTurnTo({
      publishUrl: url,
      target: access(url, 'subscribe: { sse: /s }'),
      topics: [{ name: 'news', count: 1, follow: 1, first: 0 }],
      plan: {
        offsetUs: Float64Array.of(0),
        topic: new Uint32Array(1),
        body: new Int32Array(1),
        corpus: ['1'],
      },
      seed: 1,
    });
    t.onTestFinished(() => publisher.close());
    await publisher.ready;
    const fromUs = nowUs();
    const published = publisher.run({ warmupFromUs: fromUs, fromUs, toUs: fromUs + 30e6, slotUs: 1e6 });
    while (asked.length === 0) await new Promise(setImmediate);
    vi.advanceTimersByTime(6000);
    asked[0]!.end();
    const { seq, problems } = await published;
    assert.deepEqual([[...seq], problems], [[1], []]);
  });
});
