// A run whose harness is killed (SIGKILL) looks like what it is: unfinished, in every form, refused by gates,
// and explained by the next run.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { markName } from '../../harness/run/run-mark.ts';
import { readResult } from '../../reports/read/read.ts';
import { call, resultFolders, start, temporaryFolder, writeScenario } from './tools.ts';

test(
  'killed in the second of two trials: kept, told by report, ' +
    'refused by gates with exit code 4, explained once',
  async (t) => {
    const folder = temporaryFolder(t);
    const scenario = writeScenario(folder, 'variants: [sse, websocket]\nexpect: [missed == 0]');
    const run = start(['run', scenario], folder);
    await run.saw(/\[2\/2\] websocket: measuring/);
    run.child.kill('SIGKILL');
    await run.ended;
    const [killed] = resultFolders(folder);
    const result = await readResult(killed!);
    assert.deepEqual(
      [result.state.kind, result.trials.length, result.planned?.trials.length],
      ['unfinished', 1, 2],
    );
    assert.ok(existsSync(join(killed!, markName)));

    const missing = /1 of 2 trials missing: websocket/;
    const report = await call(['report', killed!, '--format', 'markdown'], folder);
    assert.equal(report.code, 0, report.stderr);
    assert.match(report.stdout, missing);
    assert.match(report.stderr, missing);
    assert.doesNotMatch(report.stdout, /expectation held/);
    for (const args of [
      ['compare', killed!, killed!],
      ['baseline', 'save', 'main', killed!],
    ]) {
      const gate = await call(args, folder);
      assert.equal(gate.code, 4, `${args[0]}: ${gate.stdout}${gate.stderr}`);
      assert.match(gate.stderr, missing);
      assert.doesNotMatch(gate.stderr, /\n\s+at /);
    }

    const next = start(['run', scenario, '--set', 'phases.connect=1000s'], folder);
    t.onTestFinished(() => void next.child.kill('SIGKILL'));
    await next.saw(/connecting/);
    next.child.kill('SIGINT');
    assert.match(
      (await next.ended).stderr,
      /The run of .* was killed in trial 2 of 2; what was measured before is in results\/\S+ \(pushbench report results\/\S+\)/,
    );
    assert.deepEqual(
      resultFolders(folder).map((one) => existsSync(join(one, markName))),
      [false],
    );
    assert.equal((await readResult(killed!)).state.kind, 'unfinished');
  },
);

test(
  'an ab run that is killed in its second pair: both sides and the comparison say so',
  { timeout: 120_000 },
  async (t) => {
    const folder = temporaryFolder(t);
    writeScenario(folder, 'variants: [sse]', '1s');
    const run = start(
      ['ab', 'sse', 'sse', '--scenario', './small.yaml', '--pairs', '10', '--set', 'phases.warmup=0s'],
      folder,
    );
    await run.saw(/\[5\/22\].*connecting/);
    run.child.kill('SIGKILL');
    await run.ended;
    const [killed] = resultFolders(folder);
    for (const side of ['baseline', 'candidate'])
      assert.equal((await readResult(join(killed!, side))).state.kind, 'unfinished');
    const report = await call(['report', killed!], folder);
    assert.equal(report.code, 0, report.stderr);
    assert.match(
      report.stdout.replaceAll('\n', ' '),
      /Not judged, sse against sse: .*9 of 10 trials missing/,
    );
    assert.match(
      readFileSync(join(killed!, 'report.html'), 'utf8'),
      /Not judged, sse against sse: .*9 of 10 trials missing/,
    );
    const gate = await call(['compare', join(killed!, 'baseline'), join(killed!, 'candidate')], folder);
    assert.equal(gate.code, 4, gate.stderr);
  },
);
