// Tests what a run knows of its place before it starts, and says of it: cores by affinity, cpuset and quota,
// memory by limit, a loopback address, a system without /proc.

import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { describe, test } from 'vitest';
import { loopbackOf } from '../../../core/base/loopback.ts';
import { coresText, memoryText } from '../../../core/result/machine-text.ts';
import { systemFiles, type SystemFiles } from '../../../harness/process/system-files.ts';
import { readEnvironment } from '../../../harness/run/environment.ts';
import { coresNeeded, machineNotes, mostNeeded } from '../../../harness/run/machine-notes.ts';
import { thisMachine } from '../../../harness/run/machine.ts';
import { noFiles } from '../../no-files.ts';

/** This system, with these texts in the place of its own. */
const withTexts = (texts: Readonly<Record<string, string>>): SystemFiles => ({
  ...systemFiles,
  read: (path) =>
    path.startsWith('/sys/fs/cgroup/') || Object.hasOwn(texts, path) ? texts[path] : systemFiles.read(path),
});
const container = (cpuMax: string, allowed = '0-1', more = {}) =>
  withTexts({
    '/proc/self/stat': '1 (node) R',
    '/proc/self/status': `Name:\tnode\nCpus_allowed:\t3\nCpus_allowed_list:\t${allowed}\n`,
    '/sys/devices/system/cpu/online': '0-7\n',
    '/proc/self/cgroup': '0::/\n',
    '/proc/self/mountinfo': '1 2 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n',
    '/sys/fs/cgroup/cpu.max': cpuMax,
    ...more,
  });

describe('cores', () => {
  const of = (cpuMax: string, allowed: string) => {
    const { cores, quotaCores } = thisMachine(container(cpuMax, allowed));
    return [cores, quotaCores];
  };
  test('by affinity and cpuset, of those that are online', () => {
    assert.deepEqual(of('max 100000', '0-3,6'), [5, undefined]);
    assert.deepEqual(of('max 100000', '6-127'), [2, undefined], 'a kernel allows what it may get one day');
  });
  test('a quota is kept where it is less', () => {
    assert.deepEqual(of('30000 100000', '0-1'), [2, 0.3]);
    assert.deepEqual(of('250000 100000', '0-1'), [2, undefined]);
  });
  test('in words', () => {
    assert.equal(coresText({ cores: 2, quotaCores: 0.3 }), '0.3 of 2 cores by quota');
    assert.equal(coresText({ cores: 1 }), '1 core');
    assert.equal(memoryText({ memoryBytes: 2 ** 31 }), '2 GiB');
    assert.equal(
      memoryText({ memoryBytes: 2 ** 31, memoryLimitBytes: 2 ** 29 }),
      '512 MiB of 2 GiB by limit',
    );
  });
});

test('memory: what is free under the limit, and the limit in the environment', () => {
  const machine = thisMachine(
    container('max 100000', '0-1', {
      '/sys/fs/cgroup/memory.max': String(64 * 1024 ** 2),
      '/sys/fs/cgroup/memory.current': String(40 * 1024 ** 2),
    }),
  );
  assert.equal(machine.freeBytes, 24 * 1024 ** 2);
  const { memoryBytes, memoryLimitBytes, quotaCores, noProc } = readEnvironment(machine);
  assert.deepEqual(
    [memoryBytes, memoryLimitBytes, quotaCores, noProc],
    [totalmem(), 64 * 1024 ** 2, undefined, undefined],
  );
});

test('without /proc nothing is invented, and the environment says so', () => {
  const machine = thisMachine(noFiles, '127.0.0.1');
  assert.ok(machine.cores >= 1);
  assert.deepEqual(
    [machine.freeBytes, machine.descriptorLimit, machine.ephemeralPorts, machine.hasProc],
    [undefined, undefined, undefined, false],
  );
  const { noProc, descriptorLimit, loopback } = readEnvironment(machine);
  assert.deepEqual([noProc, descriptorLimit, loopback], [true, null, undefined]);
});

test('the loopback address: IPv4 where there is one', () => {
  const lo = (...addresses: string[]) =>
    addresses.map((address) => ({
      address,
      family: address.includes(':') ? 'IPv6' : 'IPv4',
      internal: true,
    }));
  const eth = [{ address: '10.0.0.2', family: 'IPv4', internal: false }];
  assert.equal(loopbackOf({ lo: lo('::1', '127.0.0.1'), eth }), '127.0.0.1');
  assert.equal(loopbackOf({ eth, lo: lo('::1') }), '::1');
  assert.equal(loopbackOf({ eth }), 'none');
  assert.equal(loopbackOf({}), 'none');
  assert.equal(thisMachine(systemFiles, '::1').loopback, '::1');
  assert.equal(readEnvironment(thisMachine(systemFiles, '::1')).loopback, '::1');
});

describe('said before a run', () => {
  const quota = thisMachine(container('30000 100000'));
  const usual = thisMachine(container('max 100000'), '127.0.0.1');
  test('nothing on a usual machine', () => assert.deepEqual(machineNotes(usual, 1), []));
  test('a quota that suffices, one that does not, and a search', () => {
    assert.deepEqual(machineNotes(quota, 0.22), [
      'This container may use 0.3 of 2 cores by quota; a run of this scenario needs about 0.2.',
    ]);
    const [short] = machineNotes(quota, 0.84);
    assert.match(
      short!,
      /needs about 0\.8, so the kernel will stop it .* Raise the quota \(docker run --cpus/,
    );
    assert.doesNotMatch(short!, /close other programs/);
    assert.deepEqual(machineNotes(quota), ['This container may use 0.3 of 2 cores by quota.']);
  });
  test('what else is missing', () => {
    assert.deepEqual(machineNotes({ ...usual, loopback: '::1', hasProc: false, memoryLimitBytes: 2 ** 29 }), [
      'This container may use 512 MiB of memory.',
      'This machine has no 127.0.0.1: servers and clients use ::1.',
      "This system has no /proc: descriptors, packets on the wire and the kernel's memory for sockets are " +
        'not measured.',
    ]);
  });
  test('what a scenario needs is that of its busiest trial; of a search nobody knows', () => {
    const trial = (deliveries: number, measure = 10_000) => ({
      plan: {
        events: 100,
        deliveries,
        scenario: { phases: { connect: 0, warmup: 0, measure, drain: 0 } },
      },
    });
    const [few, many, shorter] = [trial(1000), trial(100_000), trial(1000, 10)];
    const streams = { search: [], variants: [{ pattern: 'sse' }, { pattern: 'polling' }] };
    assert.equal(mostNeeded(streams, [few, many]), coresNeeded(many.plan, true));
    assert.equal(mostNeeded(streams, [few, many, shorter]), coresNeeded(shorter.plan, true));
    assert.ok(coresNeeded(few.plan, true) < coresNeeded(many.plan, true));
    const webhooks = { search: [], variants: [...streams.variants, { pattern: 'webhook' }] };
    assert.equal(mostNeeded(webhooks, [many]), coresNeeded(many.plan, false));
    assert.ok(coresNeeded(many.plan, false) > 2 * coresNeeded(many.plan, true));
    const search = { what: 'subscribers' } as never; // any will do
    assert.equal(mostNeeded({ ...streams, search: [search] }, [few]), undefined);
  });
});
