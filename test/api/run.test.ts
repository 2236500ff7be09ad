// The functions that programs import: a run against a system of the caller's own, what it says when
// something does not hold or is wrong, how it is ended, and a simulation.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { test, type TestContext } from 'vitest';
import { compare, run, simulate, UserError, type Progress } from '../../api/index.ts';
import type { Trial } from '../../core/result/result.ts';

const scenario = {
  question: 'Does everybody get everything?',
  subscribers: 5,
  topics: { news: { publish: '20/s' } },
  phases: { connect: '200ms', warmup: '200ms', measure: '1s', drain: '5s' },
  variants: ['sse'],
  expect: ['missed == 0', 'duplicated == 0', 'reordered == 0'],
};

/** An app that sends what is posted to it to everybody by SSE. @param lost one of so many is not sent */
async function startApp(t: TestContext, lost = Infinity): Promise<Record<string, unknown>> {
  const streams = new Set<ServerResponse>();
  let posted = 0;
  const app = createServer(async (request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      streams.add(response);
      request.on('close', () => streams.delete(response));
      return;
    }
    const body = (await request.toArray()).join('');
    posted++;
    if (posted % lost !== 0) for (const stream of streams) stream.write(`data: ${body}\n\n`);
    response.writeHead(204).end();
  });
  await once(app.listen(0, '127.0.0.1'), 'listening');
  t.onTestFinished(() => {
    app.closeAllConnections();
    app.close();
  });
  const { port } = app.address() as { port: number };
  return { name: 'app', url: `http://127.0.0.1:${port}`, publish: '/events', subscribe: { sse: '/events' } };
}

test('a run against an app of ones own passes, with figures, and prints nothing', async (t) => {
  const told: Progress[] = [];
  const signals = process.listenerCount('SIGINT');
  const target = await startApp(t);
  const outcome = await run({ scenario, target, onProgress: (one) => told.push(one) });
  assert.deepEqual([outcome.problems, outcome.passed], [[], true]);
  // On a busy machine latencies may be void.
  assert.equal(outcome.valid, outcome.verdict === 'ok');
  const [trial] = outcome.figures;
  assert.equal(trial!.variant, 'sse @app');
  assert.deepEqual(trial!.figures['delivered'], { value: 100, unit: 'count' });
  assert.ok(trial!.figures['latency.p50']?.unit === 'us' || trial!.none['latency.p50']?.startsWith('void'));
  assert.ok(trial!.none['latency.p99'], 'too few events for it');
  assert.deepEqual(outcome.result.figures, outcome.figures);
  assert.deepEqual(
    outcome.expectations.map(({ check, verdict }) => [check, verdict]),
    scenario.expect.map((check) => [check, 'held']),
  );
  assert.equal(told[0]!.kind, 'trial-started');
  assert.ok(told.some(({ kind }) => kind === 'measuring'));
  assert.equal(told.at(-1)!.kind, 'trial-ended');
  assert.equal(process.listenerCount('SIGINT'), signals);
  assert.match(await outcome.report(), /^<!doctype html>/i);
});

test('an app that loses events does not pass, and the problem says what was lost', async (t) => {
  const outcome = await run({ scenario, target: await startApp(t, 4), set: { 'phases.drain': '500ms' } });
  assert.deepEqual([outcome.passed, outcome.verdict], [false, 'expectation']);
  assert.ok(
    outcome.problems.some((text) => /sse @app: missed == 0: .*25/.test(text)),
    `${outcome.problems}`,
  );
});

test('what is wrong with a scenario or a target is thrown in words', async () => {
  const wrong = async (input: Parameters<typeof run>[0], message: RegExp) =>
    assert.rejects(run(input), (error) => error instanceof UserError && message.test(error.message));
  await wrong({ scenario: 'comparre' }, /did you mean "compare"/);
  await wrong({ scenario: { ...scenario, subscribers: 'many' } }, /scenario:.*subscribers/);
  await wrong({ scenario, set: { 'phases.messure': '1s' } }, /--set phases\.messure="1s": .*measure/);
  await wrong({ scenario, target: { name: 'x' } }, /target:/);
  await wrong({ scenario, reference: false }, /nothing is left to run/);
  await wrong({ scenario: 7 as never }, /scenario is a name, a path or an object/);
});

test('a run that is aborted rejects with the reason, and what it started is gone', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const running = run({
    scenario,
    signal: stop.signal,
    set: { 'phases.measure': '60s' },
    onProgress: ({ kind }) => kind === 'measuring' && stop.abort(reason),
  });
  await assert.rejects(running, (error) => error === reason);
  await assert.rejects(run({ scenario, signal: stop.signal }), (error) => error === reason);
});

test('a simulation gives figures, and two of them can be compared', async () => {
  const input = { scenario: { ...scenario, subscribers: 1000 }, for: '10m' };
  const one = await simulate(input);
  assert.equal(one.figures[0]!.figures['delivered']!.value, 1000 * 20 * 600);
  assert.ok(one.result.simulated);
  const again = await simulate(input);
  assert.deepEqual(again.figures, one.figures);
  const { passed, comparison, report } = await compare({ baseline: one, candidate: [again] });
  assert.deepEqual([passed, comparison.variants[0]!.candidate], [true, 'sse']);
  assert.match(await report(), /^<!doctype html>/i);
  await assert.rejects(compare({ baseline: one, candidate: [] }), /candidate is an empty list/);
  const { simulated: _, ...measured } = one.result;
  await assert.rejects(compare({ baseline: measured, candidate: one }), /was simulated from the profile/);
  await compare({ baseline: measured, candidate: one, simulatedToo: true });
});

test('a closed loop is left out of a simulation, whose result is whole and says so', async () => {
  const closedLoop = { connections: 2, for: '1s' };
  const { result } = await simulate({ scenario: { ...scenario, closedLoop } });
  const [{ outcome }] = result.trials as [Trial];
  assert.ok(outcome.status === 'completed');
  assert.ok(outcome.simulated!.leavesOut.some((text) => /closedLoop/.test(text)));
  assert.equal(result.closedLoop, undefined);
  assert.deepEqual([result.state, result.planned!.afterwards], [{ kind: 'finished' }, []]);
});
