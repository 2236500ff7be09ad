// Starts somebody else's system in a process of its own, and runs trials against it, for the tests of
// targets.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { resultSchema, type Result, type Trial } from '../../../core/result/result.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { prepare, run } from '../../../harness/run/run.ts';
import { openTarget } from '../../../harness/target/open.ts';
import { withTargets } from '../../../harness/target/variants.ts';

export const token = 'tok-5512-abc';

/** The Express app of docs/examples, on a free port. */
export async function startExpress(
  t: TestContext,
): Promise<{ child: ChildProcess; url: string; port: number }> {
  const child = spawn(process.execPath, [resolve('docs/examples/express-sse.mjs')], {
    env: { ...process.env, PORT: '0', FEED_TOKEN: token },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await Promise.race([
    once(child.stdout.setEncoding('utf8'), 'data'),
    once(child, 'exit'),
  ])) as [string];
  const url = line.trim();
  return { child, url, port: Number(new URL(url).port) };
}

/** A target file in a folder of its own. */
export function writeTarget(t: TestContext, yaml: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-target-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'target.yaml');
  writeFileSync(file, yaml);
  return file;
}

export type Ran = { result: Result; trials: Trial[]; trial: Trial; leftOut: string[] };

/** Runs a small scenario against a target, and nothing of ours unless asked. */
export async function runAgainst(
  file: string,
  {
    yaml = 'variants: [sse]',
    overrides = [] as string[],
    reference = false,
    env = { FEED_TOKEN: token } as Record<string, string>,
    onMeasure = () => {},
  } = {},
): Promise<Ran> {
  const base =
    'question: Does it come back?\nsubscribers: 5\ntopics: { news: { publish: 40/s }, inbox: { count: ' +
    'per-subscriber, publish: 40/s } }\nphases: { connect: 100ms, warmup: 200ms, measure: 2s, drain: 1s }\n';
  const { scenario: written, source } = parseScenario(`${base}${yaml}\n`, {
    file: 'small.yaml',
    registry: patterns,
    overrides,
  });
  const targets = [openTarget(file, env)];
  const { scenario, leftOut } = withTargets(written, patterns, targets, reference);
  let measuring = false;
  const observer = {
    trialStarted: () => void (measuring = false),
    progress({ phase, share = 0 }: { phase: string; share?: number }) {
      if (phase !== 'measure' || share < 0.4 || measuring) return;
      measuring = true;
      onMeasure();
    },
    trialEnded() {},
  };
  const options = {
    registry: patterns,
    folder: '.',
    source,
    command: 'test',
    observer,
    signal: new AbortController().signal,
    targets,
    leftOut,
  };
  const result = resultSchema.parse(await run(prepare(scenario, options), options));
  return {
    result,
    trials: result.trials,
    trial: result.trials[0]!,
    leftOut: leftOut.map(({ variant, target, reason }) => `${variant} @${target}: ${reason}`),
  };
}
