// Runs parts of the validation and keeps the figures of each in a file of its own, so that a part that dies
// takes no other's figures with it, and one can be repeated without the rest.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../core/base/errors.ts';
import { readText } from '../../core/base/read-file.ts';
import { writeWhole } from '../../harness/run/store.ts';
import { validationPage } from './document.ts';
import { keptSchema, type Kept, type Outcome, type Part } from './part.ts';

export type PartsOptions = {
  /** All that there are, in the order of the page. */
  parts: Readonly<Record<string, () => Promise<Part>>>;
  /** Those to run. */
  names: readonly string[];
  quick: boolean;
  /** The one case to run of each; all when left out. */
  seed?: number;
  /** How many cases to run of each; as many as the part has when left out. */
  cases?: number;
  /** Nothing is run: what was measured before is predicted again. */
  again?: boolean;
  /** Of this machine, for parts that need one. */
  profile?: string;
  /** Where the figures are kept, a file a part. */
  folder: string;
  /** The document, written again after each part. */
  page: string;
  machine: string;
  /** What the models are of. */
  commit: string;
  log(text: string): void;
};

/** @returns the parts that did not come to their end, or in which something did not hold */
export async function runParts({
  parts,
  names,
  quick,
  seed,
  cases,
  again = false,
  profile,
  folder,
  page,
  machine,
  commit,
  log,
}: PartsOptions): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const fileOf = (name: string) => join(folder, `${name}.json`);
  const bad: string[] = [];
  for (const name of names) {
    log(`\n## ${name}`);
    const from = performance.now();
    try {
      const part = await parts[name]!(); // the caller checked the names
      const { title } = part;
      const ranNow = (outcome: Outcome): Kept => ({
        ...outcome,
        title,
        ranAt: new Date().toISOString(),
        seconds: Math.round((performance.now() - from) / 1000),
        machine,
      });
      const kept = again
        ? await predictAgain(part, readKept(fileOf(name)), { profile, commit })
        : ranNow(
            await (seed === undefined ? manyCases(part, quick, { cases, profile }) : oneCase(part, seed)),
          );
      writeWhole(fileOf(name), `${JSON.stringify(kept, null, 1)}\n`);
      for (const { text, held } of kept.claims) log(`${held ? 'held' : 'FAILED'}: ${text}`);
      if (kept.claims.some(({ held }) => !held)) bad.push(name);
    } catch (error) {
      bad.push(name);
      log(
        `DIED after ${Math.round((performance.now() - from) / 1000)} s: ${messageOf(error)}\n` +
          `What was kept of earlier runs stays. Repeat it with: npm run validate -- --only ${name}`,
      );
    }
    writeWhole(
      page,
      validationPage(Object.fromEntries(Object.keys(parts).map((one) => [one, readKept(fileOf(one))]))),
    );
  }
  return bad;
}

/** @throws Error when the part has no numbered cases */
function oneCase({ title, repeat }: Part, seed: number): Promise<Outcome> {
  if (!repeat) throw new Error(`"${title}" has no cases that could be repeated by a number`);
  return repeat(seed);
}

/** @throws Error when a number is given and the part's is fixed */
function manyCases(
  part: Part,
  quick: boolean,
  { cases, profile }: { cases: number | undefined; profile: string | undefined },
): Promise<Outcome> {
  if (cases !== undefined && part.cases === undefined)
    throw new Error(`"${part.title}" has a fixed number of cases; leave --cases out`);
  return part.run(quick, cases, profile);
}

/** @throws Error where the part predicts nothing, or what it measured is not kept */
async function predictAgain(
  part: Part,
  kept: Kept | undefined,
  { profile, commit }: { profile: string | undefined; commit: string },
): Promise<Kept> {
  if (!part.again) throw new Error(`"${part.title}" compares no predictions with measurements`);
  if (kept?.measured === undefined)
    throw new Error('nothing that was measured is kept: run it once without --predict-again');
  return {
    ...kept,
    ...(await part.again(kept.measured, profile)),
    predicted: { at: new Date().toISOString(), commit },
  };
}

/** @returns `undefined` where nothing is kept, or what is there is of another shape */
function readKept(file: string): Kept | undefined {
  try {
    return keptSchema.parse(JSON.parse(readText(file, 'validation', { code: 'validation', what: file })));
  } catch {
    return undefined;
  }
}
