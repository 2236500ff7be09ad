// The page of an `ab` run, made anew from what its folder holds.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare } from '../core/compare.ts';
import { comparisonSchema } from '../core/comparison.ts';
import { exitCodes, messageOf, UserError, type ExitCode } from '../core/errors.ts';
import { runSetOf } from '../core/run-set.ts';
import { writeWhole } from '../harness/store.ts';
import { readResult } from '../reports/read.ts';

export function isAbFolder(path: string): boolean {
  return existsSync(join(path, 'comparison.json')) && existsSync(join(path, 'baseline', 'result.json'));
}

/**
 * Compares the two stored arms again, by the rule that was declared when they ran, and writes the page.
 * @param out `-` for standard output
 */
export async function reportAb(folder: string, out: string = join(folder, 'report.html')): Promise<ExitCode> {
  const stored = storedComparison(join(folder, 'comparison.json'));
  const [baseline, candidate] = [await readResult(join(folder, 'baseline')), await readResult(join(folder, 'candidate'))];
  const labels = stored.variants.map((variant) => [variant.baseline, variant.candidate] as const);
  const comparison = compare(runSetOf(stored.baseline.name, [baseline]), runSetOf(stored.candidate.name, [candidate]), { createdAt: new Date(stored.createdAt), rule: stored.rule, labels });
  const { renderComparisonPage } = await import('../reports/comparison-page.ts');
  const page = await renderComparisonPage(comparison, { baseline: [baseline], candidate: [candidate] });
  if (out === '-') {
    process.stdout.write(page);
    return exitCodes.ok;
  }
  writeWhole(out, page);
  const { renderComparison } = await import('../reports/comparison-terminal.ts');
  process.stdout.write(`${renderComparison(comparison, { columns: process.stdout.columns ?? 120, color: process.stdout.hasColors?.() ?? false })}\nReport: ${out}\n`);
  return exitCodes.ok;
}

function storedComparison(file: string) {
  try {
    return comparisonSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new UserError('comparison-file', `${file} is no comparison of this version: ${messageOf(error)}. Compare its two arms with: pushbench compare FOLDER/baseline FOLDER/candidate`);
  }
}
