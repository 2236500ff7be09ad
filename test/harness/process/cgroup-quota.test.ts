// Puts a process into a real control group with a quota, where this machine lets one be made.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'vitest';
import { throttledBetween, type readThrottling } from '../../../harness/process/cgroup.ts';
import { skipWhen } from '../../skip.ts';

/** A new group with a quota of 30 %; undefined where none can be made. */
function realGroup(): { folder: string } | undefined {
  const name = `pushbench-test-${process.pid}`;
  const first = `/sys/fs/cgroup/cpu/${name}`;
  const second = `/sys/fs/cgroup/${name}`;
  try {
    if (existsSync('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') || existsSync('/sys/fs/cgroup/cpu/tasks')) {
      mkdirSync(first);
      writeFileSync(`${first}/cpu.cfs_quota_us`, '30000');
      return { folder: first };
    }
    mkdirSync(second);
    try {
      writeFileSync(`${second}/cpu.max`, '30000 100000');
      return { folder: second };
    } catch {
      rmdirSync(second);
      return undefined;
    }
  } catch {
    return undefined;
  }
}

test('a process in a group with a quota of 30 % reads it, and that it was stopped', (t) => {
  const group = realGroup();
  skipWhen(t, group ? undefined : 'no control group with a quota can be made here');
  const { folder } = group!;
  t.onTestFinished(() => rmdirSync(folder));
  const module = (path: string) => pathToFileURL(resolve(path)).href;
  const script = `
    const { thisMachine } = await import('${module('harness/run/machine.ts')}');
    const { hostProbe } = await import('${module('harness/process/probe.ts')}');
    const before = hostProbe.throttling();
    for (const untilMs = performance.now() + 600; performance.now() < untilMs;);
    console.log(JSON.stringify({ machine: thisMachine(), before, after: hostProbe.throttling() }));`;
  const { stdout, stderr } = spawnSync(
    'sh',
    [
      '-c',
      `echo $$ > ${folder}/cgroup.procs && exec "$0" --input-type=module -e "$1"`,
      process.execPath,
      script,
    ],
    { encoding: 'utf8' },
  );
  assert.equal(stderr, '');
  const { machine, before, after } = JSON.parse(stdout) as {
    machine: { cores: number; quotaCores: number };
    before: ReturnType<typeof readThrottling>;
    after: ReturnType<typeof readThrottling>;
  };
  assert.equal(machine.quotaCores, 0.3);
  assert.ok(machine.cores >= 1);
  const { throttledPeriods, throttledUs } = throttledBetween(before, after)!;
  assert.ok(throttledPeriods >= 1 && throttledUs > 0, JSON.stringify({ before, after }));
});
