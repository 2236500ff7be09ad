// Reads the memory of the host from texts as Linux writes them, and from this machine.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { hostMemoryBetween, kernelBytes } from '../../../core/result/host-memory.ts';
import { readHostMemory } from '../../../harness/process/host-memory.ts';
import { hostProbe } from '../../../harness/process/probe.ts';
import { skipWhen } from '../../skip.ts';

const meminfo = `MemTotal:       24683620 kB
MemFree:        23470580 kB
MemAvailable:   24079188 kB
KReclaimable:     146176 kB
Slab:             176556 kB
SReclaimable:     146176 kB
`;
/** Objects in use and in all, their size, objects and pages of a slab; then slabs in use and in all. */
const slabinfo = (tcpSlabs: number) => `slabinfo - version: 2.1
# name <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables and so on
TCP                   20     26   2432   13    8 : tunables  0  0  0 : slabdata  2  ${tcpSlabs}      0
filp                 800    960    256   16    1 : tunables    0    0    0 : slabdata     60     60      0
kmalloc-rnd-01-8k      4      4   8192    4    8 : tunables    0    0    0 : slabdata      1      1      0
`;
const filesOf = (texts: Record<string, string>) => ({ read: (path: string) => texts[path] });

test('available memory, objects of the kernel, and each cache in whole pages', () => {
  const reading = readHostMemory(filesOf({ '/proc/meminfo': meminfo, '/proc/slabinfo': slabinfo(2) }), 4096);
  assert.ok(reading);
  const { caches, ...rest } = reading;
  assert.deepEqual(rest, {
    availableBytes: 24_079_188 * 1024,
    slabBytes: 176_556 * 1024,
    socketBytes: 4096,
  });
  assert.deepEqual(Object.fromEntries(caches!), {
    TCP: 2 * 8 * 4096,
    filp: 60 * 4096,
    'kmalloc-rnd-01-8k': 8 * 4096,
  });
});

test('without root there are no caches; without /proc or its figures there is nothing', () => {
  const reading = readHostMemory(filesOf({ '/proc/meminfo': meminfo }), 0);
  assert.deepEqual(Object.keys(reading!), ['availableBytes', 'slabBytes', 'socketBytes']);
  assert.equal(readHostMemory(filesOf({}), 0), undefined);
  assert.equal(readHostMemory(filesOf({ '/proc/meminfo': 'MemTotal: 1 kB\n' }), 0), undefined);
  assert.equal(readHostMemory(filesOf({ '/proc/meminfo': meminfo }), undefined), undefined);
});

test('what lies between two readings: both ends, and the caches that grew by more than a hundredth', () => {
  const at = (slabBytes: number, socketBytes: number, caches: Record<string, number>) => ({
    availableBytes: 1e9 - slabBytes,
    slabBytes,
    socketBytes,
    caches: new Map(Object.entries(caches)),
  });
  const memory = hostMemoryBetween(
    at(1000, 100, { TCP: 10, filp: 500, dentry: 50, shrinks: 90 }),
    at(11_000, 300, { TCP: 6010, filp: 3500, dentry: 140, shrinks: 0, 'is-new': 900 }),
  );
  assert.equal(kernelBytes(memory!), 10_200);
  assert.deepEqual(memory!.caches, [
    { name: 'TCP', bytes: 6000 },
    { name: 'filp', bytes: 3000 },
    { name: 'is-new', bytes: 900 },
  ]);
  assert.deepEqual(memory!.baseline, { availableBytes: 1e9 - 1000, slabBytes: 1000, socketBytes: 100 });
  assert.equal(hostMemoryBetween(undefined, at(1, 1, {})), undefined);
});

test('this machine has them', (t) => {
  skipWhen(t, !hostProbe.hasProc() && 'this system has no /proc');
  const { availableBytes, slabBytes } = hostProbe.hostMemory()!;
  assert.ok(availableBytes > 2 ** 20 && slabBytes > 2 ** 20);
});
