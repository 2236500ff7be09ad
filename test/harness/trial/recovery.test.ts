// Runs whole trials with real processes in which subscribers are cut off and leave: what the result says of
// them adds up, and agrees with what both sides counted.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { absenceCauses, type Absences } from '../../../core/result/recovery.ts';
import { resultSchema, type Completed } from '../../../core/result/result.ts';
import { figureOf } from '../../../core/metrics/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { prepare, run } from '../../../harness/run/run.ts';

async function runReal(yaml: string): Promise<Completed[]> {
  const base =
    'question: Does everybody come back?\nsubscribers: 20\ntopics: { news: { publish: 40/s } }\n' +
    'reconnect: { base: 50ms, cap: 100ms }\n';
  const { scenario, source } = parseScenario(base + yaml, {
    file: 'small.yaml',
    registry: patterns,
    overrides: [],
  });
  const options = {
    registry: patterns,
    folder: '.',
    source,
    command: 'test',
    observer: { trialStarted() {}, progress() {}, trialEnded() {} },
    signal: new AbortController().signal,
  };
  const { trials } = resultSchema.parse(await run(prepare(scenario, options), options));
  return trials.map(({ outcome }) => {
    if (outcome.status !== 'completed') throw new Error(outcome.message);
    return outcome;
  });
}

function addsUp({ recovery, ledger }: Completed): void {
  for (const cause of absenceCauses) {
    const group = recovery?.[cause];
    if (!group) continue;
    const { absences, recovered, tooLate, fresh, neverBack, connected, caughtUp } = group;
    assert.equal(absences, recovered + tooLate + fresh + neverBack, cause);
    assert.equal(connected.count, absences - neverBack, cause);
    assert.equal(caughtUp.count, recovered, cause);
    assert.ok(caughtUp.maxUs >= 0 && connected.maxUs <= group.longestUs, cause);
  }
  assert.ok((recovery?.missedAway ?? 0) <= ledger.missed);
}

const all = (of: Absences | undefined) => [of?.absences, of?.recovered, of?.neverBack];

test('everybody is cut off, some leave, and all are resumed', async () => {
  const [sse, websocket, polling] = (await runReal(
    'phases: { connect: 100ms, warmup: 100ms, measure: 3s, drain: 5s }\n' +
      'variants: [sse, websocket, polling: { every: 100ms }]\n' +
      'faults: [{ at: 300ms, disconnect: 100% }, { at: 1800ms, leave: 50%, for: 400ms }]\n',
  )) as [Completed, Completed, Completed];
  for (const trial of [sse, websocket, polling]) {
    addsUp(trial);
    assert.deepEqual([trial.ledger.missed, trial.recovery!.missedAway], [0, 0]);
    assert.deepEqual(all(trial.recovery!.left), [10, 10, 0]);
    assert.ok(trial.recovery!.left!.connected.minUs >= 399_000);
    assert.equal(trial.recovery!.policy, 'full-jitter (base 50 ms, cap 100 ms)');
    assert.ok(trial.ledger.resumed > 0);
  }
  for (const { recovery, counters } of [sse, websocket]) {
    assert.deepEqual(all(recovery!.cut), [20, 20, 0]);
    assert.equal(recovery!.subscribers, 20);
    assert.equal(counters.client.reconnects, 30);
    const { tried, opened, refused, peakPerS } = recovery!.connects;
    assert.deepEqual([tried, opened, refused], [30, 30, 0]);
    assert.ok(peakPerS >= 10 && peakPerS <= 30, String(peakPerS));
  }
  // A poller whose connection was cut between two polls was not away: the next poll opens another.
  assert.ok((polling.recovery!.cut?.absences ?? 0) <= 20);
  assert.ok(polling.recovery!.connects.opened >= 20);
  assert.equal(figureOf('recovered-share', sse).value, 1);
});

test('with next to no history all come too late, and what they lost is of the time away', async () => {
  const trials = await runReal(
    'phases: { connect: 100ms, warmup: 100ms, measure: 1500ms, drain: 500ms }\nserver: { history: 8 }\n' +
      'variants: [sse, polling: { every: 50ms }]\nfaults: [{ at: 400ms, leave: 100%, for: 500ms }]\n',
  );
  trials.forEach((trial, i) => {
    addsUp(trial);
    const { left, missedAway } = trial.recovery!;
    assert.deepEqual([left!.absences, left!.tooLate], [20, 20]);
    assert.ok(missedAway > 0);
    // A poll that comes late may lose events without having been away.
    if (i === 0) assert.equal(missedAway, trial.ledger.missed);
    assert.equal(figureOf('missed.while-connected', trial).value, trial.ledger.missed - missedAway);
    assert.equal(figureOf('recovered-share', trial).value, 0);
  });
});
