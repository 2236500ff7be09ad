// Draws what idle connections take in memory, from a trial of which every figure is known.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { memoryTable } from '../../../reports/page/memory-table.ts';
import type { Completed } from '../../../core/result/result.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { completed, trialOf } from '../../core/result/trial.ts';
import { fixtureResult } from '../fixture.ts';

function drawn(trial: Completed): string {
  const result = { ...fixtureResult(), trials: [trialOf('sse', trial)] };
  return memoryTable(variantsOf([result])).markup;
}

const baseline = { availableBytes: 9e9, slabBytes: 1e6, socketBytes: 0 };
const hostMemory = {
  baseline,
  connected: { availableBytes: 9e9 - 2000 * 4096, slabBytes: 1e6 + 2000 * 2048, socketBytes: 2000 * 512 },
};

test('a thousand connections: each part of one, and the caches that grew where root has read them', () => {
  const many = { subscribers: 2000, connections: 2000 };
  const page = drawn(
    completed({
      ...many,
      hostMemory: {
        ...hostMemory,
        caches: [
          { name: 'TCP', bytes: 2000 * 1024 },
          { name: 'filp', bytes: 2000 * 256 },
        ],
      },
    }),
  );
  assert.match(page, /2,000[\s\S]*2\.5 KiB[\s\S]*4 KiB[\s\S]*TCP 1 KiB, filp 256 B/);
  assert.doesNotMatch(drawn(completed({ ...many, hostMemory })), /caches/);
});

test('nothing where there are too few, or the kernel was not read', () => {
  assert.equal(drawn(completed({ subscribers: 999, connections: 999, hostMemory })), '');
  const unread = completed({ subscribers: 2000, connections: 2000 });
  delete unread.hostMemory;
  assert.equal(drawn(unread), '');
});
