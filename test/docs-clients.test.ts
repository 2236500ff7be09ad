// Runs the client that stands on the page of each pattern against the pattern's server: it shows every event
// once and in order, those too that are published while its connection is cut.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, test, type TestContext } from 'vitest';
import { patterns, type PatternName } from '../core/pattern/registry.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { pageOf } from '../scripts/capture-wire.ts';
import { startServer, type RunningServer } from '../servers/start.ts';
import { until } from './servers/receivers.ts';

const clients = (Object.keys(patterns) as PatternName[]).filter((name) => name !== 'webhook');
const longest = 25;

/** The code of a page, which must be short. */
function codeOn(name: PatternName): string {
  const heading = name === 'webhook' ? 'A receiver' : 'A client';
  const page = readFileSync(pageOf(name), 'utf8');
  const [, section = ''] = new RegExp(`^## ${heading}\\n([\\s\\S]*?)^## `, 'm').exec(page) ?? [];
  const [, code] = /^```js\n([\s\S]*?)^```$/m.exec(section) ?? [];
  assert.ok(code, `docs/patterns/${name}.md has no block of js below "## ${heading}"`);
  assert.ok(code.trimEnd().split('\n').length <= longest, `the code on docs/patterns/${name}.md is too long`);
  return code;
}

/** What takes the place of a text of the page: it must be there. */
function replaced(code: string, texts: Readonly<Record<string, string>>): string {
  for (const [text, other] of Object.entries(texts)) {
    assert.ok(code.includes(text), `the code does not say ${text}`);
    code = code.replaceAll(text, other);
  }
  return code;
}

/** As the page says for Node. While it waits to reconnect, nothing else keeps the process going. */
const alsoNeeded: Partial<Record<PatternName, string>> = {
  sse: "import { EventSource } from 'eventsource'; setInterval(() => {}, 1000);\n",
};

/** Runs code as a module; it ends with the test. */
function run(t: TestContext, code: string): { shown: () => string[]; said: () => string } {
  const flags = ['--conditions=pushbench-source', '--input-type=module'];
  const child = spawn(process.execPath, [...flags, '--eval', code], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.onTestFinished(() => void child.kill());
  let [printed, complaints] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  return {
    shown: () => printed.split('\n').slice(0, -1),
    said: () => `shown: ${printed}; on standard error: ${complaints}`,
  };
}

async function start(t: TestContext, pattern: PatternName): Promise<RunningServer> {
  const server = await startServer({
    pattern,
    options: patterns[pattern].options.parse({}),
    limits: defaultLimits,
    seed: 1,
  });
  t.onTestFinished(() => server.close());
  return server;
}

async function publish({ endpoint }: RunningServer, headline: string): Promise<void> {
  const body = JSON.stringify({ headline });
  const { status } = await fetch(`${endpoint.publishUrl}/topics/news`, { method: 'POST', body });
  assert.equal(status, 201);
}

const line = (seq: number) => `${seq} { headline: 'event ${seq}' }`;
const lines = (count: number) => Array.from({ length: count }, (_, i) => line(i + 1));

describe('the code on the pages of patterns', { concurrent: true }, () => {
  for (const name of clients)
    test(`${name}: the client of its page misses nothing when its connection is cut`, async (t) => {
      const server = await start(t, name);
      const { host } = new URL(server.endpoint.url);
      const { shown, said } = run(
        t,
        `${alsoNeeded[name] ?? ''}${replaced(codeOn(name), { '127.0.0.1:8080': host })}`,
      );
      const untilShown = (count: number) =>
        until(`${count} events`, () => shown().length >= count, 20_000).catch((error: Error) =>
          assert.fail(`${error.message}; ${said()}`),
        );
      await until('it has connected', () => server.subscribers() > 0);
      await publish(server, 'event 1');
      await untilShown(1);
      await until('it listens again', () => server.subscribers() > 0);
      server.disconnect(1);
      for (const seq of [2, 3]) await publish(server, `event ${seq}`); // while it is away
      await untilShown(3);
      await publish(server, 'event 4');
      await untilShown(4);
      assert.deepEqual(shown(), lines(4), said());
    });

  test('webhook: the receiver of its page registers, and takes only what is signed', async (t) => {
    const server = await start(t, 'webhook');
    const port = await freePort();
    const { shown, said } = run(
      t,
      replaced(codeOn('webhook'), {
        '9000': String(port), // first, since the other port may have these digits
        '127.0.0.1:8080': new URL(server.endpoint.url).host,
        '@pushbench/receiver': 'pushbench/receiver', // the same, from the source
      }),
    );
    await until('it has registered', () => server.subscribers() > 0).catch((error: Error) =>
      assert.fail(`${error.message}; ${said()}`),
    );
    for (const seq of [1, 2]) {
      await publish(server, `event ${seq}`);
      await until(`event ${seq}`, () => shown().length >= seq);
    }
    const forged = { topic: 'news', seq: 3, body: { headline: 'event 3' } };
    const { status } = await fetch(`http://127.0.0.1:${port}/hook`, {
      method: 'POST',
      headers: { 'webhook-id': 'x-1', 'webhook-timestamp': String(Math.floor(Date.now() / 1000)) },
      body: JSON.stringify(forged),
    });
    assert.equal(status, 401);
    assert.deepEqual(shown(), lines(2), said());
  });
});

async function freePort(): Promise<number> {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const address = free.address();
  free.close();
  if (typeof address !== 'object' || address === null) throw new Error('a TCP server has an address');
  return address.port;
}
