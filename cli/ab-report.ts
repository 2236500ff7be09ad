// Draws the page of an `ab` run again from what its folder holds.

import { join } from 'node:path';
import { compare } from '../core/comparison/compare-runs.ts';
import { exitCodes, type ExitCode } from '../core/base/errors.ts';
import { runSetOf } from '../core/comparison/run-set.ts';
import { cutOf } from '../harness/ab/ab.ts';
import { writeWhole } from '../harness/run/store.ts';
import { readComparison, readResult } from '../reports/read/read.ts';
import { terminalOf } from './terminal.ts';

/**
 * Compares the two stored arms again, by the rule that was declared when they ran, and writes the page.
 * @param out `-` for standard output
 */
export async function reportAb(folder: string, out: string = join(folder, 'report.html')): Promise<ExitCode> {
  const stored = await readComparison(join(folder, 'comparison.json'));
  const [baseline, candidate] = [
    await readResult(join(folder, 'baseline')),
    await readResult(join(folder, 'candidate')),
  ];
  const labels = stored.variants.map((variant) => [variant.baseline, variant.candidate] as const);
  const comparison = compare(
    runSetOf(stored.baseline.name, [baseline], { cut: true }),
    runSetOf(stored.candidate.name, [candidate], { cut: true }),
    { createdAt: new Date(stored.createdAt), rule: stored.rule, labels, ...cutOf(baseline) },
  );
  const { renderComparisonPage } = await import('../reports/comparison/page.ts');
  const page = await renderComparisonPage(comparison, { baseline: [baseline], candidate: [candidate] });
  if (out === '-') {
    process.stdout.write(page);
    return exitCodes.ok;
  }
  writeWhole(out, page);
  const { renderComparison } = await import('../reports/comparison/terminal.ts');
  process.stdout.write(`${renderComparison(comparison, terminalOf())}\n` + `Report: ${out}\n`);
  return exitCodes.ok;
}
