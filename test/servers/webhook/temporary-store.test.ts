// The store of a server that was given no file: it is on the disk, and nothing is left of it
// however the server ends.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { skipWhen } from '../../skip.ts';
import { serveOn } from './client.ts';
import { realTimers } from '../../../servers/webhook/sending/timers.ts';

test('a store without a file of the user has no name on the disk while it is in use', async (t) => {
  skipWhen(t, process.platform !== 'linux' && 'open files are read from /proc');
  const [folder, before] = [mkdtempSync(join(tmpdir(), 'pushbench-test-')), process.env['TMPDIR']];
  process.env['TMPDIR'] = folder;
  t.onTestFinished(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true });
  });
  const { publish } = await serveOn(t, realTimers, { store: 'sqlite' });
  await publish('news', '{}');
  assert.deepEqual(readdirSync(folder), []);
  const open = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the folder's own descriptor, which is closed again
    }
  });
  assert.ok(
    open.some((path) => /pushbench-webhooks-\w+\/store\.db-wal \(deleted\)$/.test(path)),
    open.join('\n'),
  );
});
