// `pushbench report`: from results on disk to a report, one result or several side by side.

import { dirname, join } from 'node:path';
import { statSync } from 'node:fs';
import { exitCodes, type ExitCode } from '../core/errors.ts';
import { writeWhole } from '../harness/store.ts';
import { readResult } from '../reports/read.ts';

export async function reportCommand(paths: readonly string[], options: { out?: string; interactive: boolean; json: boolean }): Promise<ExitCode> {
  const results = await Promise.all(paths.map((path) => readResult(path)));
  if (options.json) {
    process.stdout.write(`${JSON.stringify(results.length === 1 ? results[0] : results)}\n`);
    return exitCodes.ok;
  }
  const { renderTable } = await import('../reports/terminal.ts');
  process.stdout.write(renderTable(results, { columns: process.stdout.columns ?? 120, color: process.stdout.hasColors?.() ?? false }));
  const { renderHtml } = await import('../reports/html.ts');
  const first = paths[0]!;
  const out = options.out ?? join(statSync(first).isDirectory() ? first : dirname(first), 'report.html');
  writeWhole(out, await renderHtml(results, { interactive: options.interactive }));
  process.stdout.write(`\nReport: ${out}\n`);
  return exitCodes.ok;
}
