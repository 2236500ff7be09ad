// Tests the order of trials: balanced, seeded, and no arm favoured.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { balancedBlocks } from '../../../harness/plan/order.ts';

test('two arms alternate, and the seed draws which begins', () => {
  const starts = new Set<number>();
  for (let seed = 0; seed < 20; seed++) {
    const blocks = balancedBlocks(2, 6, seed);
    starts.add(blocks[0]![0]!);
    for (const [i, block] of blocks.entries())
      assert.deepEqual(block, i % 2 === 0 ? blocks[0] : blocks[0]!.toReversed());
  }
  assert.deepEqual([...starts].sort(), [0, 1]);
});

test('the same seed gives the same order', () => {
  assert.deepEqual(balancedBlocks(5, 9, 3), balancedBlocks(5, 9, 3));
  assert.notDeepEqual(balancedBlocks(5, 9, 3), balancedBlocks(5, 9, 4));
});

test('over a whole design each arm stands in each place, and behind each other arm, as often', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(1e6), (arms, seed) => {
      const rows = arms % 2 === 0 || arms === 1 ? arms : 2 * arms;
      const blocks = balancedBlocks(arms, rows, seed);
      const places = new Map<string, number>();
      const followers = new Map<string, number>();
      const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
      for (const block of blocks) {
        assert.deepEqual(
          block.toSorted((a, b) => a - b),
          Array.from({ length: arms }, (_, i) => i),
        );
        block.forEach((arm, place) => {
          add(places, `${arm} at ${place}`);
          if (place > 0) add(followers, `${block[place - 1]} then ${arm}`);
        });
      }
      assert.equal(places.size, arms * arms);
      assert.equal(followers.size, arms * (arms - 1));
      assert.deepEqual([...new Set(places.values())], [rows / arms]);
      if (arms > 1) assert.deepEqual([...new Set(followers.values())], [rows / arms]);
    }),
  );
});
