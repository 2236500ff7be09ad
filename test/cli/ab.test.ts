// `pushbench ab` as a user meets it: mistakes, and a deliberate slowdown that turns the run red with a
// report that names the metric.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { comparisonSchema } from '../../core/comparison/comparison-result.ts';
import { resultFolders, call, startScripted, temporaryFolder, writeScenario } from './tools.ts';

test('mistakes in the arms and options are told before anything runs', async (t) => {
  const folder = temporaryFolder(t);
  writeScenario(folder, 'variants: [sse, websocket]');
  const cases: [string[], RegExp][] = [
    [['ab', 'sse', 'websockt'], /no variant "websockt"; did you mean "websocket"\?/],
    [['ab', 'sse', 'dir:nowhere'], /nowhere is not a checkout of pushbench/],
    [['ab', 'sse', 'ref:main'], /ref:main is a commit of your app in this folder\. Say how to start it/],
    [['ab', 'sse', 'ref:main', '--start', 'node x.js'], /nothing says how to speak to it.*--target FILE/],
    [['ab', 'sse', 'cmd:node x.js', '--start', 'node x.js'], /--start is for ref: and dir:/],
    [['ab', 'sse', 'sse', '--install', 'make'], /say how to start it too/],
    [['ab', 'sse', 'ref:'], /names nothing after the colon/],
    [['ab', 'sse', 'cmd:node x.js'], /nothing says how to speak to it.*--target FILE/],
    [
      ['ab', 'sse', 'sse', '--pairs', '9'],
      /--pairs 9 is too few: with 4 tests .* at least 10.*then 16 are run/,
    ],
    [['ab', 'sse', 'sse', '--pairs', '1.5'], /--pairs 1\.5 is not possible: give a whole number/],
    [['ab', 'sse', 'sse', '--budget', 'soon'], /--budget soon is not a duration/],
    [
      ['ab', 'sse', 'sse', '--budget', '10s'],
      /A pair takes about .* so 10s is enough for \d pairs? \(the first is a warm-up\)/,
    ],
    [['ab', 'sse', 'sse', '--inject-b', 'delay=5'], /write it like delay=5ms/],
    [['ab', 'target:x.yaml', 'sse', '--inject-a', 'delay=5ms'], /it is not our server/],
  ];
  for (const [args, message] of cases) {
    const end = await call([...args, '--scenario', './small.yaml'], folder);
    assert.equal(end.code, 2, `${args.join(' ')}: ${end.stdout}${end.stderr}`);
    assert.match(end.stderr.replaceAll('\n', ' '), message);
  }
  assert.deepEqual(resultFolders(folder), []);
});

test(
  'a deliberate slowdown of our server fails the run, and the report shows why',
  { timeout: 600_000 },
  async (t) => {
    const folder = temporaryFolder(t);
    // Only the median gates, so that the noise of short trials on a small machine decides nothing.
    writeScenario(
      folder,
      'variants: [sse]\ngate: { latency.p90: off, latency.p99: off, server-cpu-per-delivery: off }',
      '2500ms',
    );
    const end = await startScripted(
      [
        'ab',
        'sse',
        'sse',
        '--scenario',
        './small.yaml',
        '--pairs',
        '10',
        '--inject-a',
        'delay=300ms',
        '--inject-b',
        'delay=400ms',
        '--quiet',
      ],
      folder,
    ).ended;
    assert.equal(end.code, 5, end.stdout + end.stderr);
    const [run] = resultFolders(folder);
    assert.ok(run);
    const page = readFileSync(join(run, 'report.html'), 'utf8');
    assert.match(page, /sse with delay=400ms/);
    assert.match(
      page,
      /balanced blocks, with seed \d+; repeat it with <code>[^<]* ab sse sse --scenario \.\/small\.yaml --pairs 10 --inject-a delay=300ms --inject-b delay=400ms<\/code>/,
    );
    const comparison = comparisonSchema.parse(JSON.parse(readFileSync(join(run, 'comparison.json'), 'utf8')));
    const median = comparison.variants[0]!.metrics.find(({ metric }) => metric === 'latency.p50');
    assert.ok(median?.kind === 'ratio' && median.verdict === 'slower', JSON.stringify(median));
    // The script's 10 ms and what was injected, to three digits.
    assert.deepEqual([median.baseline, median.candidate], [310_000, 410_000]);
    assert.match(end.stdout, /Worse, sse with delay=400ms against sse with delay=300ms/);
    assert.match(page, /median latency/i);
    const again = await call(['report', run], folder);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /sse with delay=400ms/);
  },
);
