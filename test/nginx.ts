// nginx for a test, in a folder of its own and on a free port, gone when the test is over.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Resolves with its port when it listens.
 * @param confOf its configuration, in the foreground, with all files in the folder
 */
export async function startNginx(
  t: TestContext,
  confOf: (port: number, folder: string) => string,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-nginx-'));
  const port = await freePort();
  writeFileSync(join(folder, 'nginx.conf'), confOf(port, folder));
  const nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], {
    stdio: 'ignore',
  });
  const gone = once(nginx, 'exit');
  t.onTestFinished(async () => {
    nginx.kill();
    await gone;
    rmSync(folder, { recursive: true, force: true });
  });
  for (const end = performance.now() + 10_000; ;) {
    const socket = connect(port, '127.0.0.1');
    const up = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (up) return port;
    assert.ok(
      performance.now() < end && nginx.exitCode === null,
      'nginx did not start: ' +
        `${existsSync(join(folder, 'error.log')) ? readFileSync(join(folder, 'error.log'), 'utf8') : ''}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
