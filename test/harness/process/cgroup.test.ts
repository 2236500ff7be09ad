// Tests what is read of control groups: version 1, version 2 and both, nested groups, namespaces and mounts
// from above them, files that are missing.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import {
  readCgroup,
  readThrottling,
  throttledBetween,
  type CgroupLimits,
} from '../../../harness/process/cgroup.ts';

type Texts = Readonly<Record<string, string>>;
const filesOf = (texts: Texts) => ({
  read: (path: string) => (Object.hasOwn(texts, path) ? texts[path] : undefined),
});

/** A line of mountinfo as a kernel writes it, optional fields included. */
const mounted = (type: 'cgroup' | 'cgroup2', root: string, point: string, options: string) =>
  `33 31 0:29 ${root} ${point} rw,nosuid,relatime shared:9 - ${type} ${type} rw,${options}\n`;
const v2 = (group: string, root: string, more: Texts): Texts => ({
  '/proc/self/cgroup': `0::${group}\n`,
  '/proc/self/mountinfo':
    '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n' +
    mounted('cgroup2', root, '/sys/fs/cgroup', 'nsdelegate'),
  ...more,
});
const v1 = (group: string, root: string, more: Texts): Texts => ({
  '/proc/self/cgroup': `12:memory:${group}\n4:cpu,cpuacct:${group}\n1:name=systemd:/elsewhere\n`,
  '/proc/self/mountinfo':
    mounted('cgroup', root, '/sys/fs/cgroup/cpu,cpuacct', 'cpu,cpuacct') +
    mounted('cgroup', root, '/sys/fs/cgroup/memory', 'memory') +
    mounted('cgroup', '/', '/sys/fs/cgroup/systemd', 'name=systemd'),
  ...more,
});
/** Both, as a hybrid hierarchy has them: version 2 has a name for processes and no controllers. */
const hybrid = (more: Texts): Texts => ({
  '/proc/self/cgroup': '4:memory:/a/b\n3:cpuset:/\n2:cpuacct:/\n1:cpu:/a/b\n0::/\n',
  '/proc/self/mountinfo':
    '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n' +
    mounted('cgroup', '/', '/sys/fs/cgroup/cpu', 'cpu') +
    mounted('cgroup', '/', '/sys/fs/cgroup/cpuacct', 'cpuacct') +
    mounted('cgroup', '/', '/sys/fs/cgroup/memory', 'memory') +
    mounted('cgroup2', '/', '/sys/fs/cgroup/unified', ''),
  ...more,
});

const cfs = (folder: string, quota: string, period = '100000'): Texts => ({
  [`${folder}/cpu.cfs_quota_us`]: `${quota}\n`,
  [`${folder}/cpu.cfs_period_us`]: `${period}\n`,
});

describe('a quota', () => {
  const rows: [name: string, texts: Texts, cores: number | undefined, throttleFiles: string[]][] = [
    [
      'version 2, of a group in the middle',
      v2('/kubepods/pod1/c1', '/', {
        '/sys/fs/cgroup/kubepods/cpu.max': '400000 100000\n',
        '/sys/fs/cgroup/kubepods/pod1/cpu.max': '30000 100000\n',
        '/sys/fs/cgroup/kubepods/pod1/c1/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/kubepods/pod2/cpu.max': '1000 100000\n',
      }),
      0.3,
      ['/sys/fs/cgroup/kubepods/cpu.stat', '/sys/fs/cgroup/kubepods/pod1/cpu.stat'],
    ],
    [
      'version 2, in a namespace of its own',
      v2('/', '/', { '/sys/fs/cgroup/cpu.max': '75000 50000\n' }),
      1.5,
      ['/sys/fs/cgroup/cpu.stat'],
    ],
    ['version 2 without one', v2('/', '/', { '/sys/fs/cgroup/cpu.max': 'max 100000\n' }), undefined, []],
    [
      'version 2, the mount being from above the namespace',
      v2('/', '/../..', { '/sys/fs/cgroup/cpu.max': '20000 100000\n' }),
      0.2,
      ['/sys/fs/cgroup/cpu.stat'],
    ],
    [
      'version 2, moved to a group beside the namespace: what is mounted says nothing of it',
      v2('/../other', '/', { '/sys/fs/cgroup/cpu.max': '20000 100000\n' }),
      undefined,
      [],
    ],
    [
      'version 1, in a container that sees its own group alone',
      v1('/docker/abc', '/docker/abc', cfs('/sys/fs/cgroup/cpu,cpuacct', '150000')),
      1.5,
      ['/sys/fs/cgroup/cpu,cpuacct/cpu.stat'],
    ],
    [
      'version 1, a group with none below one that has',
      v1('/docker/abc', '/', {
        ...cfs('/sys/fs/cgroup/cpu,cpuacct', '-1'),
        ...cfs('/sys/fs/cgroup/cpu,cpuacct/docker', '50000', '250000'),
        ...cfs('/sys/fs/cgroup/cpu,cpuacct/docker/abc', '-1'),
      }),
      0.2,
      ['/sys/fs/cgroup/cpu,cpuacct/docker/cpu.stat'],
    ],
    [
      'version 1, a group whose folder is not to be seen: the top of the mount is',
      v1('/kubepods/x', '/', cfs('/sys/fs/cgroup/cpu,cpuacct', '40000')),
      0.4,
      ['/sys/fs/cgroup/cpu,cpuacct/cpu.stat'],
    ],
    [
      'both versions',
      hybrid({ ...cfs('/sys/fs/cgroup/cpu/a', '30000'), '/sys/fs/cgroup/unified/cgroup.procs': '1\n' }),
      0.3,
      ['/sys/fs/cgroup/cpu/a/cpu.stat'],
    ],
    [
      'a mount point with a space in it',
      {
        '/proc/self/cgroup': '0::/\n',
        '/proc/self/mountinfo': mounted('cgroup2', '/', String.raw`/my\040groups`, ''),
        '/my groups/cpu.max': '10000 100000',
      },
      0.1,
      ['/my groups/cpu.stat'],
    ],
    ['no files at all', {}, undefined, []],
    ['files with nothing in them', { '/proc/self/cgroup': '', '/proc/self/mountinfo': '' }, undefined, []],
  ];
  for (const [name, texts, cores, throttleFiles] of rows)
    test(name, () => {
      const limits = readCgroup(filesOf(texts));
      assert.deepEqual([limits.quotaCores, limits.throttleFiles], [cores, throttleFiles]);
    });

  test('is the least of the groups from the own one up, whatever else there is', () => {
    const quota = fc.option(fc.integer({ min: 1, max: 800 }), { nil: undefined }); // thousandths of 100 ms
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2),
        fc.array(fc.tuple(fc.stringMatching(/^[a-z][a-z.:-]{0,8}$/), quota), { maxLength: 6 }),
        quota,
        fc.nat(6),
        (version, path, top, mountedAt) => {
          const names = path.map(([name]) => name);
          const root = names.slice(0, Math.min(mountedAt, names.length));
          const point = version === 2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/cpu,cpuacct';
          const texts: Record<string, string> = {};
          const seen: number[] = [];
          [top, ...path.map(([, own]) => own)].forEach((own, depth) => {
            if (depth < root.length) return; // above the mount nothing can be read
            const folder = [point, ...names.slice(root.length, depth)].join('/');
            if (version === 2)
              texts[`${folder}/cpu.max`] = `${own === undefined ? 'max' : own * 100} 100000\n`;
            else Object.assign(texts, cfs(folder, String(own === undefined ? -1 : own * 100)));
            if (own !== undefined) seen.push(own);
          });
          const own = `/${names.join('/')}`;
          const place = (version === 2 ? v2 : v1)(own, `/${root.join('/')}`, texts);
          const { quotaCores, throttleFiles } = readCgroup(filesOf(place));
          assert.equal(throttleFiles.length, seen.length);
          if (seen.length === 0) assert.equal(quotaCores, undefined);
          else assert.ok(Math.abs(quotaCores! - Math.min(...seen) / 1000) < 1e-12);
        },
      ),
    );
  });

  test('whatever stands in the files, limits are numbers above 0', () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^(0::|1:cpu:|max |-1|\d+ |\/| - cgroup2 |\n){0,12}$/),
    );
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (texts) => {
        let i = 0;
        const files = {
          read: (path: string) =>
            path === '/proc/self/mountinfo'
              ? mounted('cgroup2', '/', '/c', '') + mounted('cgroup', '/', '/d', 'cpu,memory')
              : path === '/proc/self/cgroup'
                ? `0::/a\n1:cpu,memory:/b\n${texts[0]}`
                : texts[i++ % texts.length],
        };
        const { quotaCores, memory }: CgroupLimits = readCgroup(files);
        assert.ok(quotaCores === undefined || (quotaCores > 0 && quotaCores < Infinity));
        assert.ok(memory === undefined || (memory.limitBytes > 0 && memory.freeBytes >= 0));
      }),
    );
  });
});

describe('memory', () => {
  const MiB = 1024 ** 2;
  test('version 2: the least limit, and what is free without what caches give back', () => {
    const { memory } = readCgroup(
      filesOf(
        v2('/a/b', '/', {
          '/sys/fs/cgroup/a/memory.max': `${512 * MiB}\n`,
          '/sys/fs/cgroup/a/memory.current': `${500 * MiB}\n`,
          '/sys/fs/cgroup/a/memory.stat': `anon 1\ninactive_file ${400 * MiB}\n`,
          '/sys/fs/cgroup/a/b/memory.max': `${256 * MiB}\n`,
          '/sys/fs/cgroup/a/b/memory.current': `${10 * MiB}\n`,
        }),
      ),
    );
    assert.deepEqual(memory, { limitBytes: 256 * MiB, freeBytes: 246 * MiB });
  });
  test('version 1: its largest number is no limit', () => {
    const of = (limit: string) =>
      readCgroup(
        filesOf(
          v1('/a', '/', {
            '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
            '/sys/fs/cgroup/memory/a/memory.limit_in_bytes': limit,
            '/sys/fs/cgroup/memory/a/memory.usage_in_bytes': `${90 * MiB}\n`,
            '/sys/fs/cgroup/memory/a/memory.stat': `inactive_file 1\ntotal_inactive_file ${20 * MiB}\n`,
          }),
        ),
      ).memory;
    assert.equal(of('9223372036854771712\n'), undefined);
    assert.deepEqual(of(`${100 * MiB}\n`), { limitBytes: 100 * MiB, freeBytes: 30 * MiB });
  });
});

describe('how often a quota stopped the processes', () => {
  const stats = {
    '/two/cpu.stat': 'usage_usec 9\nnr_periods 40\nnr_throttled 7\nthrottled_usec 350000\n',
    '/one/cpu.stat': 'nr_periods 80\nnr_throttled 9\nthrottled_time 900000000\n',
    '/root/cpu.stat': 'usage_usec 9\n',
  };
  test('in the units of both versions; what is missing is left out', () => {
    const read = readThrottling(filesOf(stats), [
      '/two/cpu.stat',
      '/one/cpu.stat',
      '/root/cpu.stat',
      '/gone',
    ]);
    assert.deepEqual(read, [
      { file: '/two/cpu.stat', periods: 40, throttledPeriods: 7, throttledUs: 350_000 },
      { file: '/one/cpu.stat', periods: 80, throttledPeriods: 9, throttledUs: 900_000 },
    ]);
  });
  test('between two readings: of the group that was stopped longest', () => {
    const at = (file: string, periods: number, throttledPeriods: number, throttledUs: number) => ({
      file,
      periods,
      throttledPeriods,
      throttledUs,
    });
    assert.equal(throttledBetween([], []), undefined);
    assert.equal(throttledBetween([], [at('a', 9, 9, 9)]), undefined, 'it has just got one');
    assert.deepEqual(
      throttledBetween(
        [at('a', 10, 5, 1000), at('b', 10, 0, 0)],
        [at('a', 20, 6, 1100), at('b', 30, 2, 300)],
      ),
      { periods: 20, throttledPeriods: 2, throttledUs: 300 },
    );
    assert.deepEqual(throttledBetween([at('a', 10, 5, 1000)], [at('a', 1, 0, 0)]), {
      periods: 0,
      throttledPeriods: 0,
      throttledUs: 0,
    });
  });
});
