// Runs `pushbench serve` and `open` until they are told to stop: what they print, the names that they answer
// to, a port that is taken.

import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'vitest';
import { talk } from '../servers/http/raw-http.ts';
import { start, temporaryFolder } from './tools.ts';

test('serve runs one server with a curl line for each endpoint, until it is told to stop', async (t) => {
  const server = start(['serve', 'sse', '--port', '0'], temporaryFolder(t));
  await server.saw(/Ctrl-C ends it/);
  server.child.kill('SIGINT');
  const { code, stdout } = await server.ended;
  assert.equal(code, 0);
  assert.match(stdout, /curl .*\/events/);
  assert.match(stdout, /curl .*\/topics\//);
});

test('serve and open answer to a name that was added, and to no other', async (t) => {
  for (const args of [
    ['serve', 'polling'],
    ['open', '.'],
  ]) {
    const server = start(
      [...args, '--port', '0', '--allow-host', 'bench.example', '--allow-host', 'Other.example'],
      temporaryFolder(t),
    );
    let said = '';
    server.child.stdout!.on('data', (text: string) => (said += text));
    await server.saw(/Ctrl-C ends it/);
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said)!;
    for (const [host, status] of [
      ['bench.example', 200],
      ['other.example:8080', 200],
      ['localhost', 200],
      ['evil.example', 421],
    ] as const) {
      assert.match(
        await talk(url, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
        new RegExp(`^HTTP/1\\.1 ${status} `),
        `${args.join(' ')} ${host}`,
      );
    }
    server.child.kill('SIGINT');
    assert.equal((await server.ended).code, 0);
  }
});

test('serve on a taken port says so', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  t.onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const { code, stderr } = await start(['serve', 'polling', '--port', String(port)], temporaryFolder(t))
    .ended;
  assert.equal(code, 3);
  assert.match(stderr, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is taken`));
});

test('serve webhook prints its dashboard; to other machines with the token that they need', async (t) => {
  for (const [host, dashboard] of [
    ['127.0.0.1', /\nDashboard: http:\/\/127\.0\.0\.1:\d+\/dashboard\n/],
    ['0.0.0.0', /\nDashboard: http:\/\/0\.0\.0\.0:\d+\/dashboard\?token=[\w-]{32}\n/],
  ] as const) {
    const server = start(['serve', 'webhook', '--port', '0', '--host', host], temporaryFolder(t));
    await server.saw(/Ctrl-C ends it/);
    server.child.kill('SIGINT');
    const { code, stdout } = await server.ended;
    assert.equal(code, 0);
    assert.match(stdout, dashboard);
  }
});
