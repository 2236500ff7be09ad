// One pair of trials on real processes: two versions of a user's server, each started by its command. What
// pairs prove is ab.test.ts and the tests of the command line, on scripted processes.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { metrics } from '../../../core/metrics/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { openArm, pairedArms } from '../../../harness/ab/arms.ts';
import { allVoid } from '../../../core/result/voids.ts';
import { runAb, type AbOptions } from '../../../harness/ab/ab.ts';
import { prepare } from '../../../harness/run/run.ts';
import { openTarget } from '../../../harness/target/open.ts';
import { holdingApp } from '../../fake/holding-app.ts';

const yaml = `question: Does it get slower?
subscribers: 5
topics: { news: { publish: 20/s } }
phases: { connect: 100ms, warmup: 200ms, measure: 1s, drain: 3s }
variants: [sse]
`;

test('each side of a pair is measured on what its own command starts', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-test-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const address = free.address();
  const port = typeof address === 'object' && address !== null ? address.port : assert.fail();
  free.close();
  writeFileSync(join(folder, 'old.mjs'), holdingApp(port, 0));
  writeFileSync(join(folder, 'new.mjs'), holdingApp(port, 700));
  const targetFile = join(folder, 'app.yaml');
  writeFileSync(
    targetFile,
    `name: app\nurl: http://127.0.0.1:${port}\npublish: /feed/{topic}\nsubscribe: { sse: '/feed/{topic}' }\n`,
  );
  const { scenario, source } = parseScenario(yaml, { file: 'ab', registry: patterns, overrides: [] });
  const open = (name: string) =>
    openArm(`cmd:'${process.execPath}' '${join(folder, name)}'`, scenario, {
      registry: patterns,
      injection: undefined,
      openTarget: (file) => openTarget(file, process.env),
      targetFile,
    });
  const options: AbOptions = {
    registry: patterns,
    folder,
    source,
    command: 'test',
    observer: { trialStarted() {}, progress() {}, trialEnded() {} },
    signal: new AbortController().signal,
    targets: [],
    pairs: 1,
    extend: false,
    strict: false,
    note() {},
  };
  const { baseline, candidate, comparison } = await runAb(
    prepare(scenario, options),
    pairedArms(open('old.mjs'), open('new.mjs')),
    options,
  );
  const [old, slower] = [baseline, candidate].map(({ trials }) => {
    assert.equal(trials.length, 1);
    const { outcome } = trials[0]!;
    assert.ok(outcome.status === 'completed', JSON.stringify(outcome));
    assert.deepEqual([outcome.ledger.expected, outcome.ledger.missed], [100, 0]);
    return metrics['latency.p50']!.read(outcome)!;
  }) as [number, number];
  // What the command holds back is the least that each of its deliveries takes.
  assert.ok(slower >= 690_000, `${slower} µs`);
  assert.ok(old > 0);
  // Which trials count is up to the machine. A pair alone is compared as two runs, each counted by itself.
  const standing = [baseline, candidate].filter(({ trials }) => {
    const { outcome } = trials[0]!;
    return outcome.status === 'completed' && !allVoid(outcome);
  });
  assert.equal(comparison?.variants[0]?.counted, standing.length);
});
