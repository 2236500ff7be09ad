// Reads results and stored comparisons, and says why a text is neither.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  comparisonFormat,
  comparisonSchema,
  comparisonVersion,
  type Comparison,
} from '../../core/comparison/comparison-result.ts';
import { messageOf, UserError } from '../../core/base/errors.ts';
import { issuesText } from '../../core/base/issues.ts';
import { parseJson } from '../../core/base/json.ts';
import { histogramOf } from '../../core/result/load-histogram.ts';
import { readText } from '../../core/base/read-file.ts';
import { spoiltByGit, withoutMark } from '../../core/base/spoilt-text.ts';
import { resultFormat, resultSchemaOf, resultVersion, type Result } from '../../core/result/result.ts';

const head = z.looseObject({ format: z.literal(resultFormat), version: z.number() });
const comparisonHead = z.looseObject({ format: z.literal(comparisonFormat), version: z.number() });

/**
 * @param path a result file, or the folder that a run wrote
 * @throws UserError when there is none, or it cannot be read as one
 */
export async function readResult(path: string): Promise<Result> {
  const file = isFolder(path) ? join(path, 'result.json') : path;
  const next = 'Name a result.json, or the folder that a run wrote.';
  return parseResult(
    readText(file, 'result', { code: 'result-file', what: `Cannot read a result at ${file}`, next }),
    file,
  );
}

/**
 * @param file what messages call it
 * @throws UserError when the text is not a result, or one that this version cannot read
 */
export function parseResult(text: string, file: string): Result {
  const json = parseJson(withoutMark(text));
  const spoilt = 'problem' in json ? spoiltByGit(text, file) : undefined;
  if (spoilt !== undefined) throw new UserError('result-json', spoilt);
  if ('problem' in json)
    throw new UserError(
      'result-json',
      `${file} is not whole JSON${json.problem}: it was cut off or ` +
        'is something else. Run the scenario again.',
    );
  const { value } = json;
  const { success, data } = head.safeParse(value);
  if (!success)
    throw new UserError(
      'result-format',
      `${file} is JSON, but not a result of pushbench (its "format" is not "${resultFormat}").`,
    );
  if (data.version > resultVersion) {
    throw new UserError(
      'result-version',
      `${file} has version ${data.version} of the result format, and this pushbench reads up to ` +
        `${resultVersion}. Upgrade pushbench.`,
    );
  }
  const parsed = resultSchemaOf(data.version).safeParse(value);
  if (!parsed.success)
    throw new UserError('result-invalid', `${file} is not valid:\n${issuesText(parsed.error)}`);
  requireHistograms(parsed.data, file);
  return parsed.data;
}

/** Reports decode all histograms later on; this finds damaged ones before, and names their place. */
function requireHistograms({ trials }: Result, file: string): void {
  for (const [i, { outcome }] of trials.entries()) {
    if (outcome.status === 'failed') continue;
    const { latency, latencyByAttempt = [] } = outcome;
    const byAttempt = latencyByAttempt.map(
      ({ histogram }, j) => [`latencyByAttempt[${j}]`, histogram] as const,
    );
    const named = [...Object.entries(latency), ...byAttempt];
    for (const [name, stored] of named) {
      try {
        if (stored) histogramOf(stored);
      } catch (error) {
        const why = `the histogram ${name} of trials[${i}] cannot be read (${messageOf(error)})`;
        throw new UserError('result-invalid', `${file} is not valid: ${why}. Run the scenario again.`);
      }
    }
  }
}

/** @throws UserError when there is none at the path, or it cannot be read as one */
export async function readComparison(file: string): Promise<Comparison> {
  return parseComparison(
    readText(file, 'comparison', {
      code: 'comparison-file',
      what: `Cannot read a comparison at ${file}`,
      next: comparedAnew,
    }),
    file,
  );
}

/**
 * @param file what messages call it
 * @throws UserError when the text is not a comparison, or one that this version cannot read
 */
export function parseComparison(text: string, file: string): Comparison {
  const json = parseJson(withoutMark(text));
  const spoilt = 'problem' in json ? spoiltByGit(text, file) : undefined;
  if (spoilt !== undefined) throw new UserError('comparison-json', spoilt);
  if ('problem' in json)
    throw new UserError(
      'comparison-json',
      `${file} is not whole JSON${json.problem}: it was cut off or is something else. ${comparedAnew}`,
    );
  const { value } = json;
  const { success, data } = comparisonHead.safeParse(value);
  if (!success)
    throw new UserError(
      'comparison-format',
      `${file} is JSON, but not a comparison of pushbench (its "format" is not "${comparisonFormat}").`,
    );
  if (data.version < 2 || data.version > comparisonVersion)
    throw new UserError(
      'comparison-version',
      `${file} has version ${data.version} of the comparison format, and this pushbench reads up to ` +
        `${comparisonVersion}. ${comparedAnew}`,
    );
  const parsed = comparisonSchema.safeParse(value);
  if (!parsed.success)
    throw new UserError(
      'comparison-invalid',
      `${file} is not valid:\n${issuesText(parsed.error)}\n${comparedAnew}`,
    );
  return parsed.data;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // reading it says what is wrong
  }
}

const comparedAnew =
  'Its two sides can be compared again: pushbench compare FOLDER/baseline FOLDER/candidate.';
