// Marks the folder of a run while the run goes on, and explains what runs left that were killed: a
// later run finds the mark of a process that is gone, removes what holds nothing and says so, and says
// how far the others came.

import { readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { counted } from '../../core/base/counted.ts';
import { parseJson } from '../../core/base/json.ts';
import { missingFrom } from '../../core/result/missing.ts';
import { oneLine } from '../../core/base/printable.ts';
import { tryReadText, type ReadKind } from '../../core/base/read-file.ts';
import { resultSchema, type Result } from '../../core/result/result.ts';
import { startTicksOf, thisPlace } from '../process/process-tree.ts';
import { version } from './version.ts';

export const markName = '.pushbench-run.json';

const markSchema = z.strictObject({
  format: z.literal('pushbench-run'),
  pid: z.int().min(1),
  startTicks: z
    .string()
    .describe('when the process started, field 22 of /proc/PID/stat; empty where there is no /proc'),
  place: z.string().describe('host, boot and PID namespace: elsewhere the number says nothing'),
  pushbench: z.string(),
  startedAt: z.iso.datetime(),
});

type Mark = z.infer<typeof markSchema>;

/** Runs of more folders are not looked for: the newest, by their names. */
const mostFolders = 500;
/** What a run writes; a folder that holds anything else is left to its owner. */
const ownFiles = new Set(
  ['result.json', 'report.html', 'comparison.json', markName].flatMap((name) => [name, `${name}.part`]),
);
const ownFolders = new Set(['baseline', 'candidate']);

/** @throws the system's error */
export function markFolder(folder: string, at: Date): void {
  const mark: Mark = {
    format: 'pushbench-run',
    pid: process.pid,
    startTicks: startTicksOf(process.pid) ?? '',
    place: thisPlace(),
    pushbench: version,
    startedAt: at.toISOString(),
  };
  writeFileSync(join(folder, markName), `${JSON.stringify(mark)}\n`, { flag: 'wx' });
}

/** The run has ended, and what its folder holds explains itself. */
export function unmarkFolder(folder: string): void {
  try {
    rmSync(join(folder, markName), { force: true });
  } catch {
    // The folder can no longer be written to: the next run that can will say so.
  }
}

/**
 * Explains the folders of runs that were killed, each once: one without a finished trial is removed, of the
 * others the mark goes. Folders without our mark, links, and those of a process that lives, or of another
 * machine, are left alone.
 * @param root a results folder, which need not exist
 * @returns a sentence for each
 */
export function explainKilledRuns(root: string): string[] {
  let names: string[];
  try {
    names = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return []; // none yet, or it is told when the run's own folder is made
  }
  return names
    .sort()
    .slice(-mostFolders)
    .flatMap((name) => {
      try {
        const line = explain(join(root, name));
        return line === undefined ? [] : [oneLine(line)];
      } catch {
        return []; // it has just gone, or cannot be changed: this run leaves it alone
      }
    });
}

function explain(folder: string): string | undefined {
  const mark = markIn(folder);
  if (
    !mark ||
    mark.place !== thisPlace() ||
    mark.startTicks === '' ||
    startTicksOf(mark.pid) === mark.startTicks
  )
    return undefined;
  const when = `${mark.startedAt.slice(0, 19).replace('T', ' ')} UTC`;
  const results = ['.', 'baseline', 'candidate'].flatMap((side) => resultIn(join(folder, side)) ?? []);
  const [first] = results;
  if (results.every(({ trials }) => trials.length === 0)) {
    if (!removeOwn(folder)) return undefined;
    return (
      `The run of ${when} was killed before its first trial was over; its folder ${folder} held nothing ` +
      'measured and was removed.'
    );
  }
  rmSync(join(folder, markName));
  return (
    first &&
    `The run of ${when} was killed ${placeOf(first, results.length > 1 ? 'pair' : 'trial')}; what was ` +
      `measured before is in ${folder} (pushbench report ${folder}).`
  );
}

function placeOf(result: Result, unit: 'trial' | 'pair'): string {
  const { planned, trials, state } = result;
  if (state.kind !== 'unfinished') return 'while its report was written';
  if (!planned || planned.searches.length > 0)
    return `in its search, after ${counted(trials.length, 'trial')}`;
  return missingFrom(result).trials.length === 0
    ? `after its last ${unit}`
    : `in ${unit} ${trials.length + 1} of ${planned.trials.length}`;
}

/** Removes a folder if all its files are those of runs. @returns whether it could */
function removeOwn(folder: string): boolean {
  const entries = readdirSync(folder, { withFileTypes: true });
  const foreign = entries.some((entry) =>
    entry.isDirectory()
      ? !ownFolders.has(entry.name) || !isOwn(join(folder, entry.name))
      : !entry.isFile() || !ownFiles.has(entry.name),
  );
  if (foreign) return false;
  for (const { name } of entries.filter((entry) => entry.isDirectory())) removeFiles(join(folder, name));
  removeFiles(folder);
  return true;
}

function isOwn(folder: string): boolean {
  return readdirSync(folder, { withFileTypes: true }).every(
    (entry) => entry.isFile() && ownFiles.has(entry.name),
  );
}

function removeFiles(folder: string): void {
  // The mark goes last: if this is cut short, the next run can tell whose the remaining files are.
  const names = readdirSync(folder).sort((a, b) => Number(a === markName) - Number(b === markName));
  for (const name of names) rmSync(join(folder, name));
  rmdirSync(folder);
}

function markIn(folder: string): Mark | undefined {
  const value = valueIn(join(folder, markName), 'mark');
  const parsed = value === 'missing' ? undefined : markSchema.safeParse(value);
  return parsed?.data;
}

/** @throws Error where there is a result that cannot be read: the file is kept all the same */
function resultIn(folder: string): Result | undefined {
  const value = valueIn(join(folder, 'result.json'), 'result');
  if (value === 'missing') return undefined;
  const parsed = resultSchema.safeParse(value);
  if (!parsed.success) throw new Error('a result of another kind');
  return parsed.data;
}

/** What a JSON file holds; `undefined` where it is a link, too large or no JSON. */
function valueIn(path: string, kind: ReadKind): unknown {
  const read = tryReadText(path, kind, { followLinks: false });
  if (!('text' in read)) return read.fault === 'missing' ? 'missing' : undefined;
  const json = parseJson(read.text);
  return 'value' in json ? json.value : undefined;
}
