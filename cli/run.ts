// Implements `pushbench run`: runs one scenario, writes its result and its report, and gives its verdict.

import { relative } from 'node:path';
import { exitCodes, Interruption, UserError, type ExitCode } from '../core/base/errors.ts';
import { parseInjection } from '../core/scenario/injection.ts';
import { patterns } from '../core/pattern/registry.ts';
import { withFigures } from '../core/metrics/trial-figures.ts';
import { runVerdict } from '../core/scenario/run-verdict.ts';
import { printable, printableJson } from '../core/base/printable.ts';
import type { Result } from '../core/result/result.ts';
import type { RunPlan } from '../harness/plan/cells.ts';
import type { PlannedTrial } from '../harness/plan/plan.ts';
import { processes } from '../harness/trial/fleet.ts';
import { prepare, run, type RunOptions } from '../harness/run/run.ts';
import { elsewhereLines, openRunFiles, type RunFiles } from '../harness/run/run-files.ts';
import { explainKilledRuns, unmarkFolder } from '../harness/run/run-mark.ts';
import {
  createRunFolder,
  removeRunFolder,
  requireWritable,
  resultText,
  writeWhole,
} from '../harness/run/store.ts';
import { openTarget } from '../harness/target/open.ts';
import { withTargets } from '../harness/target/variants.ts';
import { renderJunit } from '../reports/export/junit.ts';
import { renderMarkdown } from '../reports/text/markdown.ts';
import { createLiveView, liveMode, type LiveView } from './live.ts';
import { gatherWorkers, type Crew, type WorkerFlags } from './run-workers.ts';
import { quoted } from '../core/base/quoted.ts';
import { openScenario } from '../api/scenarios.ts';
import { onSignals } from './signals.ts';
import { terminalOf } from './terminal.ts';

export type RunFlags = WorkerFlags & {
  set: string[];
  results: string;
  json: boolean;
  quiet: boolean;
  interactive: boolean;
  target: string[];
  reference: boolean;
  inject?: string;
  junit?: string;
  markdown?: string;
};

/** @returns the exit code */
export async function runCommand(
  name: string,
  options: RunFlags & { invocation: string },
): Promise<ExitCode> {
  const { scenario: written, source, folder } = openScenario(name, options.set);
  if (!options.reference && options.target.length === 0)
    throw new UserError(
      'no-target',
      'With --no-reference nothing is left to run: name a target too, with --target FILE.',
    );
  const targets = options.target.map((file) => openTarget(file, process.env));
  const { scenario, leftOut } = withTargets(written, patterns, targets, options.reference);
  if (options.inject !== undefined && !options.reference)
    throw new UserError(
      'inject',
      '--inject alters our own servers, and with --no-reference none of them runs. Leave one of the two out.',
    );
  const fleet =
    options.inject === undefined ? processes : { ...processes, injection: parseInjection(options.inject) };
  const crew = await gatherWorkers(options, scenario, targets);
  const command = [
    options.invocation,
    'run',
    name,
    ...options.set.flatMap((set) => ['--set', set]),
    ...options.target.flatMap((file) => ['--target', file]),
    ...(options.reference ? [] : ['--no-reference']),
    ...(options.inject === undefined ? [] : ['--inject', options.inject]),
    ...crew.args,
  ]
    .map(quoted)
    .join(' ');
  const stop = new AbortController();
  const view = createLiveView(liveMode(options.quiet));
  const runOptions = {
    registry: patterns,
    folder,
    source,
    command,
    observer: view,
    signal: stop.signal,
    targets,
    leftOut,
    fleet,
    ...(crew.at && { workers: crew.at }),
  };
  for (const text of targets.flatMap(({ notes }) => notes)) view.note(text);
  for (const { target, variant, reason } of leftOut) view.note(`left out: ${variant} @${target}: ${reason}`);
  try {
    // Until here a signal ends the process at once: nothing has been started, and planning may take long.
    const plan = prepare(scenario, runOptions);
    for (const text of [...plan.machineNotes, ...scheduleNotes(plan)]) view.note(`note: ${text}`);
    for (const file of [options.junit, options.markdown]) if (file !== undefined) requireWritable(file);
    // With --quiet nobody would read it, so it is left for a later run.
    if (!options.quiet) for (const line of explainKilledRuns(options.results)) view.note(line);
    return await runAtLast(plan, runOptions, crew, { ...options, stop, view });
  } finally {
    view.close();
    await crew.close();
  }
}

/** Takes signals, has the workers join, and runs. */
async function runAtLast(
  plan: RunPlan,
  runOptions: RunOptions,
  crew: Crew,
  into: Into & Pick<RunFlags, 'results'>,
): Promise<ExitCode> {
  const { stop, view, results } = into;
  let runFolder: string | undefined;
  const release = onSignals(
    stop,
    (signal) => view.note(`${signal}: ending; what was measured before is kept.`),
    () => endAtLimit(runFolder),
  );
  try {
    const workers = await crew.join(stop.signal, view.note);
    const fleet = { ...(runOptions.fleet ?? processes), ...workers };
    runFolder = createRunFolder(results, plan.scenario.name, new Date());
    return await runInto(runFolder, (save) => run(plan, { ...runOptions, fleet, save }), into);
  } catch (error) {
    if (runFolder !== undefined || !stop.signal.aborted) throw error;
    console.error('Interrupted before the first trial was over; nothing was measured.');
    return exitCodes.interrupted;
  } finally {
    release();
  }
}

/** What to know of the schedules before they run, each thing once. */
export function scheduleNotes({ steps, notes }: RunPlan<PlannedTrial>): string[] {
  const all = [notes, ...steps.map(({ plan }) => plan.notes)].flat();
  return [...new Set(all.map(({ message }) => message))];
}

/** What was written by then stands, and the folder explains itself. @returns what to do about the rest */
export function endAtLimit(runFolder: string | undefined): string {
  if (runFolder === undefined) return '';
  unmarkFolder(runFolder);
  return `What was measured before is kept; pushbench report ${relative('', runFolder)} shows it.`;
}

type Into = Pick<RunFlags, 'json' | 'interactive' | 'junit' | 'markdown'> & {
  stop: AbortController;
  view: LiveView;
};

/**
 * Leaves in the folder and the other files whatever is measured.
 * @param runAll runs a prepared scenario, and saves what there is after each trial
 */
export async function runInto(
  runFolder: string,
  runAll: (save: (sofar: Result) => void) => Promise<Result>,
  { stop, view, ...options }: Into,
): Promise<ExitCode> {
  const files = openRunFiles(runFolder);
  let kept: string | undefined;
  const save = (sofar: Result) => {
    const path = files.write('result.json', resultText(sofar));
    const problem = files.problem();
    // Going on would measure what can be kept nowhere.
    if (problem) stop.abort(problem);
    else if (sofar.trials.length > 0) kept = path;
  };
  let result: Result;
  try {
    result = await runAll(save);
  } catch (error) {
    if (kept === undefined) removeRunFolder(runFolder);
    else view.note(`What was measured before is kept: ${relative('', kept)}`);
    unmarkFolder(runFolder);
    throw error;
  }
  view.close();
  const before = files.problem();
  if (result.trials.length === 0) {
    if (before) throw before;
    removeRunFolder(runFolder);
    const made = result.simulated ? 'simulated' : 'measured';
    console.error(
      result.state.kind === 'failed'
        ? printable(`${result.state.why} Nothing was ${made}.`)
        : `Interrupted before the first trial was over; nothing was ${made}.`,
    );
    return result.state.kind === 'failed' ? exitCodes.failed : exitCodes.interrupted;
  }
  const whole = withFigures(result);
  const resultPath = files.write('result.json', resultText(whole));
  // Drawing the report takes longest, so it comes last: after a signal there may be no time for it.
  if (options.json) {
    process.stdout.write(`${printableJson(whole)}\n`);
  } else {
    const { renderTable } = await import('../reports/text/terminal.ts');
    process.stdout.write(renderTable([result], terminalOf()));
    if (resultPath !== undefined) process.stdout.write(`\nResult: ${relative('', resultPath)}\n`);
  }
  const reports = await writeReports(
    result,
    files,
    options,
    result.state.kind === 'interrupted' ? undefined : stop.signal,
  );
  unmarkFolder(runFolder);
  if (!options.json && reports.page !== undefined)
    process.stdout.write(`Report: ${relative('', reports.page)}\n`);
  const code = reports.ended ?? endWith(result, files, kept, reports.problems);
  return stop.signal.reason instanceof Interruption ? exitCodes.interrupted : code;
}

type Reports = {
  page: string | undefined;
  problems: UserError[];
  /** Where a signal came in between. */ ended?: ExitCode;
};

/** Writes all that is asked for, whatever becomes of the others. */
async function writeReports(
  result: Result,
  files: RunFiles,
  { interactive, junit, markdown }: Pick<RunFlags, 'interactive' | 'junit' | 'markdown'>,
  over: AbortSignal | undefined,
): Promise<Reports> {
  const problems: UserError[] = [];
  const write = (file: string | undefined, render: () => string) => {
    try {
      if (file !== undefined) writeWhole(file, render(), 'Free some space, or name another file.');
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error);
    }
  };
  write(junit, () => renderJunit([result]));
  write(markdown, () => renderMarkdown([result]));
  const signalled = () => over?.aborted === true && over.reason instanceof Interruption;
  try {
    const { renderHtml } = await import('../reports/page/report.ts');
    const page = await renderHtml([result], { interactive, ...(over && !over.aborted && { over }) });
    return { page: files.write('report.html', page), problems };
  } catch (error) {
    if (!signalled()) throw error;
    console.error('Interrupted while drawing the report. The result is complete; pushbench report draws it.');
    return { page: undefined, problems, ended: exitCodes.interrupted };
  }
}

/**
 * The exit code. Says first, for a file that could not be written, where its content is instead.
 * @throws UserError the first problem
 */
function endWith(
  result: Result,
  files: RunFiles,
  kept: string | undefined,
  others: readonly UserError[],
): ExitCode {
  const problem = files.problem();
  if (!problem && others.length === 0) return exitCodeOf(result);
  const lines = [
    ...[...(problem ? [problem] : []), ...others].map(({ message }) => message),
    ...(problem && kept !== undefined ? [`What was measured before is kept: ${relative('', kept)}`] : []),
    ...elsewhereLines(files),
  ];
  throw new UserError('write', lines.join('\n'), exitCodes.failed);
}

/** What a result means for a script. */
export function exitCodeOf(result: Result): ExitCode {
  return exitCodes[runVerdict(result)];
}
