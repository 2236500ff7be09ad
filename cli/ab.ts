// Implements `pushbench ab`: runs two arms in turns, and writes the results of both, the comparison and its
// page.

import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Comparison } from '../core/comparison/comparison-result.ts';
import { exitCodes, Interruption, UserError, type ExitCode } from '../core/base/errors.ts';
import { parseInjection } from '../core/scenario/injection.ts';
import { patterns } from '../core/pattern/registry.ts';
import { parseDurationMs } from '../core/base/units.ts';
import { checkAb, pairPlan, requirePairs, runAb, type AbOptions, type AbOutcome } from '../harness/ab/ab.ts';
import { openArm, pairedArms, refOf, type OpenedArm } from '../harness/ab/arms.ts';
import type { RunPlan } from '../harness/plan/cells.ts';
import { checkOut } from '../harness/ab/checkout.ts';
import { prepare } from '../harness/run/run.ts';
import { elsewhereLines, openRunFiles } from '../harness/run/run-files.ts';
import { explainKilledRuns, unmarkFolder } from '../harness/run/run-mark.ts';
import { createRunFolder, removeRunFolder, resultText } from '../harness/run/store.ts';
import { openTarget } from '../harness/target/open.ts';
import { packageRoot } from '../harness/run/version.ts';
import type { Behind } from '../reports/comparison/page.ts';
import { failOnOf, outputs, type OutputFlags } from './comparison-output.ts';
import { createLiveView, liveMode, type LiveView } from './live.ts';
import { endAtLimit, quoted } from './run.ts';
import { openScenario } from './scenarios.ts';
import { onSignals } from './signals.ts';

export type AbFlags = OutputFlags & {
  scenario: string;
  set: string[];
  results: string;
  quiet: boolean;
  strict: boolean;
  extend: boolean;
  pairs?: string;
  budget?: string;
  injectA?: string;
  injectB?: string;
  target?: string;
};

const mostPairs = 500;

/** @returns the exit code: what a comparison fails on says `comparisonExitCode` */
export async function abCommand(a: string, b: string, flags: AbFlags, invocation: string): Promise<ExitCode> {
  const failOn = failOnOf(flags.failOn);
  const write = outputs(flags);
  const pairs = flags.pairs === undefined ? undefined : pairsOf(flags.pairs);
  const budgetMs = flags.budget === undefined ? undefined : budgetOf(flags.budget);
  const { scenario, source, folder } = openScenario(flags.scenario, flags.set);
  checkAb(scenario);
  const view = createLiveView(liveMode(flags.quiet));
  const opened = (text: string, inject: string | undefined, checkedOut?: string) =>
    openArm(text, scenario, {
      registry: patterns,
      injection: inject === undefined ? undefined : parseInjection(inject),
      openTarget(file) {
        const target = openTarget(file, process.env);
        target.notes.forEach(view.note);
        return target;
      },
      targetFile: flags.target,
      ...(checkedOut !== undefined && { checkedOut }),
    });
  const given = [
    { text: a, inject: flags.injectA },
    { text: b, inject: flags.injectB },
  ] as const;
  // A commit has to be checked out first, and that is the first thing that leaves something behind.
  const early = given.map(({ text, inject }) =>
    refOf(text) === undefined ? opened(text, inject) : undefined,
  );
  const stop = new AbortController();
  const options = {
    registry: patterns,
    folder,
    source,
    command: commandOf(a, b, flags, invocation),
    observer: view,
    signal: stop.signal,
    targets: early.flatMap((arm) => arm?.targets ?? []),
    ...(pairs !== undefined && { pairs }),
    extend: flags.extend,
    strict: flags.strict,
    note: view.note,
    ...(budgetMs !== undefined && { budgetMs }),
  };
  // Until here a signal ends the process at once: nothing has been started, and planning may take long.
  const plan = prepare(scenario, options);
  for (const text of plan.machineNotes) view.note(`note: ${text}`);
  if (!flags.quiet) for (const line of explainKilledRuns(flags.results)) view.note(line);
  const undo: (() => void)[] = [];
  let runFolder: string | undefined;
  const undoAll = () => {
    for (const action of undo.splice(0)) action();
  };
  const release = onSignals(
    stop,
    (signal) => view.note(`${signal}: ending; what was measured before is kept.`),
    () => {
      undoAll();
      return endAtLimit(runFolder);
    },
  );
  try {
    const arms: OpenedArm[] = [];
    for (const [i, { text, inject }] of given.entries()) {
      const ref = refOf(text);
      const checkedOut =
        ref &&
        (await checkOut(ref, {
          root: fileURLToPath(packageRoot),
          cleanUp: (action) => undo.unshift(action),
          note: view.note,
          signal: stop.signal,
        }));
      arms.push(early[i] ?? opened(text, inject, checkedOut));
    }
    const [first, second] = arms as [OpenedArm, OpenedArm]; // there were two
    const pair = pairedArms(first, second);
    if (pairs !== undefined) requirePairs(pairs, pairPlan(source, pair[0].variants.length, flags));
    runFolder = createRunFolder(flags.results, `ab-${scenario.name}`, new Date());
    return await runInto(runFolder, plan, pair, options, {
      write: (comparison, behind) => write(comparison, failOn, behind),
      json: flags.json,
      stop,
      view,
    });
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
    console.error(nothingMeasured);
    return exitCodes.interrupted;
  } finally {
    view.close();
    release();
    undoAll();
  }
}

const nothingMeasured = 'Interrupted before the first pair was over; nothing was measured.';

type Into = {
  write(comparison: Comparison, behind: Behind): Promise<ExitCode>;
  json: boolean;
  stop: AbortController;
  view: LiveView;
};

/** Runs both arms, and leaves in the folder whatever was measured. */
async function runInto(
  runFolder: string,
  plan: RunPlan,
  arms: readonly [OpenedArm, OpenedArm],
  options: AbOptions,
  { write, json, stop, view }: Into,
): Promise<ExitCode> {
  const files = openRunFiles(runFolder);
  const save = ({ baseline, candidate, comparison }: Required<AbOutcome>) => {
    for (const [name, result] of Object.entries({ baseline, candidate }))
      files.write(`${name}/result.json`, resultText(result));
    files.write('comparison.json', `${JSON.stringify(comparison, null, 1)}\n`);
    const problem = files.problem();
    // Going on would measure what can be kept nowhere.
    if (problem && !stop.signal.aborted) stop.abort(problem);
  };
  let kept = false;
  let outcome: AbOutcome;
  try {
    outcome = await runAb(plan, arms, {
      ...options,
      keep: (sofar) => {
        save(sofar);
        kept ||= files.problem() === undefined;
      },
    });
  } catch (error) {
    if (!kept) removeRunFolder(runFolder);
    else unmarkFolder(runFolder);
    throw error;
  }
  view.close();
  const { baseline, candidate, comparison } = outcome;
  if (!comparison) {
    removeRunFolder(runFolder);
    console.error(nothingMeasured);
    return exitCodes.interrupted;
  }
  save({ baseline, candidate, comparison });
  const behind = { baseline: [baseline], candidate: [candidate] };
  const { renderComparisonPage } = await import('../reports/comparison/page.ts');
  const over = baseline.state.kind === 'finished' && !stop.signal.aborted ? stop.signal : undefined;
  const page = await renderComparisonPage(comparison, behind, over).catch((error: unknown) => {
    if (!over?.aborted) throw error;
    console.error(
      'Interrupted while the report was drawn. Both results are whole; ' +
        `pushbench report ${runFolder} draws it.`,
    );
    return undefined;
  });
  const pagePath = page === undefined ? undefined : files.write('report.html', page);
  unmarkFolder(runFolder);
  const code = await write(comparison, behind);
  const elsewhere = files.elsewhere();
  const at = elsewhere && 'folder' in elsewhere ? elsewhere.folder : runFolder;
  if (!json)
    process.stdout.write(
      `\nResults: ${relative('', at)}\n` +
        (pagePath === undefined ? '' : `Report: ${relative('', pagePath)}\n`),
    );
  const problem = files.problem();
  if (problem)
    throw new UserError('write', [problem.message, ...elsewhereLines(files)].join('\n'), exitCodes.failed);
  return stop.signal.reason instanceof Interruption ? exitCodes.interrupted : code;
}

function pairsOf(text: string): number {
  const pairs = Number(text);
  if (Number.isInteger(pairs) && pairs >= 1 && pairs <= mostPairs) return pairs;
  throw new UserError(
    'pairs',
    `--pairs ${text} is not possible: give a whole number up to ${mostPairs}, or leave it out.`,
  );
}

function budgetOf(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new UserError('budget', `--budget ${text} is no duration. Write it like 10m.`);
}

function commandOf(
  a: string,
  b: string,
  { scenario, set, strict, extend, pairs, budget, injectA, injectB, target }: AbFlags,
  invocation: string,
): string {
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);
  return [
    invocation,
    'ab',
    a,
    b,
    '--scenario',
    scenario,
    ...set.flatMap((one) => ['--set', one]),
    ...option('--pairs', pairs),
    ...option('--budget', budget),
    ...option('--inject-a', injectA),
    ...option('--inject-b', injectB),
    ...option('--target', target),
    ...(strict ? ['--strict'] : []),
    ...(extend ? ['--extend'] : []),
  ]
    .map(quoted)
    .join(' ');
}
