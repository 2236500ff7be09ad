// Tests the mark in the folder of a run, and what a later run makes of it. Folders are only touched when they
// carry our mark and its process is gone.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { explainKilledRuns, markFolder, markName, unmarkFolder } from '../../../harness/run/run-mark.ts';
import { fixtureResult } from '../../reports/fixture.ts';

const at = new Date('2026-03-04T05:06:07Z');

function rootFolder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'pushbench-mark-'));
  t.onTestFinished(() => rmSync(root, { recursive: true }));
  return root;
}

/** A folder with the mark of this process, or one that says otherwise. */
function marked(root: string, name: string, otherwise: Record<string, unknown> = {}): string {
  const folder = join(root, name);
  mkdirSync(folder);
  markFolder(folder, at);
  const file = join(folder, markName);
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...otherwise }));
  return folder;
}

/** The number of a process that has ended. */
async function endedPid(): Promise<number> {
  const child = spawn('true');
  await once(child, 'close');
  return child.pid!;
}

function unfinished(trials: number): Result {
  const result = fixtureResult({ measureS: 1 });
  return {
    ...result,
    trials: result.trials.slice(0, trials),
    state: { kind: 'unfinished' },
    planned: {
      trials: result.trials.map(({ variant, repetition }) => ({ variant: variant.label, repetition })),
      searches: [],
      afterwards: [],
    },
  };
}

test(
  'a folder without a finished trial is removed and said so; ' + 'one with trials is kept and told once',
  async (t) => {
    const root = rootFolder(t);
    const dead = { pid: await endedPid() };
    marked(root, 'empty', dead);
    writeFileSync(join(marked(root, 'planned', dead), 'result.json'), JSON.stringify(unfinished(0)));
    writeFileSync(join(marked(root, 'some', dead), 'result.json'), JSON.stringify(unfinished(2)));
    writeFileSync(
      join(marked(root, 'whole', dead), 'result.json'),
      JSON.stringify(fixtureResult({ measureS: 1 })),
    );
    const lines = explainKilledRuns(root).sort();
    assert.equal(lines.length, 4);
    assert.deepEqual(
      lines.map(
        (line) =>
          /was killed (before its first trial|in trial \d of \d|while its report was written)/.exec(
            line,
          )?.[1],
      ),
      ['before its first trial', 'before its first trial', 'in trial 3 of 6', 'while its report was written'],
    );
    assert.ok(lines.every((line) => line.startsWith('The run of 2026-03-04 05:06:07 UTC')));
    assert.deepEqual(readdirSync(root).sort(), ['some', 'whole']);
    assert.deepEqual(readdirSync(join(root, 'some')), ['result.json']);
    assert.deepEqual(explainKilledRuns(root), []);
  },
);

test('a number that another process has by now is no life of the run', (t) => {
  const root = rootFolder(t);
  marked(root, 'reused', { startTicks: '1' });
  assert.equal(explainKilledRuns(root).length, 1);
  assert.deepEqual(readdirSync(root), []);
});

test('what lives, is elsewhere, is not ours or not ours alone is left as it is', async (t) => {
  const root = rootFolder(t);
  const outside = rootFolder(t);
  const dead = { pid: await endedPid() };
  marked(root, 'lives');
  marked(root, 'elsewhere', { ...dead, place: 'another host' });
  mkdirSync(join(root, 'unmarked'));
  writeFileSync(join(marked(root, 'notes', dead), 'notes.txt'), 'mine');
  symlinkSync(marked(outside, 'linked', dead), join(root, 'link'));
  mkdirSync(join(root, 'linked-mark'));
  symlinkSync(join(outside, 'linked', markName), join(root, 'linked-mark', markName));
  symlinkSync('/dev/zero', join(marked(root, 'odd', dead), 'report.html'));
  const foreign = marked(root, 'foreign-mark');
  writeFileSync(join(foreign, markName), '{"format":"pushbench-run","pid":1}');
  writeFileSync(join(marked(root, 'half', dead), 'result.json'), '{"format":"pushbench-result",');
  const before = readdirSync(root, { recursive: true }).sort();
  assert.deepEqual(explainKilledRuns(root), []);
  assert.deepEqual(readdirSync(root, { recursive: true }).sort(), before);
  assert.ok(existsSync(join(outside, 'linked', markName)));
});

test('a run that ends takes its mark away, and no folder is no mistake', (t) => {
  const root = rootFolder(t);
  unmarkFolder(marked(root, 'ended'));
  assert.deepEqual(readdirSync(join(root, 'ended')), []);
  assert.deepEqual(explainKilledRuns(join(root, 'nowhere')), []);
});
