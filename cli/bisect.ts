// Implements `pushbench bisect`: finds the commit of the user's own app that made delivery worse, and keeps
// what was measured at each step.

import { relative, resolve } from 'node:path';
import { exitCodes, Interruption, type ExitCode } from '../core/base/errors.ts';
import { printableJson } from '../core/base/printable.ts';
import {
  bisectionFormat,
  bisectionVersion,
  commitName,
  type Bisection,
  type Commit,
} from '../core/comparison/bisect.ts';
import { patterns } from '../core/pattern/registry.ts';
import { checkAb, pairPlan, requirePairs, runAb } from '../harness/ab/ab.ts';
import { checkOutApp } from '../harness/ab/app.ts';
import { appArm, pairedArms, type OpenedArm } from '../harness/ab/arms.ts';
import { bisect, type Measure } from '../harness/ab/bisect.ts';
import { bisectionEnds } from '../harness/ab/commits.ts';
import { prepare } from '../harness/run/run.ts';
import { openRunFiles, type RunFiles } from '../harness/run/run-files.ts';
import { unmarkFolder } from '../harness/run/run-mark.ts';
import { createRunFolder, removeRunFolder, resultText } from '../harness/run/store.ts';
import { openTarget } from '../harness/target/open.ts';
import { renderBisection } from '../reports/comparison/bisect.ts';
import { pairsOf } from './ab-options.ts';
import { createLiveView, liveMode } from './live.ts';
import { quoted } from '../core/base/quoted.ts';
import { openScenario } from '../api/scenarios.ts';
import { onSignals } from './signals.ts';

export type BisectFlags = {
  scenario: string;
  set: string[];
  results: string;
  target: string;
  app: string;
  install?: string;
  pairs?: string;
  json: boolean;
  quiet: boolean;
};

/** @returns 0 where the commit was found, 6 where it was not decided */
export async function bisectCommand(
  good: string,
  bad: string,
  words: readonly string[],
  flags: BisectFlags,
  invocation: string,
): Promise<ExitCode> {
  const rig = rigOf(words, flags, commandOf(good, bad, words, flags, invocation));
  const { view, stop, undo, scenario } = rig;
  const release = onSignals(
    stop,
    (name) => view.note(`${name}: ending; what was measured before is kept.`),
    () => {
      undo.all();
      return '';
    },
  );
  let runFolder: string | undefined;
  let sofar: Bisection | undefined;
  try {
    const ends = await bisectionEnds(good, bad, rig.root, stop.signal);
    const goodArm = await openCommit(rig, ends.good, undo.add);
    pairsOfStep(rig, goodArm.variants.length, 0);
    runFolder = createRunFolder(flags.results, `bisect-${scenario.name}`, new Date());
    // It explains itself after each step.
    unmarkFolder(runFolder);
    const files = openRunFiles(runFolder);
    const end = await bisect({
      root: rig.root,
      ends,
      measure: measureAgainst(goodArm, rig, files),
      note: view.note,
      keep: (bisection) => {
        sofar = structuredClone(bisection);
        saveInto(files, sofar);
      },
      signal: stop.signal,
    });
    view.close();
    return finish(end, files, runFolder, flags);
  } catch (error) {
    view.close();
    return endedEarly(error, runFolder, sofar);
  } finally {
    view.close();
    release();
    undo.all();
  }
}

/** What every step of a bisection is measured with. */
type Rig = ReturnType<typeof rigOf>;

function rigOf(words: readonly string[], flags: BisectFlags, command: string) {
  const pairs = flags.pairs === undefined ? undefined : pairsOf(flags.pairs);
  const { scenario, source, folder } = openScenario(flags.scenario, flags.set);
  checkAb(scenario);
  const view = createLiveView(liveMode(flags.quiet));
  const target = openTarget(flags.target, process.env);
  target.notes.forEach(view.note);
  const stop = new AbortController();
  const options = {
    registry: patterns,
    folder,
    source,
    command,
    observer: view,
    signal: stop.signal,
    targets: [target],
    strict: false,
    note: view.note,
  };
  return {
    start: words.length === 1 ? words[0]! : words.map(quoted).join(' '),
    root: resolve(flags.app),
    plan: prepare(scenario, options),
    undo: createUndo(),
    flags,
    pairs,
    scenario,
    source,
    view,
    target,
    stop,
    options,
  };
}

/** What has to be taken away again, whatever ends the bisection. */
function createUndo() {
  const actions = new Set<() => void>();
  return {
    add(action: () => void): void {
      actions.add(action);
    },
    do(action: () => void): void {
      action();
      actions.delete(action);
    },
    all(): void {
      for (const action of actions) action();
      actions.clear();
    },
  };
}

/** Checks a commit of the user's app out, as one side of a comparison. */
async function openCommit(
  { root, flags, view, stop, start, scenario, target }: Rig,
  commit: Commit,
  cleanUp: (action: () => void) => void,
): Promise<OpenedArm> {
  const checkedOut = { ref: commit.commit.slice(0, 10), commit: commit.commit };
  const app = await checkOutApp(checkedOut, flags.install, {
    root,
    cleanUp,
    note: view.note,
    signal: stop.signal,
  });
  return appArm(commitName(commit), app, start, scenario, {
    registry: patterns,
    injection: undefined,
    openTarget: () => target,
    targetFile: flags.target,
  });
}

/** @throws UserError when the user asked for too few pairs */
function pairsOfStep({ source, pairs }: Rig, variants: number, step: number): number {
  const planned = pairPlan(source, variants, { extend: true });
  if (pairs !== undefined) requirePairs(pairs, planned);
  return pairs ?? (step === 0 ? planned.pairs : planned.least);
}

/** Measures a commit beside the good one, in turns, and keeps what was measured in a folder of the step. */
function measureAgainst(goodArm: OpenedArm, rig: Rig, files: RunFiles): Measure {
  const { undo, plan, options, stop } = rig;
  return async (commit, { number, lead, undecided }) => {
    const own: (() => void)[] = [];
    try {
      const arm = await openCommit(rig, commit, (action) => {
        own.push(action);
        undo.add(action);
      });
      const [a, b] = pairedArms(goodArm, arm);
      const following = (one: OpenedArm) => ({
        ...one,
        variants: one.variants.filter(({ label }) => lead === undefined || label === lead.variant),
      });
      const { baseline, candidate, comparison } = await runAb(plan, [following(a), following(b)], {
        ...options,
        pairs: pairsOfStep(rig, lead === undefined ? a.variants.length : 1, number),
        extend: true,
        undecided,
      });
      stop.signal.throwIfAborted();
      if (!comparison) throw new Error('a comparison that was not interrupted has pairs');
      const step = `${String(number).padStart(2, '0')}-${commit.commit.slice(0, 10)}`;
      files.write(`${step}/baseline/result.json`, resultText(baseline));
      files.write(`${step}/candidate/result.json`, resultText(candidate));
      files.write(`${step}/comparison.json`, `${JSON.stringify(comparison, null, 1)}\n`);
      return { comparison, folder: step };
    } finally {
      own.forEach(undo.do);
    }
  };
}

/** @throws whatever was not an interruption */
function endedEarly(error: unknown, runFolder: string | undefined, sofar: Bisection | undefined): ExitCode {
  if (runFolder !== undefined && !sofar) removeRunFolder(runFolder);
  else if (runFolder !== undefined) console.error(`What was measured before is in ${runFolder}.`);
  if (!(error instanceof Interruption)) throw error;
  if (sofar) process.stdout.write(renderBisection(sofar));
  else console.error('Interrupted before the first comparison was over; nothing was measured.');
  return exitCodes.interrupted;
}

function saveInto(files: RunFiles, bisection: Bisection): void {
  files.write('bisect.json', `${JSON.stringify(stored(bisection), null, 1)}\n`);
  const problem = files.problem();
  if (problem) throw problem;
}

const stored = (bisection: Bisection) => ({
  format: bisectionFormat,
  version: bisectionVersion,
  ...bisection,
});

function finish(
  bisection: Bisection,
  files: RunFiles,
  runFolder: string,
  { json }: Pick<BisectFlags, 'json'>,
): ExitCode {
  const text = renderBisection(bisection);
  files.write('bisect.txt', text);
  if (json) process.stdout.write(`${printableJson(stored(bisection), 1)}\n`);
  else {
    process.stdout.write(`${text}\nResults: ${relative('', runFolder)}\n`);
    const last = bisection.steps.findLast(({ folder }) => folder !== undefined)?.folder;
    if (last !== undefined)
      process.stdout.write(`The page of a step: pushbench report ${relative('', runFolder)}/${last}\n`);
  }
  return bisection.end.kind === 'found' ? exitCodes.ok : exitCodes.inconclusive;
}

function commandOf(
  good: string,
  bad: string,
  words: readonly string[],
  { scenario, set, target, app, install, pairs }: BisectFlags,
  invocation: string,
): string {
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);
  return [
    invocation,
    'bisect',
    good,
    bad,
    '--scenario',
    scenario,
    ...set.flatMap((one) => ['--set', one]),
    '--target',
    target,
    ...(app === '.' ? [] : ['--app', app]),
    ...option('--install', install),
    ...option('--pairs', pairs),
    '--',
    ...words,
  ]
    .map(quoted)
    .join(' ');
}
