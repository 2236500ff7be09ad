// `pushbench run`: one scenario, its result, its report, its verdict.

import { join, relative } from 'node:path';
import { exitCodes, UserError, type ExitCode } from '../core/errors.ts';
import { parseInjection } from '../core/injection.ts';
import { patterns } from '../core/patterns.ts';
import { printableJson } from '../core/printable.ts';
import type { Result } from '../core/result.ts';
import { processes } from '../harness/fleet.ts';
import { prepare, run } from '../harness/run.ts';
import { openTarget } from '../harness/target-open.ts';
import { withTargets } from '../harness/target-variants.ts';
import { createRunFolder, removeRunFolder, requireWritable, writeResult, writeWhole } from '../harness/store.ts';
import { renderJunit } from '../reports/junit.ts';
import { renderMarkdown } from '../reports/markdown.ts';
import { createLiveView } from './live.ts';
import { openScenario } from './scenarios.ts';

export type RunFlags = { set: string[]; results: string; json: boolean; quiet: boolean; interactive: boolean; target: string[]; reference: boolean; inject?: string; junit?: string; markdown?: string };

/** @returns the exit code */
export async function runCommand(name: string, options: RunFlags & { invocation: string }): Promise<ExitCode> {
  const { scenario: written, source, folder } = openScenario(name, options.set);
  if (!options.reference && options.target.length === 0) throw new UserError('no-target', 'With --no-reference nothing is left to run: name a target too, with --target FILE.');
  const targets = options.target.map((file) => openTarget(file, process.env));
  const { scenario, leftOut } = withTargets(written, patterns, targets, options.reference);
  if (options.inject !== undefined && !options.reference) throw new UserError('inject', '--inject alters our own servers, and with --no-reference none of them runs. Leave one of the two out.');
  const fleet = options.inject === undefined ? processes : { ...processes, injection: parseInjection(options.inject) };
  const stop = new AbortController();
  const view = createLiveView(options.quiet ? 'quiet' : process.stderr.isTTY ? 'live' : 'lines');
  const command = [
    options.invocation, 'run', name, ...options.set.flatMap((set) => ['--set', set]),
    ...options.target.flatMap((file) => ['--target', file]), ...(options.reference ? [] : ['--no-reference']),
    ...(options.inject === undefined ? [] : ['--inject', options.inject]),
  ].map(quoted).join(' ');
  const runOptions = { registry: patterns, folder, source, command, observer: view, signal: stop.signal, targets, leftOut, fleet };
  for (const { target, variant, reason } of leftOut) view.note(`left out: ${variant} @${target}: ${reason}`);
  const plan = prepare(scenario, runOptions);
  for (const file of [options.junit, options.markdown]) if (file !== undefined) requireWritable(file);
  const runFolder = createRunFolder(options.results, scenario.name, new Date());
  const release = onSignals(stop, view.note);
  let result: Result;
  let saved: string | undefined;
  try {
    result = await run(plan, { ...runOptions, save: (sofar) => void (saved = writeResult(runFolder, sofar)) });
  } catch (error) {
    if (saved === undefined) removeRunFolder(runFolder);
    else view.note(`What was measured before is kept: ${relative('', saved)}`);
    throw error;
  } finally {
    view.close();
    release();
  }
  if (result.trials.length === 0) {
    removeRunFolder(runFolder);
    console.error('Interrupted before the first trial was over; nothing was measured.');
    return exitCodes.interrupted;
  }
  const resultPath = writeResult(runFolder, result);

  const { renderHtml } = await import('../reports/html.ts');
  const reportPath = join(runFolder, 'report.html');
  writeWhole(reportPath, await renderHtml([result], { interactive: options.interactive }));
  if (options.junit !== undefined) writeWhole(options.junit, renderJunit([result]));
  if (options.markdown !== undefined) writeWhole(options.markdown, renderMarkdown([result]));
  if (options.json) {
    process.stdout.write(`${printableJson(result)}\n`);
  } else {
    const { renderTable } = await import('../reports/terminal.ts');
    process.stdout.write(renderTable([result], { columns: process.stdout.columns ?? 120, color: process.stdout.hasColors?.() ?? false }));
    process.stdout.write(`\nResult: ${relative('', resultPath)}\nReport: ${relative('', reportPath)}\n`);
  }
  return exitCodeOf(result);
}

/** What a result means for a script: the gravest thing first. */
export function exitCodeOf(result: Result): ExitCode {
  if (result.interrupted) return exitCodes.interrupted;
  if (result.trials.some(({ outcome }) => outcome.status === 'failed')) return exitCodes.failed;
  // The load side may end a search; then what had held until there is its answer.
  const undecided = result.searches ? result.searches.some(({ limit }) => limit.kind === 'none') : result.trials.some(({ outcome }) => !outcome.valid);
  if (undecided) return exitCodes.invalid;
  return result.expectations.every(({ held }) => held) ? exitCodes.ok : exitCodes.expectation;
}

/** The first signal ends the run tidily, a second one at once. @returns the function that takes the handlers away */
export function onSignals(stop: AbortController, note: (text: string) => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const handler = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted); // the children end with the channel to them
    note(`${signal}: ending the trial under way; what was measured before is kept.`);
    stop.abort(new Error(signal));
  };
  for (const signal of signals) process.on(signal, handler);
  return () => {
    for (const signal of signals) process.off(signal, handler);
  };
}

export function quoted(word: string): string {
  return /^[\w@%+=:,./ -]+$/.test(word) && (!word.includes(' ') || word.startsWith('npm ')) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
