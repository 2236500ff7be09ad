// Bursts before the warm-up phase, over the fake pattern in virtual time: who gets them, how long they go on,
// and that nothing counts them.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { completed, runFake } from '../../fake/run.ts';

const bursts = ({ happened }: { happened: { what: Readonly<Record<string, unknown>> }[] }) =>
  happened.filter(({ what }) => what['kind'] === 'burst').map(({ what }) => [what['from'], what['to']]);

test('bursts go on until 20,000 deliveries have passed, and the ledger knows none of them', async () => {
  const { result, fleet } = await runFake('variants: [{ fake: { bursts: true, latencies: [10ms] } }]');
  const { warmUp, ledger, latency } = completed(result);
  // An event goes to 100 subscribers.
  assert.deepEqual([warmUp?.events, warmUp?.deliveries, warmUp?.whole], [200, 20_000, true]);
  // Quick bursts double up to 32 events, and the last one has what is left.
  assert.deepEqual(
    bursts(fleet),
    [0, 1, 3, 7, 15, 31, 63, 95, 127, 159, 191, 200].slice(1).map((to, i, all) => [all[i - 1] ?? 0, to]),
  );
  assert.deepEqual(
    [ledger.published, ledger.expected, ledger.delivered, ledger.missed, ledger.unexpected],
    [200, 20_000, 20_000, 0, 0],
  );
  assert.equal(latency.endToEnd.count, 20_000);
});

test('every variant is sent the same, but a slow one only for two seconds', async () => {
  const { result, fleet } = await runFake('variants: [{ fake: { bursts: true, latencies: [400ms] } }]');
  const { warmUp } = completed(result);
  // One event a burst, as each takes longer than it should: at 0, 400, ..., 1,600 ms.
  assert.deepEqual(
    bursts(fleet),
    [0, 1, 2, 3, 4].map((from) => [from, from + 1]),
  );
  assert.deepEqual([warmUp?.deliveries, warmUp?.whole], [500, false]);
});

test('deliveries that are lost end a burst, and not the bursts', async () => {
  const { result } = await runFake('variants: [{ fake: { bursts: true, loseEvery: 97 } }]');
  const { warmUp } = completed(result);
  assert.ok(warmUp!.events > 5, 'each burst waits a tenth of a second for what was lost');
});

test('where nothing comes the bursts are over after a second', async () => {
  const { result, fleet } = await runFake('variants: [{ fake: { bursts: true, latencies: [5s] } }]');
  assert.deepEqual(bursts(fleet), [[0, 1]]);
  assert.equal(completed(result).ledger.expected, 20_000);
});

test('no warm-up, no bursts; none where endpoints fall short either', async () => {
  for (const [yaml, ...overrides] of [
    ['variants: [{ fake: { bursts: true } }]', 'phases.warmup=0s'],
    ['variants: [{ fake-hook: { bursts: true } }]\nendpoints: [{ does: fail, share: 1% }]'],
  ]) {
    const { result, fleet } = await runFake(yaml!, { overrides });
    assert.deepEqual(bursts(fleet), []);
    assert.equal(completed(result).warmUp, undefined);
  }
});
