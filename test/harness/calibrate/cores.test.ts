// Tests which cores the roles get, and that processes are kept to them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { coresFrom, coresHere } from '../../../harness/calibrate/cores.ts';
import { readKernel } from '../../../harness/calibrate/kernel.ts';
import { processesOn } from '../../../harness/trial/fleet.ts';
import { skipWhen } from '../../skip.ts';

test('of two cores the server has one, of more everybody', () => {
  assert.deepEqual(coresFrom([0, 1], true), { pinned: { server: '0', load: '1', publisher: '1' } });
  assert.deepEqual(coresFrom([2, 3, 6, 7], true), {
    pinned: { server: '2', load: '6,7', publisher: '3' },
  });
});

test('where nothing can be kept apart, it says why', () => {
  const one = coresFrom([0], true);
  assert.ok(one.pinned === null && /one core for all/.test(one.why));
  const without = coresFrom([0, 1], false);
  assert.ok(without.pinned === null && /taskset is not installed.*apt-get install/.test(without.why));
  assert.equal(coresFrom(undefined, true).pinned, null);
});

test('a process runs on the cores that its role has, and nowhere else', async (t) => {
  const { pinned } = coresHere();
  skipWhen(t, pinned === null && 'no taskset here, or a single core');
  const fleet = processesOn(pinned!);
  const peers = { server: fleet.server(), load: fleet.load(0), publisher: fleet.publisher() };
  try {
    for (const [role, peer] of Object.entries(peers)) {
      // It may not have become the process that it is yet.
      let allowed: string | undefined;
      for (let i = 0; i < 400 && allowed !== pinned![role as keyof typeof peers]; i++) {
        await new Promise((resolve) => setTimeout(resolve, 25));
        const status = readFileSync(`/proc/${peer.pid}/status`, 'utf8');
        allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1]?.replace('-', ',');
      }
      assert.equal(allowed, pinned![role as keyof typeof peers], role);
    }
  } finally {
    await Promise.all(Object.values(peers).map((peer) => peer.stop(2000)));
  }
});

test('values of the kernel are read where there are any', () => {
  const files: Record<string, string> = {
    '/proc/sys/net/core/somaxconn': '4096\n',
    '/proc/sys/net/ipv4/tcp_syn_retries': '6\n',
  };
  assert.deepEqual(readKernel({ read: (path) => files[path] }), {
    somaxconn: 4096,
    tcpSynRetries: 6,
    tcpSynLinearTimeouts: null,
  });
});
