// Holds that what earlier versions wrote is still read, drawn and compared. The files in results/ were
// written by runs of those versions and are never made again; results/version-2 by the last one before trials
// had faults in them as they happened, and processes an index.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { readBaseline } from '../../../core/comparison/baseline.ts';
import { compare } from '../../../core/comparison/compare-runs.ts';
import { runSetOf } from '../../../core/comparison/run-set.ts';
import type { Result } from '../../../core/result/result.ts';
import { documentsOf } from '../../../reports/export/formats.ts';
import { parseComparison, readComparison, readResult } from '../../../reports/read/read.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { renderComparison } from '../../../reports/comparison/terminal.ts';
import { renderComparisonPage } from '../../../reports/comparison/page.ts';

const pathOf = (name: string) => fileURLToPath(new URL(`results/${name}`, import.meta.url));
const formats = ['html', 'card', 'markdown', 'junit', 'csv', 'hlog', 'hgrm', 'json'] as const;

const results = {
  'version-1.json': ['sse', 'websocket'],
  'version-2/plain.json': ['sse', 'polling every=200ms'],
  'version-2/faults.json': ['sse'],
  'version-2/ab/baseline/result.json': Array.from({ length: 10 }, () => 'polling'),
};

/** What was not counted then. */
const later = {
  authChecks: 0,
  authRefused: 0,
  brokerGaps: 0,
  compressed: 0,
  tlsHandshakes: 0,
  tlsResumed: 0,
};

function counting(trial: Result['trials'][number]): Result['trials'][number] {
  const { outcome } = trial;
  if (outcome.status !== 'completed') return trial;
  const { server, client, serverMeasured, clientMeasured } = outcome.counters;
  const counters = {
    server: { ...server, ...later },
    client: { ...client, ...later },
    serverMeasured: { ...serverMeasured, ...later },
    clientMeasured: { ...clientMeasured, ...later },
  };
  return { ...trial, outcome: { ...outcome, counters } };
}

for (const [name, labels] of Object.entries(results)) {
  test(`${name} is read, with every figure, and drawn in every form`, async () => {
    const result = await readResult(pathOf(name));
    assert.deepEqual(
      result.trials.map(({ variant }) => variant.label),
      labels,
    );
    const written = JSON.parse(readFileSync(pathOf(name), 'utf8')) as Result;
    const trials = JSON.parse(JSON.stringify(result.trials)) as Result['trials'];
    assert.deepEqual(trials, written.trials.map(counting), 'nothing is added or lost but counters at 0');
    for (const format of formats) {
      const documents = await documentsOf(format, [result], { interactive: false });
      const all = documents.map(({ part, text }) => `${part}\n${text}`).join('\n');
      assert.ok(all.includes(labels[0]!), format);
    }
    assert.match(renderTable([result], { columns: 200, color: false }), new RegExp(labels[0]!));
  });
}

test('a result that does not know when its faults happened is drawn without them', async () => {
  const result = await readResult(pathOf('version-2/faults.json'));
  assert.match(result.scenario.source, /disconnect: 50%/);
  const [page] = await documentsOf('html', [result], { interactive: false });
  assert.doesNotMatch(page!.text, /<h2>Faults/);
});

test('the sides of an ab, its comparison and a baseline of that time come to the same verdicts', async () => {
  const [baseline, candidate] = await Promise.all(
    ['baseline', 'candidate'].map((side) => readResult(pathOf(`version-2/ab/${side}/result.json`))),
  );
  const stored = await readComparison(pathOf('version-2/ab/comparison.json'));
  const labels: [string, string][] = [['polling', 'polling every=800ms']];
  const createdAt = new Date(stored.createdAt);
  const again = compare(runSetOf('polling', [baseline!]), runSetOf('polling every=800ms', [candidate!]), {
    createdAt,
    labels,
  });
  // Its trials were too short for any latency: what was left out then is not judged now.
  const [variant] = again.variants;
  const latencies = variant!.metrics.filter(({ metric }) => /^latency\.p(50|90|99)$/.test(metric));
  assert.deepEqual([variant!.verdict, stored.verdict], ['not-judged', 'inconclusive']);
  assert.ok(latencies.every((one) => one.kind === 'absent' && one.verdict === 'not-judged'));
  const others = (one: typeof stored) =>
    one.variants.map(({ metrics }) =>
      metrics.flatMap(({ metric, verdict }) =>
        latencies.some((latency) => latency.metric === metric) ? [] : [[metric, verdict]],
      ),
    );
  assert.deepEqual(others(again), others(stored));
  const behind = { baseline: [baseline!], candidate: [candidate!] };
  assert.match(await renderComparisonPage(stored, behind), /polling every=800ms/);
  assert.match(renderComparison(stored, { columns: 120, color: false }), /undecided[\s\S]* 95 % interval/);

  const { runs } = readBaseline(readFileSync(pathOf('version-2/baseline.json'), 'utf8'), 'baseline.json');
  const checked = compare(runs, runSetOf('now', [candidate!]), { createdAt, labels });
  assert.equal(checked.variants[0]!.given, 10);
  assert.equal(checked.verdict, 'not-judged');
  // Of an earlier version's words, those that are others today are read as such.
  const spoilt = readFileSync(pathOf('version-2/ab/comparison.json'), 'utf8').replace(
    /"verdict": "inconclusive"\s*\}\s*$/,
    '"verdict": "invalid"}',
  );
  assert.equal(parseComparison(spoilt, 'comparison.json').verdict, 'not-judged');
});
