// Describes a baseline that is kept in a repository: the readings of one side under a name. Histograms and
// series are left out, so that a file is a few kilobytes and its changes can be read in a review.

import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { issuesText } from '../base/issues.ts';
import { spoiltByGit, withoutMark } from '../base/spoilt-text.ts';
import { runSetSchema, type RunSet } from './run-set.ts';

export const baselineFormat = 'pushbench-baseline';
export const baselineVersion = 2;
/** Can be read too. It says that a run does not count as a whole, not which of its figures are void. */
const earlierVersion = 1;

export const baselineSchema = z.strictObject({
  format: z.literal(baselineFormat),
  version: z.literal([earlierVersion, baselineVersion]),
  savedAt: z.iso.datetime(),
  runs: runSetSchema,
});

export type Baseline = z.infer<typeof baselineSchema>;

/** A name is part of a file's name. */
const namePattern = /^[\w][\w.@-]{0,99}$/;

/** @throws UserError for a name that could not be a file's */
export function checkedBaselineName(name: string): string {
  if (namePattern.test(name)) return name;
  throw new UserError(
    'baseline-name',
    `"${name}" is not a name for a baseline: up to 100 letters, digits and . ` +
      '_ @ -, such as main or compare-2cores.',
  );
}

/** The text of a baseline file: a run a line, fractions to six digits, which is more than any run repeats. */
export function writeBaseline(runs: RunSet, savedAt: Date): string {
  const { variants, ...about } = runs;
  const baseline: Baseline = {
    format: baselineFormat,
    version: baselineVersion,
    savedAt: savedAt.toISOString(),
    runs: { ...about, variants: [] },
  };
  const short = (_key: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
  const head = JSON.stringify(baseline, null, 1);
  const body = variants.map(
    ({ label, as, runs: own }) =>
      `  {"label": ${JSON.stringify(label)}, ${as === undefined ? '' : `"as": ${JSON.stringify(as)}, `}` +
      '"runs": [\n' +
      `${own.map((run) => `   ${JSON.stringify(run, short)}`).join(',\n')}\n  ]}`,
  );
  return `${head.replace('"variants": []', () => `"variants": [\n${body.join(',\n')}\n  ]`)}\n`;
}

/**
 * @param file what to call it in messages
 * @throws UserError when the text is not a baseline, or one of a later version
 */
export function readBaseline(text: string, file: string): Baseline {
  const json = parseJson(withoutMark(text));
  const spoilt = 'problem' in json ? spoiltByGit(text, file) : undefined;
  if (spoilt !== undefined) throw new UserError('baseline-json', spoilt);
  if ('problem' in json)
    throw new UserError(
      'baseline-json',
      `${file} is not whole JSON${json.problem}. Save it again with "pushbench baseline save".`,
    );
  const { value } = json;
  const head = z.looseObject({ format: z.literal(baselineFormat), version: z.number() }).safeParse(value);
  if (!head.success)
    throw new UserError(
      'baseline-format',
      `${file} is JSON, but not a baseline of pushbench (its "format" is not "${baselineFormat}").`,
    );
  if (head.data.version > baselineVersion)
    throw new UserError(
      'baseline-version',
      `${file} has version ${head.data.version} of the baseline format, and this pushbench reads up to ` +
        `${baselineVersion}. Upgrade pushbench, or save it again.`,
    );
  const parsed = baselineSchema.safeParse(value);
  if (!parsed.success)
    throw new UserError('baseline-invalid', `${file} is not valid:\n${issuesText(parsed.error)}`);
  return parsed.data;
}
