// `pushbench claims`: the page of claims from results, or anew from the figures that it was made from.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { claimsSchema, figuresFrom, figuresSchema, type Figures } from '../core/claims.ts';
import { exitCodes, messageOf, UserError, type ExitCode } from '../core/errors.ts';
import { writeWhole } from '../harness/store.ts';
import { packageRoot } from '../harness/version.ts';
import { renderClaims } from '../reports/claims.ts';
import { readResult } from '../reports/read.ts';

export type ClaimsFlags = { figures: string; out: string };

const claimsFile = fileURLToPath(new URL('scenarios/article/claims.yaml', packageRoot));

/** The claims, as shipped. */
export function readClaims() {
  return claimsSchema.parse(parse(readFileSync(claimsFile, 'utf8')));
}

/**
 * Takes the claims' figures from results, of several of one scenario the last, beside what the figures file holds of
 * other scenarios, and writes file and page.
 * @throws UserError when a result or the figures file cannot be read, or no result is of a scenario that a claim names
 */
export async function claimsCommand(paths: readonly string[], { figures: file, out }: ClaimsFlags): Promise<ExitCode> {
  const { article, claims } = readClaims();
  const figures = readFigures(file);
  const named = new Set(claims.flatMap((claim) => ('scenario' in claim ? [claim.scenario] : [])));
  for (const path of paths) {
    const result = await readResult(path);
    const { name } = result.scenario;
    if (!named.has(name)) throw new UserError('claims', `${path}: no claim is tested by the scenario "${name}". Claims are tested by ${[...named].join(', ')}.`);
    figures.scenarios[name] = figuresFrom(result, claims);
  }
  if (paths.length > 0) writeWhole(file, `${JSON.stringify(figures, null, 1)}\n`);
  const page = renderClaims(article, claims, figures);
  if (out === '-') process.stdout.write(page);
  else writeWhole(out, page);
  return exitCodes.ok;
}

function readFigures(file: string): Figures {
  if (!existsSync(file)) return { format: 'pushbench-claims', scenarios: {} };
  try {
    return figuresSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new UserError('claims-figures', `${file} holds no figures of claims: ${messageOf(error)}. Name another file with --figures, or remove it to start anew.`);
  }
}
