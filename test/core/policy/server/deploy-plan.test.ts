// Holds the steps of a deploy to what they promise: everybody once, never fewer servers than said, each step
// behind those that it depends on.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import {
  deploySteps,
  leastDeployMs,
  type DeployAsk,
  type DeployStep,
} from '../../../../core/policy/server/deploy-plan.ts';

const drain = { windowMs: 1000, limitMs: 5000 };
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

function stepsOf(ask: DeployAsk, running: number[], idle: number[] = []): DeployStep[] {
  const steps = deploySteps(ask, running, idle);
  assert.ok(!('why' in steps));
  return steps;
}

/** Goes through the steps: who runs, who gets connections, and the fewest of both. */
function walk(steps: readonly DeployStep[], running: readonly number[]) {
  const up = new Set(running);
  const admitted = new Set(running);
  const drained = new Set<number>();
  let [leastUp, leastAdmitted, pauseMs] = [up.size, up.size, 0];
  for (const step of steps) {
    if (step.do === 'pause') {
      pauseMs += step.ms;
      continue;
    }
    for (const one of step.servers) {
      switch (step.do) {
        case 'divert':
          admitted.delete(one);
          break;
        case 'admit':
          assert.ok(up.has(one), 'what does not run gets no connections');
          admitted.add(one);
          break;
        case 'drain':
          assert.ok(up.has(one) && !admitted.has(one), 'nobody new comes to one that is drained');
          assert.deepEqual(step.plan, drain);
          drained.add(one);
          break;
        case 'stop':
          assert.ok(drained.delete(one), 'one that is stopped has let its clients go');
          up.delete(one);
          break;
        case 'start':
          assert.ok(!up.has(one));
          up.add(one);
      }
    }
    leastUp = Math.min(leastUp, up.size);
    leastAdmitted = Math.min(leastAdmitted, admitted.size);
  }
  return { up, admitted, leastUp, leastAdmitted, pauseMs };
}

describe('rolling', () => {
  test('replaces every server once, no more than so many at a time, with pauses between', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 64 }),
        fc.nat(500),
        (n, most, ms) => {
          const ask: DeployAsk = { how: 'rolling', drain, pauseMs: ms, parallel: most };
          const running = numbers(1, n);
          const steps = stepsOf(ask, running);
          const { up, admitted, leastUp, pauseMs } = walk(steps, running);
          const batches = Math.ceil(n / most);
          assert.deepEqual([up, admitted], [new Set(running), new Set(running)]);
          assert.equal(leastUp, Math.max(0, n - most));
          assert.equal(pauseMs, (batches - 1) * ms);
          const stopped = steps.flatMap((step) => (step.do === 'stop' ? step.servers : []));
          assert.deepEqual(stopped, running);
          assert.equal(leastDeployMs(ask, n), batches * drain.windowMs + pauseMs);
        },
      ),
    );
  });
});

describe('blue-green', () => {
  test('has all others up before anybody is told to go, and never fewer than before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 32 }), fc.nat(8), fc.nat(500), (n, more, ms) => {
        const ask: DeployAsk = { how: 'blue-green', drain, pauseMs: ms, parallel: 1 };
        const blue = numbers(1, n);
        const steps = stepsOf(ask, blue, numbers(n + 1, n + more));
        const { up, admitted, leastUp, leastAdmitted } = walk(steps, blue);
        const green = new Set(numbers(n + 1, n));
        assert.deepEqual([up, admitted], [green, green]);
        assert.deepEqual([leastUp, leastAdmitted], [n, n]);
        // And back again, with those that went.
        assert.deepEqual(walk(stepsOf(ask, [...green], blue), [...green]).up, new Set(blue));
      }),
    );
  });

  test('is refused where there are too few others', () => {
    const ask: DeployAsk = { how: 'blue-green', drain, pauseMs: 0, parallel: 1 };
    assert.match((deploySteps(ask, [1, 2], [3]) as { why: string }).why, /2 servers to replace, and 1/);
  });
});

test('where no server runs there is nothing to replace', () => {
  for (const how of ['rolling', 'blue-green'] as const)
    assert.deepEqual(deploySteps({ how, drain, pauseMs: 0, parallel: 1 }, [], [1]), {
      why: 'no server runs then',
    });
});
