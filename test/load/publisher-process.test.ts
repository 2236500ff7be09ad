// The publisher as a process: what it is told, what it reports, and how it ends.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'vitest';
import { nowUs } from '../../core/base/clock.ts';
import type { PublisherCommand, PublisherReport, Window } from '../../core/protocol/control.ts';
import type { PublishPlan } from '../../core/plan/publish-plan.ts';
import { planTopics } from '../../core/scenario/topics.ts';
import { sampleTimesUs } from '../../core/protocol/window.ts';

const topics = planTopics({
  subscribers: 1,
  topics: { news: { publish: { kind: 'constant', perS: 1 }, count: 1, follow: 1 } },
});
const planOf = (offsetsMs: number[]): PublishPlan => ({
  offsetUs: Float64Array.from(offsetsMs, (ms) => ms * 1000),
  topic: new Uint32Array(offsetsMs.length),
  body: new Int32Array(offsetsMs.length).fill(-100),
  corpus: [],
});

async function startServer() {
  let published = 0;
  const server = createServer(async (request, response) => {
    await request.toArray();
    response.writeHead(201).end(`{"id":"e-${++published}","seq":${published}}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    published: () => published,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function startProcess() {
  const child = fork(new URL('../../load/publisher-process.ts', import.meta.url), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const reports: PublisherReport[] = [];
  const waiting = new Set<() => void>();
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  child.on('message', (report) => {
    reports.push(report as PublisherReport);
    for (const check of waiting) check();
  });
  type Of<K> = Extract<PublisherReport, { kind: K }>;
  return {
    child,
    reports,
    ended,
    send: (command: PublisherCommand) => void child.send(command),
    /** The report of that kind, once it has come. */
    next: <K extends PublisherReport['kind']>(kind: K) =>
      new Promise<Of<K>>((resolve, reject) => {
        const check = () => {
          const found = reports.find((report) => report.kind === kind);
          if (found) resolve(found as Of<K>);
          else if (child.exitCode !== null)
            reject(new Error(`ended with ${child.exitCode} before "${kind}"`));
        };
        waiting.add(check);
        child.on('exit', check);
        check();
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('the publisher process', () => {
  test('publishes between start and stop, samples at each slot boundary, and ends with 0', async () => {
    await using server = await startServer();
    await using publisher = startProcess();
    publisher.send({ kind: 'sample' });
    const idle = await publisher.next('sample');
    assert.deepEqual([idle.sent, idle.confirmed], [0, 0]);
    assert.ok(idle.sample.rssBytes > 0 && idle.sample.cpuUs > 0);
    publisher.reports.length = 0;

    publisher.send({
      kind: 'start',
      publishUrl: server.url,
      topics,
      plan: planOf([0, 100, 200, 300, 450]),
      seed: 1,
    });
    await publisher.next('ready');
    const warmupFromUs = nowUs() + 50_000;
    const window: Window = {
      warmupFromUs,
      fromUs: warmupFromUs + 200_000,
      toUs: warmupFromUs + 600_000,
      slotUs: 150_000,
    };
    publisher.send({ kind: 'window', window });
    const done = await publisher.next('done');
    assert.deepEqual([...done.seq], [1, 2, 3, 4, 5]);
    assert.equal(done.lag.count, 3);
    assert.equal(done.roundTrip.count, 3);
    assert.deepEqual(done.problems, []);

    const times = sampleTimesUs(window);
    const samples = () => publisher.reports.filter((report) => report.kind === 'sample');
    for (
      const fromMs = performance.now();
      samples().length < times.length && performance.now() - fromMs < 5000;
    )
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(samples().length, times.length);
    for (const [i, { sample }] of samples().entries()) {
      const lateUs = sample.atUs - times[i]!;
      assert.ok(lateUs >= 0 && lateUs < 2_000_000, `sample ${i} was ${lateUs} us late`);
    }
    assert.deepEqual([samples().at(-1)!.sent, samples().at(-1)!.confirmed], [5, 5]);

    publisher.send({ kind: 'stop' });
    await publisher.next('stopped');
    assert.deepEqual(await publisher.ended, [0, null]);
    assert.equal(server.published(), 5);
  });

  test('stops in the middle of its plan', async () => {
    await using server = await startServer();
    await using publisher = startProcess();
    publisher.send({ kind: 'start', publishUrl: server.url, topics, plan: planOf([0, 60_000]), seed: 1 });
    await publisher.next('ready');
    const fromUs = nowUs();
    publisher.send({
      kind: 'window',
      window: { warmupFromUs: fromUs, fromUs, toUs: fromUs + 100_000_000, slotUs: 1_000_000 },
    });
    await publisher.next('sample');
    publisher.send({ kind: 'stop' });
    assert.deepEqual(await publisher.ended, [0, null]);
    assert.equal(publisher.reports.at(-1)!.kind, 'stopped');
  });

  test('ends when its parent has gone, with all of its work left to do', async () => {
    await using server = await startServer();
    await using publisher = startProcess();
    publisher.send({ kind: 'start', publishUrl: server.url, topics, plan: planOf([60_000]), seed: 1 });
    await publisher.next('ready');
    const fromUs = nowUs();
    publisher.send({
      kind: 'window',
      window: { warmupFromUs: fromUs, fromUs, toUs: fromUs + 100_000_000, slotUs: 1_000_000 },
    });
    publisher.child.disconnect();
    assert.deepEqual(await publisher.ended, [0, null]);
  });

  test('leaves Ctrl-C to its parent', async () => {
    await using server = await startServer();
    await using publisher = startProcess();
    publisher.send({ kind: 'start', publishUrl: server.url, topics, plan: planOf([0]), seed: 1 });
    await publisher.next('ready');
    publisher.child.kill('SIGINT');
    publisher.send({ kind: 'stop' });
    assert.deepEqual(await publisher.ended, [0, null]);
  });

  test('says why it cannot go on, and ends with 1', async () => {
    const server = await startServer();
    await server[Symbol.asyncDispose]();
    await using publisher = startProcess();
    publisher.send({ kind: 'start', publishUrl: server.url, topics, plan: planOf([0]), seed: 1 });
    const failed = await publisher.next('failed');
    assert.equal(failed.code, 'publisher-unreachable');
    assert.match(failed.message, /^cannot connect to http:\/\/127\.0\.0\.1:\d+ to publish: /);
    assert.deepEqual(await publisher.ended, [1, null]);
  });

  test('says so too when it was told something out of order, or that makes no sense', async () => {
    const window: Window = { warmupFromUs: 0, fromUs: 0, toUs: 1, slotUs: 1 };
    for (const [command, message] of [
      [{ kind: 'window', window }, 'the window came before the start'],
      [{ kind: 'start', publishUrl: 'nowhere', topics, plan: planOf([0]), seed: 1 }, 'Invalid URL'],
    ] as const) {
      await using publisher = startProcess();
      publisher.send(command);
      const failed = await publisher.next('failed');
      assert.equal(failed.code, 'defect');
      assert.match(failed.message, new RegExp(`${message}\\n +at `));
      assert.deepEqual(await publisher.ended, [1, null]);
    }
  });
});
