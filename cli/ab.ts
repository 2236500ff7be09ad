// `pushbench ab`: two arms in turns, the results of both, the comparison and its page.

import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { exitCodes, UserError, type ExitCode } from '../core/errors.ts';
import { parseInjection } from '../core/injection.ts';
import { pairsPlanned } from '../core/judge.ts';
import { patterns } from '../core/patterns.ts';
import { parseDurationMs } from '../core/units.ts';
import { checkAb, runAb } from '../harness/ab.ts';
import { openArm, pairedArms } from '../harness/arms.ts';
import { prepare } from '../harness/run.ts';
import { createRunFolder, removeRunFolder, writeResult, writeWhole } from '../harness/store.ts';
import { openTarget } from '../harness/target-open.ts';
import { failOnOf, outputs, type OutputFlags } from './comparison-output.ts';
import { createLiveView } from './live.ts';
import { onSignals, quoted } from './run.ts';
import { openScenario } from './scenarios.ts';

export type AbFlags = OutputFlags & {
  scenario: string; set: string[]; results: string; quiet: boolean; strict: boolean; extend: boolean;
  pairs: string; budget?: string; injectA?: string; injectB?: string; target?: string;
};

const mostPairs = 500;

/** @returns the exit code: what a comparison fails on says `comparisonExitCode` */
export async function abCommand(a: string, b: string, flags: AbFlags, invocation: string): Promise<ExitCode> {
  const failOn = failOnOf(flags.failOn);
  const write = outputs(flags);
  const pairs = pairsOf(flags.pairs);
  const budgetMs = flags.budget === undefined ? undefined : budgetOf(flags.budget);
  const { scenario, source, folder } = openScenario(flags.scenario, flags.set);
  const undo: (() => void)[] = [];
  const stop = new AbortController();
  const view = createLiveView(flags.quiet ? 'quiet' : process.stderr.isTTY ? 'live' : 'lines');
  const release = onSignals(stop, view.note);
  try {
    const arm = (text: string, inject: string | undefined) => openArm(text, scenario, {
      registry: patterns,
      injection: inject === undefined ? undefined : parseInjection(inject),
      openTarget: (file) => openTarget(file, process.env),
      targetFile: flags.target,
      cleanUp: (action) => undo.unshift(action),
      note: view.note,
    });
    const arms = pairedArms(arm(a, flags.injectA), arm(b, flags.injectB));
    const options = {
      registry: patterns, folder, source, command: commandOf(a, b, flags, invocation), observer: view, signal: stop.signal,
      targets: arms.flatMap(({ targets }) => targets), pairs, extend: flags.extend, strict: flags.strict, note: view.note,
      ...(budgetMs !== undefined && { budgetMs }),
    };
    const plan = prepare(scenario, options);
    checkAb(plan);
    const runFolder = createRunFolder(flags.results, `ab-${scenario.name}`, new Date());
    let outcome;
    try {
      outcome = await runAb(plan, arms, options);
    } catch (error) {
      removeRunFolder(runFolder);
      throw error;
    }
    view.close();
    const { baseline, candidate, comparison } = outcome;
    if (!comparison) {
      removeRunFolder(runFolder);
      console.error('Interrupted before the first pair was over; nothing was measured.');
      return exitCodes.interrupted;
    }
    for (const [name, result] of Object.entries({ baseline, candidate })) {
      mkdirSync(join(runFolder, name));
      writeResult(join(runFolder, name), result);
    }
    writeWhole(join(runFolder, 'comparison.json'), `${JSON.stringify(comparison, null, 1)}\n`);
    const behind = { baseline: [baseline], candidate: [candidate] };
    const { renderComparisonPage } = await import('../reports/comparison-page.ts');
    const page = join(runFolder, 'report.html');
    writeWhole(page, await renderComparisonPage(comparison, behind));
    const code = await write(comparison, failOn, behind);
    if (!flags.json) process.stdout.write(`\nResults: ${relative('', runFolder)}\nReport: ${relative('', page)}\n`);
    return baseline.interrupted ? exitCodes.interrupted : code;
  } finally {
    view.close();
    release();
    for (const action of undo) action();
  }
}

function pairsOf(text: string): number {
  const pairs = Number(text);
  if (Number.isInteger(pairs) && pairs >= pairsPlanned.least && pairs <= mostPairs) return pairs;
  throw new UserError('pairs', `--pairs ${text} is not possible: a whole number from ${pairsPlanned.least}, since fewer prove nothing, to ${mostPairs}.`);
}

function budgetOf(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new UserError('budget', `--budget ${text} is no duration. Write it like 10m.`);
}

function commandOf(a: string, b: string, { scenario, set, strict, extend, pairs, budget, injectA, injectB, target }: AbFlags, invocation: string): string {
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);
  return [
    invocation, 'ab', a, b, '--scenario', scenario, ...set.flatMap((one) => ['--set', one]), '--pairs', pairs,
    ...option('--budget', budget), ...option('--inject-a', injectA), ...option('--inject-b', injectB), ...option('--target', target),
    ...(strict ? ['--strict'] : []), ...(extend ? ['--extend'] : []),
  ].map(quoted).join(' ');
}
