// The polling load client against a server of the test: cursor, conditions, answers in pieces, connections.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { nowUs } from '../../core/base/clock.ts';
import { patterns, type PatternOptions } from '../../core/pattern/registry.ts';
import { readPollAnswer, splitEvents } from '../../load/wire/poll-answer.ts';
import { startPollers } from '../../load/subscribers/poller.ts';
import { polling } from '../../load/polling.ts';
import { encodeRequest } from '../../load/wire/http-head.ts';
import type { LoadContext } from '../../load/pattern.ts';
import { newLog, recorder, startServer, until, type Answer } from './poll-fixture.ts';

const options = (changes: Partial<PatternOptions<'polling'>> = {}) => ({
  ...patterns.polling.options.parse({}),
  every: 20,
  ...changes,
});

async function start(context: LoadContext, changes?: Partial<PatternOptions<'polling'>>, subscribers = 1) {
  const load = await polling.start(context, options(changes));
  for (let subscriber = 0; subscriber < subscribers; subscriber++) load.open(subscriber);
  return { [Symbol.asyncDispose]: () => load.close(1000), load };
}

/** Answers the requests one by one, the last answer for all that follow. */
const inTurn = (...answers: Answer[]): Answer => {
  let at = 0;
  return (...given) => answers[Math.min(at++, answers.length - 1)]!(...given);
};
const status =
  (code: number, headers = {}): Answer =>
  (_, response) =>
    void response.writeHead(code, headers).end();
const text =
  (body: string): Answer =>
  (_, response) =>
    void response.end(body);

describe('a polling subscriber', () => {
  test(
    'fetches the cursor first, then asks from it, with the ' + 'ETag; 304 leaves both as they are',
    async () => {
      const log = newLog();
      await using server = await startServer(log.poll);
      const { context, calls, counters, bodies } = recorder(server.url);
      await using _ = await start(context);
      await until(() => server.asked.length >= 3);
      log.publish('other', '0');
      log.publish('news', '{"a":1}');
      await until(() => bodies().length === 1);
      const { length } = server.asked;
      await until(() => server.asked.length > length + 1);

      const [first, second] = server.asked;
      assert.equal(first!.url.href, 'http://test/poll?topics=news');
      assert.equal(first!.headers['if-none-match'], undefined);
      assert.equal(second!.url.href, 'http://test/poll?topics=news&since=e1-0');
      assert.equal(second!.headers['if-none-match'], '"e1-0"');
      const last = server.asked.at(-1)!;
      assert.equal(last.url.searchParams.get('since'), 'e1-2');
      assert.equal(last.headers['if-none-match'], '"e1-2"');
      assert.deepEqual(bodies(), ['{"a":1}']);
      assert.deepEqual(calls, ['ready 0']);
      assert.equal(counters.connectionsOpened, 1);
    },
  );

  test('counts each answer as a full or an empty poll', async () => {
    const log = newLog();
    await using server = await startServer(log.poll);
    const { context, counters, bodies } = recorder(server.url);
    {
      await using _ = await start(context);
      await until(() => counters.emptyPolls > 0);
      for (let i = 1; i <= 5; i++) {
        log.publish('news', String(i));
        await until(() => bodies().length === i);
      }
    }
    assert.equal(counters.fullPolls, 5);
    assert.equal(counters.fullPolls + counters.emptyPolls, server.asked.length);
    assert.equal(counters.events, 5);
    assert.equal(counters.errors, 0);
  });

  test('gets every event of its topics once and in order, whatever the bodies look like', async () => {
    const log = newLog();
    await using server = await startServer(log.poll);
    const topics = ['a', 'b', 'c'];
    const { context, got, counters } = recorder(server.url, {
      topicsOf: (subscriber) => [topics[subscriber]!, 'all'],
    });
    await using _ = await start(context, { every: 5 }, 3);
    await until(() => counters.emptyPolls >= 3);
    const sent: { topic: string; body: string }[] = [];
    for (const [i, value] of fc.sample(fc.json(), 300).entries()) {
      const [topic, body] = [[...topics, 'all'][i % 4]!, value.replaceAll('\n', ' ')];
      sent.push({ topic, body });
      log.publish(topic, body);
      if (i % 20 === 0) await sleep(3);
    }
    const expected = (subscriber: number) =>
      sent.filter(({ topic }) => topic === topics[subscriber] || topic === 'all').map(({ body }) => body);
    const received = (subscriber: number) =>
      got.filter((one) => one.subscriber === subscriber).map(({ event }) => event.body);
    await until(() => got.length >= 450);
    for (const subscriber of [0, 1, 2]) assert.deepEqual(received(subscriber), expected(subscriber));
  });

  test('reads an answer that comes in pieces, larger than any buffer', async () => {
    const log = newLog();
    await using server = await startServer((request, response, url) => {
      if (!url.searchParams.has('since')) return log.poll(request, response, url);
      const end = response.end.bind(response);
      response.end = ((body?: string) => {
        const bytes = Buffer.from(body ?? '');
        for (let at = 0; at < bytes.length; at += 10_007) response.write(bytes.subarray(at, at + 10_007));
        return end();
      }) as typeof response.end;
      return log.poll(request, response, url);
    });
    const { context, bodies } = recorder(server.url);
    await using _ = await start(context);
    await until(() => server.asked.length >= 2);
    const body = JSON.stringify({ text: 'x"}]'.repeat(60_000) });
    log.publish('news', body);
    log.publish('news', '[]');
    await until(() => bodies().length >= 2);
    assert.deepEqual(bodies(), [body, '[]']);
  });

  test('sends no condition when it is told not to', async () => {
    await using server = await startServer(newLog().poll);
    const { context } = recorder(server.url);
    await using _ = await start(context, { conditional: false });
    await until(() => server.asked.length >= 3);
    assert.ok(server.asked.every(({ headers }) => headers['if-none-match'] === undefined));
  });

  test('opens a connection for each request when it is told to', async () => {
    await using server = await startServer(newLog().poll);
    const { context, counters, problems } = recorder(server.url);
    {
      await using _ = await start(context, { connection: 'close' });
      await until(() => server.asked.length >= 5);
    }
    assert.equal(counters.connectionsOpened, server.asked.length);
    assert.ok(server.asked.every(({ headers }) => headers.connection === 'close'));
    assert.deepEqual(problems, []);
  });

  test('asks below the path of the endpoint', async () => {
    await using server = await startServer(newLog().poll);
    const { context } = recorder(`${server.url}/base/`);
    await using _ = await start(context);
    await until(() => server.asked.length >= 1);
    assert.equal(server.asked[0]!.url.pathname, '/base/poll');
  });
});

describe('the schedule of polls', () => {
  test('keeps its rate although every answer takes most of the interval', async () => {
    const log = newLog();
    await using server = await startServer(
      (request, response, url) => void setTimeout(() => log.poll(request, response, url), 80),
    );
    const { context } = recorder(server.url);
    await using _ = await start(context, { every: 100 });
    await until(() => server.asked.length >= 2);
    const fromMs = performance.now();
    const before = server.asked.length;
    await sleep(2000);
    // 20 by the schedule; 11 had each wait begun with the answer.
    const polls = ((server.asked.length - before) * 2000) / (performance.now() - fromMs);
    assert.ok(polls > 14 && polls < 22, `${polls} polls in 2 s`);
  });

  test('has one request under way at a time, and leaves out what fell due meanwhile', async () => {
    const log = newLog();
    let [now, most] = [0, 0];
    let waitMs = 300;
    await using server = await startServer((request, response, url) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        log.poll(request, response, url);
      }, waitMs);
      waitMs = server.asked.length >= 3 ? 0 : waitMs;
    });
    const { context } = recorder(server.url);
    await using _ = await start(context, { every: 50, jitter: 0 });
    await until(() => server.asked.length >= 12);
    assert.equal(most, 1);
    // The third answer took six intervals. They are not made up for: the polls behind it keep their distance.
    const [fourth, twelfth] = [server.asked[3]!.atMs, server.asked[11]!.atMs];
    assert.ok(twelfth - fourth > 350, `8 polls within ${twelfth - fourth} ms`);
  });

  test('spreads over the interval: the second poll comes after a share of it drawn at random', async () => {
    for (const share of [0.1, 0.9]) {
      await using server = await startServer(newLog().poll);
      const { context } = recorder(server.url, { random: () => share });
      await using _ = await start(context, { every: 400 });
      await until(() => server.asked.length >= 2);
      const gapMs = server.asked[1]!.atMs - server.asked[0]!.atMs;
      if (share < 0.5) assert.ok(gapMs < 300, `${gapMs} ms`);
      else assert.ok(gapMs > 300, `${gapMs} ms`);
    }
  });

  test('differs from the interval by the jitter, on both sides of it', async () => {
    const values = [0.5, 0, 1, 0, 1];
    await using server = await startServer(newLog().poll);
    const { context } = recorder(server.url, { random: () => values.shift() ?? 0.5 });
    await using _ = await start(context, { every: 200, jitter: 0.75 });
    await until(() => server.asked.length >= 6);
    const gaps = server.asked
      .slice(1, 6)
      .map(({ atMs }, i, all) => (i === 0 ? 0 : atMs - all[i - 1]!.atMs))
      .slice(1);
    // 200 x 0.25, 200 x 1.75, and again.
    for (const [i, gapMs] of gaps.entries())
      assert.ok(i % 2 === 0 ? gapMs < 180 : gapMs > 220, `gaps ${gaps}`);
  });

  test('makes the mean delay of an event half the interval', async () => {
    const log = newLog();
    await using server = await startServer(log.poll);
    const { context, got, counters } = recorder(server.url);
    await using _ = await start(context, { every: 200 }, 100);
    await until(() => counters.emptyPolls >= 200);
    for (let i = 0; i < 25; i++) {
      log.publish('news', String(i), nowUs());
      await sleep(37);
    }
    await until(() => got.length === 2500);
    const meanMs = got.reduce((sum, { event, atUs }) => sum + atUs - event.plannedUs, 0) / got.length / 1000;
    // The mean of 100 phases, even over 200 ms, has a standard error of 5.8 ms; the bounds leave
    // room for a slow machine.
    assert.ok(meanMs > 80 && meanMs < 140, `${meanMs} ms`);
  });
});

describe('when something goes wrong', () => {
  test(
    'a poll cut off in its answer is repeated from the ' + 'same cursor: no event lost, none twice',
    async () => {
      const log = newLog();
      const cuts: number[] = [];
      await using server = await startServer((request, response, url) => {
        if (url.searchParams.has('since') && server.asked.length % 3 === 0) {
          cuts.push(server.asked.length - 1);
          response.writeHead(200, { 'content-length': 1000 });
          response.write('{"cursor":"e1-9","events":[{"id":"e1-9"');
          setTimeout(() => request.socket.destroy(), 2);
        } else {
          log.poll(request, response, url);
        }
      });
      const { context, bodies, calls, counters } = recorder(server.url);
      await using _ = await start(context, { every: 5 });
      await until(() => calls.length > 0);
      for (let i = 0; i < 50; i++) {
        log.publish('news', String(i));
        await sleep(4);
      }
      await until(() => bodies().length >= 50 && calls.at(-1) === 'ready 0');
      assert.deepEqual(
        bodies(),
        Array.from({ length: 50 }, (_, i) => String(i)),
      );
      assert.ok(cuts.length > 3);
      const since = server.asked.map(({ url }) => url.searchParams.get('since'));
      for (const cut of cuts.slice(0, -1)) assert.equal(since[cut + 1], since[cut]);
      assert.ok(
        calls.every((call, i) => call === (i % 2 === 0 ? 'ready 0' : 'lost 0')),
        calls.join(),
      );
      assert.equal(counters.reconnects, calls.filter((call) => call === 'ready 0').length - 1);
    },
  );

  test('a server that is not there yet is tried again', async () => {
    const log = newLog();
    const first = await startServer(log.poll);
    const { url } = first;
    await first[Symbol.asyncDispose]();
    const { context, problems, calls } = recorder(url);
    await using _ = await start(context);
    await until(() => problems.length >= 3);
    assert.match(problems[0]!, /^ECONNREFUSED: /);
    assert.deepEqual(calls, []);
  });

  const mishaps: [reads: string, answer: Answer, problem: string][] = [
    [
      'a status that is none of a poll',
      status(500),
      'unexpected-status: a poll was answered with status 500',
    ],
    [
      'an answer that is something else',
      text('<html>'),
      'malformed-answer: the answer to a poll is not {"cursor":"...","events":[...]}, ' +
        'nor an empty one with a cursor',
    ],
    [
      'a cursor that is none',
      text('{"cursor":"a b","events":[]}'),
      'malformed-answer: the answer to a poll is not {"cursor":"...","events":[...]}, ' +
        'nor an empty one with a cursor',
    ],
    [
      'an answer that ends in the middle',
      text('{"cursor":"e1-1","events":[{"id":'),
      'malformed-answer: the answer to a poll is not {"cursor":"...","events":[...]}, ' +
        'nor an empty one with a cursor',
    ],
    [
      'nothing new since nothing',
      status(304),
      'malformed-answer: the answer to a poll is not {"cursor":"...","events":[...]}, ' +
        'nor an empty one with a cursor',
    ],
    [
      'an event that is no envelope',
      text('{"cursor":"e1-1","events":[{"a":1}]}'),
      'malformed-event: an event is no envelope',
    ],
  ];
  for (const [reads, answer, problem] of mishaps) {
    test(`${reads} is reported, and the poll goes on`, async () => {
      const log = newLog();
      await using server = await startServer(inTurn(answer, log.poll));
      const { context, problems, calls, bodies } = recorder(server.url);
      await using _ = await start(context);
      await until(() => calls.includes('ready 0') && server.asked.length >= 3);
      log.publish('news', '1');
      await until(() => bodies().length === 1);
      assert.deepEqual(problems, [problem]);
    });
  }

  test('a refusal for too many subscribers is counted, and the wait that it asks for kept', async () => {
    await using server = await startServer(inTurn(status(503, { 'retry-after': '1' }), newLog().poll));
    const { context, counters, problems, calls } = recorder(server.url);
    await using _ = await start(context);
    await until(() => calls.length > 0);
    assert.equal(counters.refusals, 1);
    assert.deepEqual(problems, []);
    const waitedMs = server.asked[1]!.atMs - server.asked[0]!.atMs;
    assert.ok(waitedMs > 950, `${waitedMs} ms`);
  });

  test('a reset is counted, and the events that are left are taken', async () => {
    const log = newLog();
    log.publish('news', '1');
    const reset: Answer = (_, response) =>
      void response.end(
        '{"cursor":"e1-1","reset":true,"events":[{"id":"e1-1","topic":"news","seq":1,"planned":1,' +
          '"sent":2,"accepted":3,"body":1}]}',
      );
    await using server = await startServer(inTurn(log.poll, reset, log.poll));
    const { context, counters, bodies } = recorder(server.url);
    await using _ = await start(context);
    await until(() => server.asked.length >= 4);
    assert.equal(counters.resets, 1);
    assert.deepEqual(bodies(), ['1']);
  });

  test('an answer that does not come is given up and asked for again', async () => {
    const log = newLog();
    await using server = await startServer(inTurn(log.poll, () => {}, log.poll));
    const { context, problems, calls } = recorder(server.url);
    const url = new URL(server.url);
    const load = startPollers(context, {
      request: ({ cursor }) => encodeRequest(url, `/poll?topics=news${cursor && `&since=${cursor}`}`, {}),
      answered: () => 10,
      answerWithinMs: 200,
      finishes: true,
    });
    load.open(0);
    await until(() => server.asked.length >= 4);
    await load.close(1000);
    assert.deepEqual(problems, ['no-answer: a poll had no answer for 0.2 s']);
    assert.deepEqual(calls, ['ready 0', 'lost 0', 'ready 0']);
  });
});

describe('closing', () => {
  test('lets the polls under way finish and leaves no connection', async () => {
    const log = newLog();
    await using server = await startServer(
      (request, response, url) => void setTimeout(() => log.poll(request, response, url), 100),
    );
    const { context, counters, problems } = recorder(server.url);
    const { load } = await start(context, {}, 20);
    await until(() => server.asked.length === 20);
    await load.close(5000);
    assert.equal(counters.emptyPolls, 20);
    for (let left = 1; left > 0; left = await server.connections()) await sleep(5);
    await sleep(100);
    assert.equal(server.asked.length, 20);
    assert.deepEqual(problems, []);
  });

  test('does not wait longer than it may', async () => {
    await using server = await startServer(() => {});
    const { context } = recorder(server.url);
    const { load } = await start(context, {}, 5);
    await until(() => server.asked.length === 5);
    await load.close(50);
    for (let left = 1; left > 0; left = await server.connections()) await sleep(5);
  });
});

describe('the answer to a poll', () => {
  const envelope = fc
    .json()
    .map((body) => `{"id":"e1-1","topic":"t","seq":1,"planned":1,"sent":2,"accepted":3,"body":${body}}`);
  const split = (text: string, padding = '') => {
    const bytes = Buffer.from(padding + text + padding);
    const [from, to] = [Buffer.byteLength(padding), bytes.length - Buffer.byteLength(padding)];
    const answer = readPollAnswer(bytes, from, to);
    if (!answer) return undefined;
    const events: string[] = [];
    const whole = splitEvents(
      bytes,
      answer.eventsFrom,
      to,
      (a, b) => void events.push(bytes.toString('utf8', a, b)),
    );
    return { cursor: answer.cursor, reset: answer.reset, events, whole };
  };

  test('is split as JSON.parse would, anywhere in a buffer', () => {
    fc.assert(
      fc.property(
        fc.array(envelope, { maxLength: 6 }),
        fc.boolean(),
        fc.constantFrom('', '{', '"', '}]}', ',{"'),
        (envelopes, reset, padding) => {
          const text = `{"cursor":"e1-57",${reset ? '"reset":true,' : ''}"events":[${envelopes.join(',')}]}`;
          assert.deepEqual(split(text, padding), { cursor: 'e1-57', reset, events: envelopes, whole: true });
          assert.deepEqual(
            split(text)!.events.map((event) => JSON.parse(event) as unknown),
            (JSON.parse(text) as { events: unknown[] }).events,
          );
        },
      ),
    );
  });

  test('cut anywhere is noticed', () => {
    const text = '{"cursor":"e1-57","reset":true,"events":[{"a":"}]\\"","b":[{},"x"]},{"c":1}]}';
    assert.equal(split(text)?.whole, true);
    for (let length = 0; length < text.length; length++) {
      // What stands behind the end must not be read: the buffer still holds it.
      const bytes = Buffer.from(text);
      const answer = readPollAnswer(bytes, 0, length);
      assert.ok(!answer || !splitEvents(bytes, answer.eventsFrom, length, () => {}), text.slice(0, length));
    }
  });

  const malformed = ['[{},]', '[,{}]', '[{}{}]', '[1]', '["a"]', '[{}]}', '[{]', '[{"a":"}]', '[[]]'];
  for (const list of malformed)
    test(`with the list ${list} is malformed`, () =>
      assert.notEqual(split(`{"cursor":"e1-1","events":${list}}`)?.whole, true));

  test('with any byte changed is read without a throw, and no event reaches past its end', () => {
    fc.assert(
      fc.property(
        fc.array(envelope, { maxLength: 3 }),
        fc.nat(),
        fc.nat({ max: 255 }),
        (envelopes, where, byte) => {
          const bytes = Buffer.from(`{"cursor":"e1-57","events":[${envelopes.join(',')}]}`);
          bytes[where % bytes.length] = byte;
          const answer = readPollAnswer(bytes, 0, bytes.length);
          if (answer)
            splitEvents(bytes, answer.eventsFrom, bytes.length, (from, to) =>
              assert.ok(from < to && to <= bytes.length),
            );
        },
      ),
    );
  });
});
