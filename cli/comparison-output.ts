// Writes the output of the commands that compare: the table or JSON on standard output, and files for people
// and CI. It decides the exit code, too.

import {
  comparisonExitCode,
  failOnNames,
  type Comparison,
  type FailOn,
} from '../core/comparison/comparison-result.ts';
import { UserError, type ExitCode } from '../core/base/errors.ts';
import { printableJson } from '../core/base/printable.ts';
import { nearest } from '../core/base/suggest.ts';
import type { Behind } from '../reports/comparison/page.ts';
import { requireWritable, writeWhole } from '../harness/run/store.ts';
import { terminalOf } from './terminal.ts';

export type OutputFlags = {
  json: boolean;
  html?: string;
  markdown?: string;
  junit?: string;
  annotations: boolean | string;
  failOn: string[];
};

const otherFile = 'Free some space, or name another file.';

/** @throws UserError for a word that is none */
export function failOnOf(words: readonly string[]): FailOn[] {
  return words.map((word) => {
    const known = failOnNames.find((name) => name === word);
    if (known) return known;
    const near = nearest(word, failOnNames);
    throw new UserError(
      'fail-on',
      `--fail-on ${word} is not possible${near ? `; did you mean "${near}"?` : ';'} There are: ` +
        `${failOnNames.join(', ')}. What is shown to be worse always fails.`,
    );
  });
}

/**
 * Makes sure that all files can be written, before any work.
 * @returns writes a comparison to wherever the options say, and returns its exit code
 * @throws UserError for a file that cannot be written
 */
export function outputs({
  json,
  html,
  markdown,
  junit,
  annotations,
}: OutputFlags): (comparison: Comparison, failOn: readonly FailOn[], behind: Behind) => Promise<ExitCode> {
  for (const file of [html, markdown, junit]) if (file !== undefined) requireWritable(file);
  return async (comparison, failOn, behind) => {
    if (json) {
      process.stdout.write(`${printableJson(comparison, 1)}\n`);
    } else {
      const { renderComparison } = await import('../reports/comparison/terminal.ts');
      process.stdout.write(renderComparison(comparison, terminalOf()));
    }
    if (annotations !== false) {
      const { renderAnnotations } = await import('../reports/comparison/ci.ts');
      process.stdout.write(renderAnnotations(comparison, annotations === true ? undefined : annotations));
    }
    if (markdown !== undefined)
      writeWhole(
        markdown,
        (await import('../reports/comparison/markdown.ts')).renderComparisonMarkdown(comparison),
        otherFile,
      );
    if (junit !== undefined)
      writeWhole(
        junit,
        (await import('../reports/comparison/ci.ts')).renderComparisonJunit(comparison),
        otherFile,
      );
    if (html !== undefined)
      writeWhole(
        html,
        await (await import('../reports/comparison/page.ts')).renderComparisonPage(comparison, behind),
        otherFile,
      );
    return comparisonExitCode(comparison, failOn);
  };
}
