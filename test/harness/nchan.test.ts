// nginx with nchan, as targets/ describes it, on a free port: every pattern that it has, through target check and
// through a trial. Skipped where it is not installed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { metrics } from '../../core/metrics.ts';
import { processes } from '../../harness/fleet.ts';
import { checkTarget } from '../../harness/target-check.ts';
import { openTarget } from '../../harness/target-open.ts';
import { runAgainst, writeTarget } from './foreign.ts';

const nchanModule = '/usr/lib/nginx/modules/ngx_nchan_module.so';
const skip = existsSync(nchanModule) ? false : 'nginx with nchan is not installed (Debian: apt-get install nginx libnginx-mod-nchan)';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The shipped configuration and target file, with another port and files in a folder of their own. @returns the target file */
async function startNchan(t: TestContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-nchan-'));
  const port = await freePort();
  const conf = readFileSync('targets/nchan.conf', 'utf8').replaceAll('127.0.0.1:8081', `127.0.0.1:${port}`).replaceAll('/tmp/pushbench-nchan', join(folder, 'nchan'));
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  writeFileSync(join(folder, 'nginx.conf'), conf.replace('worker_processes', `${user}worker_processes`));
  const nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], { stdio: 'ignore' });
  const gone = once(nginx, 'exit');
  t.after(async () => {
    nginx.kill();
    await gone;
    rmSync(folder, { recursive: true, force: true });
  });
  for (const end = performance.now() + 10_000; ; ) {
    const socket = connect(port, '127.0.0.1');
    const up = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (up) break;
    assert.ok(performance.now() < end && nginx.exitCode === null, `nginx did not start: ${existsSync(join(folder, 'error.log')) ? readFileSync(join(folder, 'error.log'), 'utf8') : ''}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return writeTarget(t, readFileSync('targets/nchan.yaml', 'utf8').replaceAll('8081', String(port)));
}

test('target check: every pattern works', { skip }, async (t) => {
  const findings = await checkTarget(openTarget(await startNchan(t), {}), 'check', processes);
  assert.deepEqual(findings.map(({ pattern, works, message }) => (works ? pattern : `${pattern}: ${message}`)), ['polling', 'long-polling', 'http-stream', 'sse', 'websocket']);
});

test('a trial of every pattern: nothing missed, nothing twice, in order, with the CPU of the worker', { skip }, async (t) => {
  const file = await startNchan(t);
  const { trials } = await runAgainst(file, { yaml: 'variants: [{ polling: { every: 200ms } }, long-polling, http-stream, sse, { websocket: { deflate: true } }]', env: {} });
  assert.deepEqual(trials.map(({ variant }) => variant.label), ['polling every=200ms @nchan', 'long-polling @nchan', 'http-stream @nchan', 'sse @nchan', 'websocket deflate @nchan']);
  for (const { variant: { label }, outcome } of trials) {
    assert.ok(outcome.status === 'completed', `${label}: ${outcome.status === 'failed' ? outcome.message : ''}`);
    const { published, expected, delivered, missed, duplicated, reordered, corrupted, unconfirmed, unexpected } = outcome.ledger;
    assert.deepEqual(
      { published, expected, delivered, missed, duplicated, reordered, corrupted, unconfirmed, unexpected },
      { published: 160, expected: 480, delivered: 480, missed: 0, duplicated: 0, reordered: 0, corrupted: 0, unconfirmed: 0, unexpected: 0 }, label,
    );
    assert.equal(metrics['descriptors.added']!.read(outcome), 5, label);
    assert.ok(metrics['server-cpu-per-delivery']!.read(outcome)! > 0, label);
  }
});
