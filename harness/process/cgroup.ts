// Reads what the control groups of this process allow it, from cgroups of version 1, version 2 or both: CPU
// quota, memory, and how often the kernel stopped it because a quota was used up. A pure function of the
// files that it is given.

import type { SystemFiles } from './system-files.ts';

type Files = Pick<SystemFiles, 'read'>;
type Version = 1 | 2;
type Mount = Readonly<{ version: Version; root: string; point: string; controllers: readonly string[] }>;
type Group = Readonly<{ version: Version; controllers: readonly string[]; path: string }>;
type Folder = Readonly<{ version: Version; path: string }>;

export type CgroupLimits = Readonly<{
  /** The least quota of the process's groups and of those above them, in cores. */
  quotaCores?: number;
  /** The least limit, and the least that is free under any of the limits. */
  memory?: Readonly<{ limitBytes: number; freeBytes: number }>;
  /** The files that count how often each group with a quota was stopped. */
  throttleFiles: readonly string[];
}>;

/** What a group with a quota counts, since it was made. */
export type ThrottleCount = Readonly<{
  file: string;
  /** Stretches of the quota (100 ms as a rule) in which the group ran. */
  periods: number;
  /** Those in which the quota was used up. */
  throttledPeriods: number;
  /** For how long it was stopped then, added up over the cores. */
  throttledUs: number;
}>;
export type Throttling = Omit<ThrottleCount, 'file'>;

/** What version 1 uses where nothing is written. */
const usualPeriodUs = 100_000;

/** A quota of any group above binds too, so all folders up to the mount are read. */
export function readCgroup(files: Files): CgroupLimits {
  const groups = groupsIn(files.read('/proc/self/cgroup') ?? '');
  const mounts = mountsIn(files.read('/proc/self/mountinfo') ?? '');
  const quotas = foldersOf('cpu', groups, mounts).flatMap((folder) => {
    const cores = quotaIn(files, folder);
    return cores === undefined ? [] : [{ cores, file: `${folder.path}/cpu.stat` }];
  });
  const memory = foldersOf('memory', groups, mounts).flatMap((folder) => memoryIn(files, folder) ?? []);
  return {
    ...(quotas.length > 0 && { quotaCores: Math.min(...quotas.map(({ cores }) => cores)) }),
    ...(memory.length > 0 && {
      memory: {
        limitBytes: Math.min(...memory.map(({ limitBytes }) => limitBytes)),
        freeBytes: Math.min(...memory.map(({ freeBytes }) => freeBytes)),
      },
    }),
    throttleFiles: quotas.map(({ file }) => file),
  };
}

/** @param throttleFiles as {@link readCgroup} found them */
export function readThrottling(files: Files, throttleFiles: readonly string[]): ThrottleCount[] {
  return throttleFiles.flatMap((file) => {
    const text = files.read(file);
    const periods = counterIn(text, 'nr_periods');
    const throttledPeriods = counterIn(text, 'nr_throttled');
    const us = counterIn(text, 'throttled_usec');
    const ns = counterIn(text, 'throttled_time');
    const throttledUs = us ?? (ns === undefined ? undefined : Math.round(ns / 1000));
    return periods === undefined || throttledPeriods === undefined || throttledUs === undefined
      ? []
      : [{ file, periods, throttledPeriods, throttledUs }];
  });
}

/**
 * What happened between two readings, in the group that was stopped for longest.
 * @returns undefined where no group has a quota
 */
export function throttledBetween(
  from: readonly ThrottleCount[],
  to: readonly ThrottleCount[],
): Throttling | undefined {
  const grown = to.flatMap((now) => {
    const before = from.find(({ file }) => file === now.file);
    return before
      ? [
          {
            periods: Math.max(0, now.periods - before.periods),
            throttledPeriods: Math.max(0, now.throttledPeriods - before.throttledPeriods),
            throttledUs: Math.max(0, now.throttledUs - before.throttledUs),
          },
        ]
      : [];
  });
  return grown.toSorted((a, b) => b.throttledUs - a.throttledUs)[0];
}

/** Lines `ID:CONTROLLERS:PATH`; version 2 is `0::PATH`. A path may have colons. */
function groupsIn(text: string): Group[] {
  return text.split('\n').flatMap((line): Group[] => {
    const [, id, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (id === undefined || controllers === undefined || path === undefined) return [];
    return id === '0' && controllers === ''
      ? [{ version: 2, controllers: [], path }]
      : [{ version: 1, controllers: controllers.split(','), path }];
  });
}

/** proc_pid_mountinfo(5): what comes before ` - ` has the root and the mount point, what follows the type. */
function mountsIn(text: string): Mount[] {
  return text.split('\n').flatMap((line): Mount[] => {
    const [before, after] = line.split(' - ');
    const [, , , root, point] = before!.split(' ');
    const [type, , options = ''] = after?.split(' ') ?? [];
    if (root === undefined || point === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return [];
    return [
      {
        version: type === 'cgroup2' ? 2 : 1,
        root: unescaped(root),
        point: unescaped(point),
        controllers: options.split(','),
      },
    ];
  });
}

/** The kernel writes spaces and the like as three octal digits. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The folders of the groups that this process is in, from the top of each mount down to its own. */
function foldersOf(controller: string, groups: readonly Group[], mounts: readonly Mount[]): Folder[] {
  const found = new Map<string, Folder>();
  for (const group of groups) {
    if (group.version === 1 && !group.controllers.includes(controller)) continue;
    for (const { version, root, point, controllers } of mounts) {
      if (version !== group.version || (version === 1 && !controllers.includes(controller))) continue;
      const below = pathBelow(root, group.path);
      if (!below) continue;
      for (let depth = 0; depth <= below.length; depth++) {
        const path = [point.replace(/\/$/, ''), ...below.slice(0, depth)].join('/');
        found.set(path, { version, path });
      }
    }
  }
  return [...found.values()];
}

/**
 * The way from the top of a mount to a group. Both are written as seen from this process's cgroup namespace,
 * so they may lead out of it (`/../..`).
 * @returns undefined where the group is not below that mount
 */
function pathBelow(root: string, group: string): string[] | undefined {
  const [from, to] = [segments(root), segments(group)];
  if (from.every((segment, i) => to[i] === segment)) {
    const below = to.slice(from.length);
    return below.includes('..') ? undefined : below;
  }
  // A mount from above the namespace: what lies between has no name here, but its top binds.
  const isUp = (segment: string) => segment === '..';
  return from.every(isUp) && to.filter(isUp).length < from.length ? [] : undefined;
}

function segments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '' && segment !== '.');
}

/** Cores; undefined where the group has no quota of its own. */
function quotaIn(files: Files, { version, path }: Folder): number | undefined {
  const [quota, period] =
    version === 2
      ? (files.read(`${path}/cpu.max`) ?? '').trim().split(/\s+/)
      : [files.read(`${path}/cpu.cfs_quota_us`), files.read(`${path}/cpu.cfs_period_us`)];
  const quotaUs = Number(quota); // "max" is not a number, and version 1 writes -1
  const periodUs = Number(period ?? usualPeriodUs);
  const cores = quotaUs / periodUs;
  return quotaUs > 0 && periodUs > 0 && cores > 0 && Number.isFinite(cores) ? cores : undefined;
}

function memoryIn(files: Files, { version, path }: Folder): CgroupLimits['memory'] {
  const [limitName, usedName, cacheName] =
    version === 2
      ? ['memory.max', 'memory.current', 'inactive_file']
      : ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file'];
  const limitBytes = Number(files.read(`${path}/${limitName}`));
  // Version 1 writes the largest number of pages for "no limit", and an empty file reads as 0.
  if (!(limitBytes > 0) || limitBytes > Number.MAX_SAFE_INTEGER) return undefined;
  const usedBytes = Number(files.read(`${path}/${usedName}`));
  // What files take is given back when a process needs it.
  const cacheBytes = counterIn(files.read(`${path}/memory.stat`), cacheName!) ?? 0;
  const freeBytes = limitBytes - Math.max(0, (usedBytes || 0) - cacheBytes);
  return { limitBytes, freeBytes: Math.max(0, freeBytes) };
}

/** A value of a file of lines `NAME VALUE`. */
function counterIn(text: string | undefined, name: string): number | undefined {
  const line = text?.split('\n').find((one) => one.startsWith(`${name} `));
  const value = Number(line?.slice(name.length + 1));
  return line === undefined || !Number.isFinite(value) || value < 0 ? undefined : value;
}
