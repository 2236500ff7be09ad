// Holds where ports of servers are looked for that may go and come back: outside of those that the system
// gives to connections.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { loopback } from '../../../core/base/loopback.ts';
import { findPort } from '../../../harness/cluster/ports.ts';

const rangeOf = (text: string) => ({
  read: (path: string) => (path.endsWith('ip_local_port_range') ? text : undefined),
});

test('a port lies outside of the range that connections take theirs from, on either side of it', async () => {
  const wide = rangeOf('10300\t65500\n');
  const found = await Promise.all(Array.from({ length: 40 }, () => findPort(wide)));
  for (const port of found) assert.ok(port < 10_300 || port > 65_500, `${port}`);
  assert.ok(found.some((port) => port < 10_300));
});

test('one that somebody listens on is not given', async () => {
  // Two ports are outside of the range, and one of them is taken.
  const server = createServer();
  const taken = await findPort();
  await new Promise<void>((resolve) => server.listen(taken, loopback(), resolve));
  const around = rangeOf(`10240 ${taken - 1}`);
  for (let i = 0; i < 20; i++) assert.notEqual(await findPort(around), taken);
  await new Promise((resolve) => server.close(resolve));
});

test('none is given twice, as the process that got it may not listen on it yet', async () => {
  // So many of 26,000 ports, drawn at random, nearly always have a pair among them.
  const found = await Promise.all(Array.from({ length: 500 }, () => findPort()));
  assert.equal(new Set(found).size, found.length);
});

test('none that another run on this machine was given, though nobody listens there yet', async () => {
  // One port alone is outside of the range.
  const range = '10241 65535';
  const mine = await findPort(rangeOf(range));
  const source = new URL('../../../harness/cluster/ports.ts', import.meta.url).href;
  const text = `
    const { findPort } = await import(${JSON.stringify(source)});
    console.log(await findPort({ read: () => '${range}' }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', text]);
  assert.ok(Number(stdout) > 0, stdout);
  assert.notEqual(Number(stdout), 10_240, `this run has ${mine}`);
});

test('where all are given to connections the system chooses', async () => {
  assert.ok((await findPort(rangeOf('1024 65535'))) > 0);
});
