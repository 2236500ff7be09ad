// Drives the server process as the harness does: commands in, reports out, and an end that leaves nothing
// behind.

import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'vitest';
import type { ServerCommand, ServerReport } from '../../core/protocol/control.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import { rawClient, until } from './http/raw-http.ts';

type Child = {
  process: ChildProcess;
  send(command: ServerCommand): void;
  next<K extends ServerReport['kind']>(kind: K): Promise<Extract<ServerReport, { kind: K }>>;
  /** How it ended. */
  exit: Promise<{ code: number | null; signal: string | null }>;
};

function forkServer(t: TestContext): Child {
  const child = fork(new URL('../../servers/process.ts', import.meta.url), {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const reports: ServerReport[] = [];
  child.on('message', (report) => reports.push(report as ServerReport));
  const exit = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
  }));
  t.onTestFinished(() => void child.kill('SIGKILL'));
  return {
    process: child,
    send: (command) => void child.send(command),
    async next(kind) {
      type Wanted = Extract<ServerReport, { kind: typeof kind }>;
      const is = (report: ServerReport): report is Wanted => report.kind === kind;
      await until(`it reports ${kind}; it reported ${JSON.stringify(reports)}`, () => reports.some(is));
      const at = reports.findIndex(is);
      return reports.splice(at, 1)[0] as Wanted;
    },
    exit,
  };
}

function startCommand(
  pattern: keyof typeof patterns = 'long-polling',
): Extract<ServerCommand, { kind: 'start' }> {
  return {
    kind: 'start',
    pattern,
    options: patterns[pattern].options.parse({}),
    limits: defaultLimits,
    seed: 1,
  };
}

async function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const [event] = await Promise.race(
    [once(socket, 'connect').then(() => ['connect']), once(socket, 'close').then(() => ['close'])].map(
      (ended) => ended.catch(() => ['close']),
    ),
  );
  socket.destroy();
  return event === 'connect';
}

test('it listens, reports what it counts, and stops with every request answered', async (t) => {
  const { send, next, exit, process: child } = forkServer(t);
  send({ kind: 'sample' });
  const before = await next('sample');
  assert.deepEqual([before.subscribers, before.publishedEvents, before.counters.bytesIn], [0, 0, 0]);
  send(startCommand());
  const { endpoint } = await next('listening');
  assert.match(endpoint.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(endpoint.publishUrl, endpoint.url);
  send({ kind: 'collect' });

  const published = await fetch(`${endpoint.publishUrl}/topics/a`, { method: 'POST', body: '1' });
  const { id } = (await published.json()) as { id: string };
  const client = await rawClient(endpoint.url);
  client.socket.write(`GET /long-poll?topics=a&since=${id} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  const sampled = async () => {
    send({ kind: 'sample' });
    return next('sample');
  };
  let sample = await sampled();
  for (let i = 0; sample.subscribers === 0 && i < 1000; i++) sample = await sampled();
  assert.deepEqual(
    [sample.subscribers, sample.publishedEvents, sample.counters.connectionsOpened],
    [1, 1, 1],
  );
  assert.equal(sample.counters.bytesIn, client.socket.bytesWritten);
  assert.ok(
    sample.sample.cpuUs > 0 && sample.sample.rssBytes > 1e6 && sample.sample.atUs > before.sample.atUs,
  );

  send({ kind: 'stop' });
  await next('stopped');
  assert.deepEqual(await exit, { code: 0, signal: null });
  assert.match(await client.closed, new RegExp(`^HTTP/1.1 204 [^]*pushbench-cursor: ${id}`));
  assert.equal(child.connected, false);
  assert.equal(await isListening(endpoint.url), false);
});

test('a fault cuts the share of the connections', async (t) => {
  const { send, next } = forkServer(t);
  send(startCommand('polling'));
  const { endpoint } = await next('listening');
  const clients = await Promise.all([1, 2, 3, 4].map(() => rawClient(endpoint.url)));
  for (const { socket } of clients) socket.write('GET /poll?topics=a HTTP/1.1\r\nhost: localhost\r\n\r\n');
  for (const { saw } of clients) await saw(/cursor/);
  send({ kind: 'disconnect', share: 0.5, act: 3 });
  assert.equal((await next('acted')).act, 3);
  await until('two are cut off', () => clients.filter(({ socket }) => socket.closed).length === 2);
});

test('it ends at once when the harness is gone, with requests held', async (t) => {
  const { send, next, exit, process: child } = forkServer(t);
  send(startCommand());
  const { endpoint } = await next('listening');
  const { id } = (await (await fetch(`${endpoint.url}/topics/a`, { method: 'POST', body: '1' })).json()) as {
    id: string;
  };
  const client = await rawClient(endpoint.url);
  client.socket.write(`GET /long-poll?topics=a&since=${id} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  child.disconnect();
  assert.equal((await exit).signal, null);
  await client.closed;
  assert.equal(await isListening(endpoint.url), false);
});

test('Ctrl-C in the terminal is left to the harness', async (t) => {
  const { send, next, exit, process: child } = forkServer(t);
  send(startCommand());
  await next('listening');
  child.kill('SIGINT');
  send({ kind: 'sample' });
  await next('sample');
  send({ kind: 'stop' });
  assert.deepEqual(await exit, { code: 0, signal: null });
});

test('told to stop before it was started, it stops', async (t) => {
  const { send, exit } = forkServer(t);
  send({ kind: 'stop' });
  assert.deepEqual(await exit, { code: 0, signal: null });
});

for (const [what, change, code, message] of [
  [
    'a pattern that there is not',
    { pattern: 'telepathy' },
    'pattern',
    /^there is no pattern called "telepathy"; there are: polling, long-polling, /,
  ],
  [
    'options that are incomplete',
    { options: { hold: 5 } },
    'options',
    /^the options of long-polling lack batch, gzip, connection; parse them/,
  ],
  ['a command that is none', { options: undefined }, 'defect', /undefined[^]*\n +at /],
] as const) {
  test(`${what}: it says so and exits with 1`, async (t) => {
    const { send, next, exit } = forkServer(t);
    send({ ...startCommand(), ...change } as ServerCommand); // wrong on purpose
    const failed = await next('failed');
    assert.equal(failed.code, code);
    assert.match(failed.message, message);
    assert.deepEqual(await exit, { code: 1, signal: null });
  });
}

test('it lets its subscribers go when it is drained, and says when nobody is left', async (t) => {
  const { send, next, exit } = forkServer(t);
  send(startCommand('http-stream'));
  const { endpoint } = await next('listening');
  const { socket, saw, closed } = await rawClient(endpoint.url);
  socket.write('GET /stream?topics=a HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await saw(/"open"/);
  send({ kind: 'drain', windowMs: 0, limitMs: 5000, act: 3 });
  assert.equal((await next('acted')).act, 3);
  assert.match(await closed, /"comeBack":true/);
  const { act, told, left, closedAtLimit } = await next('drained');
  assert.deepEqual([act, told, left, closedAtLimit], [3, 1, 1, 0]);
  assert.equal(await isListening(endpoint.url), true);
  send({ kind: 'stop' });
  await exit;
});

test('it refuses for as long as it is told', async (t) => {
  const { send, next } = forkServer(t);
  send(startCommand('polling'));
  const { endpoint } = await next('listening');
  const poll = async () => (await fetch(`${endpoint.url}/poll?topics=a`)).status;
  send({ kind: 'refuse', mode: 'dependency-down', forMs: 300, act: 0 });
  await next('acted');
  assert.equal(await poll(), 503);
  let status = 503;
  for (const limit = performance.now() + 10_000; status === 503 && performance.now() < limit;)
    status = await poll();
  assert.equal(status, 200);
});
