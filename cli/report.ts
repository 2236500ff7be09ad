// Implements `pushbench report`: turns results on disk into a report in any of the formats, one result or
// several side by side.

import { basename, dirname, extname, join } from 'node:path';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { exitCodes, UserError, type ExitCode } from '../core/base/errors.ts';
import type { Result } from '../core/result/result.ts';
import { oneLine } from '../core/base/printable.ts';
import { cutShortText } from '../core/result/missing.ts';
import { nearest } from '../core/base/suggest.ts';
import { writeWhole } from '../harness/run/store.ts';
import {
  documentsOf,
  fileNames,
  formats,
  isFormat,
  type Document,
  type Format,
} from '../reports/export/formats.ts';
import { isAbFolder, readSeveral } from '../reports/read/several.ts';
import { readResult } from '../reports/read/read.ts';
import { print } from './print.ts';
import { reportAb } from './ab-report.ts';
import { terminalOf } from './terminal.ts';

export type ReportFlags = { out?: string; format: string; interactive: boolean; json: boolean };

/** HTML and cards go to a file unless told otherwise, everything else to standard output. */
export async function reportCommand(paths: readonly string[], options: ReportFlags): Promise<ExitCode> {
  const format = options.json ? 'json' : checkedFormat(options.format);
  if (options.interactive && format !== 'html')
    throw new UserError('interactive', `--interactive is for --format html; ${format} has no charts.`);
  const first = paths[0]!; // commander asks for one
  if (paths.length === 1 && format === 'html' && isAbFolder(first)) return reportAb(first, options.out);
  const runs = paths.length === 1 && isOneRun(first) ? [await oneRun(first)] : await runsOf(paths);
  const results = runs.map(({ result }) => result);
  // Some forms have no room for it, and a percentile says nothing of a trial that is missing.
  for (const { path, result } of runs) {
    const cut = cutShortText(result);
    if (cut !== undefined) console.error(oneLine(`${path}: ${cut}`));
  }
  if (format === 'html' && options.out !== '-') await printTable(results);
  const documents = await documentsOf(format, results, { interactive: options.interactive });
  const name = fileNames[format];
  const out = options.out ?? (name === undefined ? '-' : join(placeOf(runs), name));
  if (out === '-') {
    process.stdout.write(onlyDocument(documents, format));
    return exitCodes.ok;
  }
  const written = filesOf(documents, out);
  for (const { file, text } of written)
    writeWhole(file, text, 'Free some space, or name another file with --out.');
  for (const { file } of written) print(`${format === 'html' ? '\nReport' : 'Written'}: ${oneLine(file)}`);
  return exitCodes.ok;
}

type Run = { path: string; result: Result };

const oneRun = async (path: string): Promise<Run> => ({ path, result: await readResult(path) });

/** A file, or a folder with at most one result, where a mistake is an error. A folder of runs is not one. */
function isOneRun(path: string): boolean {
  return (
    !isFolder(path) ||
    existsSync(join(path, 'result.json')) ||
    !readdirSync(path).some((name) => isFolder(join(path, name)))
  );
}

/** All runs among the paths; a line on standard error for each of the others. */
/** What an earlier `report` wrote beside the runs. */
function isOurReport(path: string): boolean {
  return Object.values(fileNames).includes(basename(path));
}

async function runsOf(paths: readonly string[]): Promise<Run[]> {
  const { runs, leftOut } = await readSeveral(paths);
  for (const { path, why } of leftOut.filter(({ path }) => !isOurReport(path)))
    console.error(oneLine(`Left out: ${path}: ${why}`));
  if (runs.length > 0) return runs;
  throw new UserError(
    'result-folder',
    `There is no run among ${paths.length === 1 ? paths[0] : `these ${paths.length} paths`}. Name a ` +
      'result.json, or the folder that a run wrote.',
  );
}

/** The run's own folder; of several runs the folder that they all lie in, or else the current one. */
function placeOf(runs: readonly Run[]): string {
  const folders = runs.map(({ path }) => (isFolder(path) ? path : dirname(path)));
  if (folders.length === 1) return folders[0]!;
  const [parent, ...others] = new Set(folders.map((folder) => dirname(folder)));
  return parent !== undefined && others.length === 0 ? parent : '.';
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

async function printTable(results: readonly Result[]): Promise<void> {
  const { renderTable } = await import('../reports/text/terminal.ts');
  process.stdout.write(renderTable(results, terminalOf()));
}

function checkedFormat(name: string): Format {
  if (isFormat(name)) return name;
  const names = Object.keys(formats);
  const near = nearest(name, names);
  throw new UserError(
    'format',
    `There is no format "${name}"${near ? `; did you mean "${near}"?` : '.'} There are: ${names.join(', ')}.`,
  );
}

function onlyDocument(documents: readonly Document[], format: Format): string {
  const [only, ...others] = documents;
  if (!only)
    throw new UserError(
      'format',
      `Nothing to write: no trial delivered anything, and ${format} holds latencies alone.`,
    );
  if (others.length === 0) return only.text;
  const { extension } = formats[format];
  throw new UserError(
    'format',
    `${format} holds one variant a file, and there are ${documents.length}: name a file with --out ` +
      `NAME.${extension}, and each is written to NAME-VARIANT.${extension}.`,
  );
}

/** Several documents share a name and differ by their part of it. */
function filesOf(documents: readonly Document[], out: string): { file: string; text: string }[] {
  if (documents.length === 1) return documents.map(({ text }) => ({ file: out, text }));
  const ending = extname(out);
  const taken = new Set<string>();
  return documents.map(({ part, text }) => {
    const plain = `${out.slice(0, out.length - ending.length)}-${part
      .replace(/[^\w.=-]+/g, '-')
      .replace(/-+$/, '')}`;
    let name = plain;
    for (let i = 2; taken.has(name); i++) name = `${plain}-${i}`;
    taken.add(name);
    return { file: `${name}${ending}`, text };
  });
}
