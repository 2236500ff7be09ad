// Runs the whole pipe on a system without /proc: what it cannot give is no figure, with that reason, and all
// else is measured.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { figureOf } from '../../../core/metrics/registry.ts';
import { resultSchema } from '../../../core/result/result.ts';
import { createProbe } from '../../../harness/process/probe.ts';
import { findProcess, processesWith } from '../../../harness/process/process-tree.ts';
import { thisMachine } from '../../../harness/run/machine.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { fakeFleet } from '../../fake/fleet.ts';
import { completed, runFake } from '../../fake/run.ts';
import { noFiles } from '../../no-files.ts';

const reason = 'this system has no /proc';

async function withoutProc(yaml: string) {
  const fleet = { ...fakeFleet(), probe: createProbe(noFiles) };
  const { result } = await runFake(yaml, { fleet, machine: thisMachine(noFiles, '127.0.0.1') });
  return result;
}

test('what /proc gives is no figure, and says why; the rest stands', async () => {
  const result = await withoutProc('variants: [fake]');
  assert.deepEqual(resultSchema.parse(JSON.parse(JSON.stringify(result))).environment.noProc, true);
  const trial = completed(result);
  assert.equal(trial.valid, true);
  for (const name of ['descriptors.peak', 'descriptors-per-subscriber', 'descriptors.share-of-limit'])
    assert.deepEqual(figureOf(name, trial), { value: undefined, why: reason }, name);
  for (const name of ['latency.p50', 'delivered', 'requests-per-delivery', 'server-cpu', 'client-cpu'])
    assert.notEqual(figureOf(name, trial).value, undefined, name);
  const warnings = result.trials.flatMap((one) => one.warnings);
  const said = warnings.find(({ code }) => code === 'no-proc');
  assert.equal(said?.level, 'note');
  assert.match(
    said.message,
    /^this system has no \/proc: descriptors, packets on the wire, and .* each process reads its own CPU/,
  );
});

test('an expectation on such a figure is not judged, with the reason, and the page says it', async () => {
  const result = await withoutProc('variants: [fake]\nexpect: [descriptors.peak < 1000, missed == 0]');
  const [descriptors, missed] = result.expectations;
  assert.deepEqual([descriptors!.verdict, descriptors!.why], ['not-judged', reason]);
  assert.equal(missed!.verdict, 'held');
  const page = await renderHtml([result], { interactive: false });
  assert.ok(page.includes('which has no /proc'), 'the environment');
  assert.ok(page.includes(`no figure: ${reason}`), 'the expectation');
});

test('a system without /proc has no marked processes to end, and no process of a target to read', () => {
  assert.throws(() => findProcess({ port: 80 }, () => '', noFiles), {
    code: 'target-process',
    message: /this system has no \/proc\. Leave "process" out/,
  });
  assert.deepEqual(processesWith('PUSHBENCH_NOBODY=sets-this'), []);
});
