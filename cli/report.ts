// Implements `pushbench report`: turns results on disk into a report in any of the formats, one result or
// several side by side.

import { dirname, extname, join } from 'node:path';
import { statSync } from 'node:fs';
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
import { readEach } from '../reports/read/read-many.ts';
import { print } from './print.ts';
import { isAbFolder, reportAb } from './ab-report.ts';
import { terminalOf } from './terminal.ts';

export type ReportFlags = { out?: string; format: string; interactive: boolean; json: boolean };

/** HTML and cards go to a file unless told otherwise, everything else to standard output. */
export async function reportCommand(paths: readonly string[], options: ReportFlags): Promise<ExitCode> {
  const format = options.json ? 'json' : checkedFormat(options.format);
  if (options.interactive && format !== 'html')
    throw new UserError('interactive', `--interactive is for --format html; ${format} has no charts.`);
  if (paths.length === 1 && format === 'html' && isAbFolder(paths[0]!))
    return reportAb(paths[0]!, options.out);
  const results = await readEach(paths);
  // Some forms have no room for it, and a percentile says nothing of a trial that is missing.
  for (const [i, result] of results.entries()) {
    const cut = cutShortText(result);
    if (cut !== undefined) console.error(oneLine(`${paths[i]}: ${cut}`));
  }
  if (format === 'html' && options.out !== '-') await printTable(results);
  const documents = await documentsOf(format, results, { interactive: options.interactive });
  const first = paths[0]!;
  const name = fileNames[format];
  const out =
    options.out ??
    (name === undefined ? '-' : join(statSync(first).isDirectory() ? first : dirname(first), name));
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
