// Runs `pushbench serve` and `open` until they are told to stop: what they print, the names that they answer
// to, a port that is taken.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, fetch } from 'undici';
import { test } from 'vitest';
import { patterns } from '../../core/pattern/registry.ts';
import { testCertificate } from '../../servers/http/test-certificate.ts';
import { talk } from '../servers/http/raw-http.ts';
import { start, temporaryFolder } from './tools.ts';

/** What a line that works prints sooner or later. */
const works =
  /"it works"|"cursor":"|"seq":\d|HTTP\/1\.1 304 |HTTP\/1\.1 426 |: open\n|"id":"ep_|"deliveries":\[|1\.1 204 |Signatures are checked|permessage-deflate/;

const served = [
  ...Object.keys(patterns).map((pattern) => [pattern]),
  ['websocket', '--tls'],
  ['sse', '--set', 'over=h2c'],
  ['sse', '--set', 'gzip=true'],
  ['polling', '--set', 'gzip=true'],
  ['websocket', '--set', 'deflate=true'],
  ['webhook', '--set', 'scheme=stripe'],
  ['webhook', '--set', 'scheme=standard-ed25519'],
];
for (const [pattern = '', ...flags] of served) {
  const asked = [pattern, ...flags].join(' ');
  test(`serve ${asked}: its page first, and every line that it prints works as it stands`, async (t) => {
    const folder = temporaryFolder(t);
    const server = start(['serve', pattern, '--port', '0', ...flags], folder);
    let said = '';
    server.child.stdout!.on('data', (text: string) => (said += text));
    await server.saw(/Ctrl-C ends it/);
    const found = /^(Page|Dashboard): (https?:\/\/127\.0\.0\.1:\d+\/)/.exec(said);
    // No browser speaks HTTP/2 in clear text.
    assert.equal(found === null, flags.includes('over=h2c'), said);
    const [, page, url] = found ?? [];
    const tls = flags.includes('--tls');
    if (url !== undefined) {
      assert.equal(url.startsWith('https:'), tls);
      const dispatcher = new Agent({ connect: { ca: testCertificate } });
      t.onTestFinished(() => dispatcher.destroy());
      const shown = await fetch(url, { headers: { accept: 'text/html' }, dispatcher });
      assert.match(await shown.text(), /^<!doctype html>/);
    }
    const [, publishUrl] = /'(http:[^']*)\/topics\/news'/.exec(said)!;
    const commands = [...said.matchAll(/^# .*\n(.*)$/gm)].map(([, line]) => line!);
    assert.ok(commands.length >= 3, said);
    assert.equal(commands[0]!.startsWith('pushbench follow '), page === 'Page' && !tls, said);
    const own = `#!/bin/sh\nexec '${process.execPath}' '${resolve('cli/main.ts')}' "$@"\n`;
    writeFileSync(join(folder, 'pushbench'), own, { mode: 0o755 });
    for (const command of commands) {
      // In a group of its own, which is ended as a whole.
      // Nothing listens on port 1; on port 9000 somebody may.
      const child = spawn(
        '/bin/sh',
        ['-c', command.replaceAll(':9000/', ':1/').replace('--port 9000', '--port 0')],
        {
          env: { ...process.env, PATH: `${folder}:${process.env['PATH']}` },
          detached: true,
        },
      );
      let [printed, exit] = ['', undefined as number | null | undefined];
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('latin1').on('data', (text: string) => (printed += text));
      child.once('close', (code) => (exit = code));
      t.onTestFinished(() => void (exit === undefined && process.kill(-child.pid!, 'SIGKILL')));
      const limit = performance.now() + 30_000;
      while (!works.test(printed) && exit === undefined && performance.now() < limit) {
        await fetch(`${publishUrl}/topics/news`, { method: 'POST', body: '{"headline":"it works"}' });
        await sleep(200);
      }
      assert.match(printed, works, `${command}: ${printed}`);
      assert.ok(exit === undefined || exit === 0, `${command} ended with ${exit}: ${printed}`);
      assert.doesNotMatch(printed, /"error":"(?!upgrade-required)/, command);
      if (exit === undefined) process.kill(-child.pid!, 'SIGINT');
    }
    server.child.kill('SIGINT');
    assert.equal((await server.ended).code, 0);
  });
}

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
    ['127.0.0.1', /^Dashboard: http:\/\/127\.0\.0\.1:\d+\/dashboard\n/],
    ['0.0.0.0', /^Dashboard: http:\/\/0\.0\.0\.0:\d+\/dashboard\?token=[\w-]{32}\n/],
  ] as const) {
    const server = start(['serve', 'webhook', '--port', '0', '--host', host], temporaryFolder(t));
    await server.saw(/Ctrl-C ends it/);
    server.child.kill('SIGINT');
    const { code, stdout } = await server.ended;
    assert.equal(code, 0);
    assert.match(stdout, dashboard);
  }
});
