// Polling subscribers whose server answers wrongly, late or not at all, and how they end.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { startPollers } from '../../load/subscribers/cursor-polls.ts';
import { encodeRequest } from '../../load/wire/http-head.ts';
import { newLog, recorder, startServer, startPolling, until, type Answer } from './poll-fixture.ts';

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
      await using _ = await startPolling(context, { every: 5 });
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
    await using _ = await startPolling(context);
    await until(() => problems.length >= 3);
    assert.match(problems[0]!, /^ECONNREFUSED: /);
    assert.deepEqual(calls, []);
  });

  const faults: [reads: string, answer: Answer, problem: string][] = [
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
      'an event that is not an envelope',
      text('{"cursor":"e1-1","events":[{"a":1}]}'),
      'malformed-event: an event is not an envelope',
    ],
  ];
  for (const [reads, answer, problem] of faults) {
    test(`${reads} is reported, and the poll goes on`, async () => {
      const log = newLog();
      await using server = await startServer(inTurn(answer, log.poll));
      const { context, problems, calls, bodies } = recorder(server.url);
      await using _ = await startPolling(context);
      await until(() => calls.includes('ready 0') && server.asked.length >= 3);
      log.publish('news', '1');
      await until(() => bodies().length === 1);
      assert.deepEqual(problems, [problem]);
    });
  }

  for (const code of [503, 429]) {
    test(`a refusal with ${code} is counted, and the wait that it asks for kept`, async () => {
      await using server = await startServer(inTurn(status(code, { 'retry-after': '1' }), newLog().poll));
      const { context, counters, problems, calls } = recorder(server.url);
      await using _ = await startPolling(context);
      await until(() => calls.length > 0);
      assert.equal(counters.refusals, 1);
      assert.deepEqual(problems, []);
      const waitedMs = server.asked[1]!.atMs - server.asked[0]!.atMs;
      assert.ok(waitedMs > 950, `${waitedMs} ms`);
    });
  }

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
    await using _ = await startPolling(context);
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
    const { load } = await startPolling(context, {}, 20);
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
    const { load } = await startPolling(context, {}, 5);
    await until(() => server.asked.length === 5);
    await load.close(50);
    for (let left = 1; left > 0; left = await server.connections()) await sleep(5);
  });
});
