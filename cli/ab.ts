// Implements `pushbench ab`: runs two arms in turns, and writes the results of both, the comparison and its
// page.

import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Comparison } from '../core/comparison/comparison-result.ts';
import { exitCodes, Interruption, UserError, type ExitCode } from '../core/base/errors.ts';
import { parseInjection } from '../core/scenario/injection.ts';
import { patterns } from '../core/pattern/registry.ts';
import { checkAb, pairPlan, requirePairs, runAb, type AbOptions, type AbOutcome } from '../harness/ab/ab.ts';
import { openArm, pairedArms, refOf, type OpenedArm } from '../harness/ab/arms.ts';
import type { RunPlan } from '../harness/plan/cells.ts';
import { appCommit, checkOutApp } from '../harness/ab/app.ts';
import { checkOut } from '../harness/ab/checkout.ts';
import type { CheckoutOptions } from '../harness/ab/worktree.ts';
import { prepare } from '../harness/run/run.ts';
import { elsewhereLines, openRunFiles } from '../harness/run/run-files.ts';
import { explainKilledRuns, unmarkFolder } from '../harness/run/run-mark.ts';
import { createRunFolder, removeRunFolder, resultText } from '../harness/run/store.ts';
import { openTarget } from '../harness/target/open.ts';
import { packageRoot } from '../harness/run/version.ts';
import type { Behind } from '../reports/comparison/page.ts';
import { budgetOf, commandOf, pairsOf, type AbFlags } from './ab-options.ts';
import { failOnOf, outputs } from './comparison-output.ts';
import { createLiveView, liveMode, type LiveView } from './live.ts';
import { endAtLimit } from './run.ts';
import { openScenario } from '../api/scenarios.ts';
import { onSignals } from './signals.ts';

/** @returns the exit code: what a comparison fails on says `comparisonExitCode` */
export async function abCommand(a: string, b: string, flags: AbFlags, invocation: string): Promise<ExitCode> {
  const failOn = failOnOf(flags.failOn);
  const write = outputs(flags);
  const pairs = flags.pairs === undefined ? undefined : pairsOf(flags.pairs);
  const budgetMs = flags.budget === undefined ? undefined : budgetOf(flags.budget);
  const { scenario, source, folder } = openScenario(flags.scenario, flags.set);
  checkAb(scenario);
  const view = createLiveView(liveMode(flags.quiet));
  const opened = (text: string, inject: string | undefined, checkedOut?: CheckedOut) =>
    openArm(text, scenario, {
      registry: patterns,
      injection: inject === undefined ? undefined : parseInjection(inject),
      openTarget(file) {
        const target = openTarget(file, process.env);
        target.notes.forEach(view.note);
        return target;
      },
      targetFile: flags.target,
      ...(flags.start !== undefined && { start: flags.start }),
      ...(checkedOut !== undefined && { checkedOut }),
    });
  const given = [
    { text: a, inject: flags.injectA },
    { text: b, inject: flags.injectB },
  ] as const;
  requireStart(a, b, flags);
  // A commit has to be checked out first, and that is the first thing that leaves something behind.
  const early = given.map(({ text, inject }) =>
    refOf(text) === undefined ? opened(text, inject) : undefined,
  );
  // What a commit of an app is spoken to by is known before that is checked out.
  const appTarget =
    flags.start === undefined || flags.target === undefined || !early.includes(undefined)
      ? undefined
      : openTarget(flags.target, process.env);
  const stop = new AbortController();
  const options = {
    registry: patterns,
    folder,
    source,
    command: commandOf(a, b, flags, invocation),
    observer: view,
    signal: stop.signal,
    targets: early.flatMap((arm) => arm?.targets ?? (appTarget === undefined ? [] : [appTarget])),
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
    const place = {
      cleanUp: (action: () => void) => void undo.unshift(action),
      note: view.note,
      signal: stop.signal,
    };
    const arms: OpenedArm[] = [];
    for (const [i, { text, inject }] of given.entries()) {
      const ref = refOf(text);
      const checkedOut = ref === undefined ? undefined : await checkedOutAt(ref, flags, place);
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

type CheckedOut = { folder: string; commit?: string };

/** A commit of the user's app, or of pushbench where nobody says how to start an app. */
async function checkedOutAt(
  ref: string,
  { start, install, app }: AbFlags,
  place: Omit<CheckoutOptions, 'root'>,
): Promise<CheckedOut> {
  if (start === undefined) {
    const folder = await checkOut(ref, { ...place, root: fileURLToPath(packageRoot) });
    return { folder };
  }
  const options = { ...place, root: resolve(app) };
  return checkOutApp(await appCommit(ref, options), install, options);
}

/** @throws UserError where a commit is to be run and nobody says how, or an option is for nothing */
function requireStart(a: string, b: string, { start, install, app, target }: AbFlags): void {
  const versions = [a, b].filter((text) => /^(?:ref|dir):./.test(text));
  if (start !== undefined) {
    if (versions.length > 0 && target !== undefined) return;
    if (versions.length > 0)
      throw new UserError(
        'start',
        `${versions[0]} is a version of your app, and nothing says how to speak to it: give a target file ` +
          'too, with --target FILE.',
      );
    throw new UserError(
      'start',
      '--start is for ref: and dir:, which name versions of your app. What cmd: starts, it says itself.',
    );
  }
  if (install !== undefined || app !== '.')
    throw new UserError(
      'start',
      "--install and --app are for versions of your app: say how to start it too, with --start 'COMMAND'.",
    );
  const ref = versions.find((text) => refOf(text) !== undefined);
  const own = relative(fileURLToPath(packageRoot), process.cwd());
  if (ref === undefined || !own.startsWith('..')) return;
  throw new UserError(
    'start',
    `${ref} is a commit of your app in this folder. Say how to start it and how to speak to it: ` +
      "--start 'node server.js' --target app.yaml (docs/comparison.md).",
  );
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
  if (stop.signal.reason instanceof Interruption) return exitCodes.interrupted;
  return baseline.state.kind === 'failed' ? exitCodes.failed : code;
}
