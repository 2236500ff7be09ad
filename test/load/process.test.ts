// A load process as the harness sees it: commands in, reports out, an end in every case.

import assert from 'node:assert/strict';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test, type TestContext, vi } from 'vitest';
import { nowUs } from '../../core/base/clock.ts';
import type { LoadCommand, LoadReport } from '../../core/protocol/control.ts';
import { encodeEnvelope } from '../../core/event/envelope.ts';
import { newCounters } from '../../core/result/counters.ts';
import { fromSparse } from '../../core/result/histogram.ts';
import { sampleTimesUs } from '../../core/protocol/window.ts';
import { startSubscribers } from '../../load/ramp.ts';
import { loads } from '../../load/registry.ts';
import { skipWhen } from '../skip.ts';
import { chunk, rawServer, until } from './context.ts';

const entry = fileURLToPath(new URL('../../load/process.ts', import.meta.url));
type Report<K extends LoadReport['kind']> = Extract<LoadReport, { kind: K }>;

function load(t: TestContext, child: ChildProcess = fork(entry, { serialization: 'advanced' })) {
  const reports: LoadReport[] = [];
  child.on('message', (report) => void reports.push(report as LoadReport));
  const exited = once(child, 'exit');
  t.onTestFinished(() => void child.kill('SIGKILL'));
  return {
    child,
    reports,
    exited,
    send: (command: LoadCommand) => void child.send(command),
    async next<K extends LoadReport['kind']>(kind: K): Promise<Report<K>> {
      await until(() => reports.some((report) => report.kind === kind), `the report "${kind}"`);
      return reports.splice(
        reports.findIndex((report) => report.kind === kind),
        1,
      )[0] as Report<K>;
    },
    all: <K extends LoadReport['kind']>(kind: K) =>
      reports.filter((report) => report.kind === kind) as Report<K>[],
  };
}

const topics = [{ name: 'news', count: 1, follow: 1, first: 0 }];
const start = (
  url: string,
  more: Partial<Extract<LoadCommand, { kind: 'start' }>> = {},
): Extract<LoadCommand, { kind: 'start' }> => ({
  kind: 'start',
  pattern: 'sse',
  options: {},
  endpoint: { url, over: 'h1', publishUrl: url },
  first: 0,
  count: 10,
  topics,
  subscribers: 10,
  connectMs: 50,
  reconnect: { base: 10, cap: 50 },
  seed: 1,
  fanoutEvery: 1,
  ...more,
});

/** A fan-out server; `publish` sends the next event of the topic to all. */
async function sseServer(t: TestContext) {
  const sockets = new Set<Socket>();
  let seq = 0;
  const url = await rawServer(t, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
  });
  return {
    url,
    sockets,
    publish(plannedUs = nowUs()) {
      seq++;
      const json = encodeEnvelope({
        id: `abc-${seq}`,
        topic: 'news',
        seq,
        plannedUs,
        sentUs: plannedUs,
        acceptedUs: plannedUs,
        body: '{}',
      });
      for (const socket of sockets) socket.write(chunk(`id: abc-${seq}\ndata: ${json}\n\n`));
    },
  };
}

test(
  'a trial from the baseline to the end: every delivery ' + 'is accounted for, and nothing stays',
  async (t) => {
    const server = await sseServer(t);
    const { send, next, all, reports, exited } = load(t);
    send({ kind: 'collect' });
    send({ kind: 'sample' });
    const baseline = await next('sample');
    assert.deepEqual([baseline.connected, baseline.delivered, baseline.latency], [0, 0, []]);

    send(start(server.url));
    const { connectMs } = await next('ready');
    assert.ok(connectMs >= 40, 'the ramp took its time');
    assert.equal(server.sockets.size, 10);

    const fromUs = nowUs() + 200_000;
    const window = { warmupFromUs: fromUs - 100_000, fromUs, toUs: fromUs + 1_500_000, slotUs: 500_000 };
    send({ kind: 'window', window });
    server.publish(fromUs - 1); // the warm-up's
    await until(() => nowUs() >= fromUs);
    for (let i = 0; i < 20; i++) {
      server.publish();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const due = sampleTimesUs(window);
    await until(() => all('sample').length === due.length);
    const samples = all('sample');
    samples.forEach(({ sample }, i) => assert.ok(sample.atUs >= due[i]!, `sample ${i} was not early`));
    assert.ok(due.includes(window.fromUs) && due.at(-1) === window.toUs);
    assert.equal(samples.at(-1)!.delivered, 200);
    assert.equal(
      samples
        .flatMap(({ latency }) => latency)
        .reduce((sum, { histogram }) => sum + fromSparse(histogram).count, 0),
      200,
    );
    assert.ok(samples.every(({ connected }) => connected === 10));

    send({ kind: 'close', firstSeq: Int32Array.of(2), lastSeq: Int32Array.of(21) });
    const { ledger, counters, fanout, acceptToReceipt, problems } = await next('closed');
    assert.deepEqual([ledger.expected, ledger.delivered, ledger.missed, ledger.unexpected], [200, 200, 0, 0]);
    assert.equal(fromSparse(acceptToReceipt).count, 200);
    assert.deepEqual(
      fanout.map(({ seq, latenciesUs }) => [seq, latenciesUs.length]),
      Array.from({ length: 20 }, (_, i) => [i + 2, 10]),
    );
    assert.deepEqual(
      [counters.handshakes, counters.events, counters.connectionsOpened, counters.connectionsClosed],
      [10, 210, 10, 10],
    );
    assert.deepEqual(problems, []);
    await until(() => server.sockets.size === 0);

    reports.length = 0;
    send({ kind: 'stop' });
    assert.deepEqual(await exited, [0, null]);
    assert.deepEqual(reports, [{ kind: 'stopped' }]);
  },
);

test('connections refused during the ramp are tried again', async (t) => {
  const { send, next } = load(t);
  const reserved = createServer();
  await new Promise<void>((resolve) => reserved.listen(0, '127.0.0.1', resolve));
  const { port } = reserved.address() as AddressInfo;
  await new Promise((resolve) => reserved.close(resolve));
  send(start(`http://127.0.0.1:${port}`, { connectMs: 0 }));
  for (;;) {
    send({ kind: 'sample' });
    if ((await next('sample')).counters.errors > 20) break;
  }
  const late = createServer((socket) => {
    t.onTestFinished(() => void socket.destroy());
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n');
  });
  late.listen(port, '127.0.0.1');
  t.onTestFinished(() => void late.close());
  await next('ready');
  send({ kind: 'close', firstSeq: Int32Array.of(1), lastSeq: Int32Array.of(0) });
  const { problems } = await next('closed');
  assert.equal(problems[0]!.code, 'ECONNREFUSED');
});

test('a process whose harness is gone exits at once', async (t) => {
  const server = await sseServer(t);
  const { child, send, next, exited } = load(t);
  send(start(server.url));
  await next('ready');
  child.disconnect();
  assert.deepEqual(await exited, [0, null]);
});

test('a pattern that does not exist, and a close before the start, are failures with a reason', async (t) => {
  const first = load(t);
  first.send(start('http://127.0.0.1:1', { pattern: 'pigeon' }));
  const failed = await first.next('failed');
  assert.equal(failed.code, 'unknown-pattern');
  assert.equal(
    failed.message,
    'there is no load side for the pattern "pigeon"; there is polling, ' +
      'long-polling, http-stream, sse, websocket, webhook',
  );
  assert.deepEqual(await first.exited, [1, null]);

  const second = load(t);
  second.send({ kind: 'close', firstSeq: Int32Array.of(), lastSeq: Int32Array.of() });
  const { code, message } = await second.next('failed');
  assert.deepEqual(
    [code, message],
    ['not-started', 'the load process was told to close before it was started'],
  );
});

test('a defect ends the process with its stack', async (t) => {
  const { send, next, exited } = load(t);
  send(start('this is no URL'));
  const { code, message } = await next('failed');
  assert.equal(code, 'defect');
  assert.match(message, /Invalid URL[^]*\n +at /);
  assert.deepEqual(await exited, [1, null]);
});

test('subscribers that cannot be brought up in time are a failure that names the first cause', async (t) => {
  const reserved = createServer();
  await new Promise<void>((resolve) => reserved.listen(0, '127.0.0.1', resolve));
  const { port } = reserved.address() as AddressInfo;
  await new Promise((resolve) => reserved.close(resolve));

  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  t.onTestFinished(() => void vi.useRealTimers());
  const { running, recorder, allReady } = await startSubscribers(
    start(`http://127.0.0.1:${port}`, { count: 3, connectMs: 0 }),
    newCounters(),
  );
  while (recorder.problems().length === 0) await new Promise(setImmediate);
  vi.advanceTimersByTime(30_000);
  await assert.rejects(allReady, (error: Error & { code: string }) => {
    assert.equal(error.code, 'not-connected');
    assert.match(
      error.message,
      /^3 of 3 subscribers were not subscribed 30 s after the start; the first error, \d+ times: connect ECONNREFUSED 127\.0\.0\.1:\d+ \(nothing listens there: /,
    );
    return true;
  });
  vi.useRealTimers();
  await running.close(0);
});

test('a process that runs out of descriptors says so and goes on with those it has', async (t) => {
  skipWhen(t, process.platform === 'win32' && 'descriptors have no such limit there');
  const server = await sseServer(t);
  const child = spawn('sh', ['-c', 'ulimit -n 64 && exec "$0" "$1"', process.execPath, entry], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const { send, next } = load(t, child);
  send(start(server.url, { count: 100, connectMs: 0 }));
  await until(() => server.sockets.size > 20);
  await new Promise((resolve) => setTimeout(resolve, 100));
  send({ kind: 'close', firstSeq: Int32Array.of(1), lastSeq: Int32Array.of(0) });
  const { problems, counters } = await next('closed');
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['EMFILE'],
  );
  assert.equal(counters.connectionsOpened, counters.connectionsClosed);
});

test('the registry lists every pattern that has a file, and each loads', async () => {
  const files = readdirSync(new URL('../../load/', import.meta.url));
  for (const [name, load] of Object.entries(loads)) {
    assert.ok(files.includes(`${name}.ts`), `load/${name}.ts`);
    assert.equal(typeof (await load()).start, 'function');
  }
});
