// Implements `pushbench claims`: makes the page of claims from results, or again from the figures that it was
// made from; prints it, or writes it in a checkout of the repository.

import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { claimsSchema, figuresFrom, figuresSchema, type Figures } from '../core/comparison/claims.ts';
import { exitCodes, UserError, type ExitCode } from '../core/base/errors.ts';
import { issuesText } from '../core/base/issues.ts';
import { parseJson } from '../core/base/json.ts';
import { requireFinished } from '../core/result/missing.ts';
import { readText, tryReadText } from '../core/base/read-file.ts';
import { writeWhole } from '../harness/run/store.ts';
import { packageRoot } from '../harness/run/version.ts';
import { renderClaims } from '../reports/export/claims.ts';
import { readResult } from '../reports/read/read.ts';
import { complain } from './print.ts';

export type ClaimsFlags = { figures?: string; out?: string; write?: boolean };

const figuresFile = fileURLToPath(new URL('docs/results/claims.json', packageRoot));
const pageFile = fileURLToPath(new URL('docs/claims.md', packageRoot));
const claimsFile = fileURLToPath(new URL('scenarios/article/claims.yaml', packageRoot));

/** The claims, as shipped. */
export function readClaims() {
  return claimsSchema.parse(
    parse(
      readText(claimsFile, 'claims', { code: 'claims', what: `Cannot read the claims in ${claimsFile}` }),
    ),
  );
}

/**
 * Takes the claims' figures from results, of several of one scenario the last, beside what the figures file
 * holds of other scenarios, and prints the page. With `write` file and page are written.
 * @throws UserError when a result or the figures file cannot be read, or no result is of a
 *   scenario that a claim names
 */
export async function claimsCommand(
  paths: readonly string[],
  { figures: file = figuresFile, out, write = false }: ClaimsFlags,
): Promise<ExitCode> {
  if (write) requireCheckout(file, out);
  const read = readClaims();
  const { claims } = read;
  const figures = readFigures(file);
  const named = new Set(claims.flatMap((claim) => ('scenario' in claim ? [claim.scenario] : [])));
  let code: ExitCode = exitCodes.ok;
  for (const path of paths) {
    const result = await readResult(path);
    const { name } = result.scenario;
    requireFinished(path, result);
    if (result.simulated)
      throw new UserError(
        'claims',
        `${path} was simulated (from the profile "${result.simulated.profile.name}"), and only ` +
          'measurements test claims. Run the scenario: npm start -- run ' +
          `${name}.`,
      );
    if (!named.has(name))
      throw new UserError(
        'claims',
        `${path}: no claim is tested by the scenario "${name}". Claims are tested by ` +
          `${[...named].join(', ')}.`,
      );
    const taken = figuresFrom(result, claims);
    figures.scenarios[name] = taken;
    const unfound = Object.entries(taken.claims).filter(([, own]) =>
      Object.values(own).some(({ value }) => value === null),
    );
    for (const [id, own] of unfound) {
      const missing = Object.keys(own).filter((figure) => own[figure]!.value === null);
      complain(`${path}: the claim ${id} is not judged: the result has no figure for ${missing.join(', ')}.`);
      code = exitCodes.invalid;
    }
  }
  const page = renderClaims(read, figures);
  if (!write && out === undefined) process.stdout.write(page);
  if (out === '-') process.stdout.write(page);
  else if (write || out !== undefined) save(out ?? pageFile, page, 'Name another file with --out.');
  if (write && paths.length > 0)
    save(file, `${JSON.stringify(figures, null, 1)}\n`, 'Name another file with --figures.');
  return code;
}

function save(file: string, text: string, advice: string): void {
  writeWhole(file, text, advice);
  // On standard error, as the page may go to standard output.
  complain(`Written: ${relative('', file)}`);
}

/** @throws UserError where the files to be written are those of an installed package */
function requireCheckout(file: string, out: string | undefined): void {
  const ours = file === figuresFile || out === undefined;
  if (!ours || existsSync(new URL('scripts/claims.ts', packageRoot))) return;
  throw new UserError(
    'claims-write',
    'claims --write keeps the figures and the page in a checkout of pushbench, and this is an installed ' +
      'package. Leave --write out to print the page, or name both files: --figures FILE --out FILE.',
  );
}

const figuresHead = z.looseObject({ format: z.literal('pushbench-claims') });

function readFigures(file: string): Figures {
  const read = tryReadText(file, 'figures');
  if (!('text' in read)) {
    if (read.fault === 'missing') return { format: 'pushbench-claims', scenarios: {} };
    throw new UserError(
      'claims-figures',
      `Cannot read the figures in ${file}: ${read.why}. Name another file with --figures.`,
    );
  }
  const json = parseJson(read.text);
  const ours = 'value' in json && figuresHead.safeParse(json.value).success;
  const parsed = 'value' in json && ours ? figuresSchema.safeParse(json.value) : undefined;
  if (parsed?.success) return parsed.data;
  const why = parsed ? `:\n${issuesText(parsed.error)}\n` : ': "pushbench claims" did not write it. ';
  throw new UserError(
    'claims-figures',
    `${file} contains no figures of claims${why}Name another file with --figures, or remove it to ` +
      'start again.',
  );
}
