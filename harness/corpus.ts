// Bodies for `payload: { from }`: a JSON or NDJSON file, or an npm package of examples. Which body goes out when
// is core/schedule.ts.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join, resolve } from 'node:path';
import { messageOf, UserError } from '../core/errors.ts';
import { largestBodyBytes } from '../core/payload.ts';
import { formatBytes } from '../core/units.ts';

/** All bodies of a corpus go to the publisher in one message, and stay in memory on both sides. */
const largestCorpusBytes = largestBodyBytes;

const lineEndings = new Set(['.ndjson', '.jsonl']);

/**
 * Reads a corpus.
 *
 * A `.json` file holds a list, each value of it a body as `JSON.stringify` writes it; a `.ndjson` or `.jsonl` file
 * has a body in each line, taken as it is, empty lines left out. Anything else is an npm package, whose main file is
 * such a list, or groups of them as `[{ name, examples: [...] }]`.
 *
 * @param from a path relative to the scenario, or the name of a package; packages are looked for from the
 *   scenario's folder, from the working directory, and among those of pushbench itself
 * @param folder the scenario's folder
 * @returns at least one body
 * @throws UserError `corpus` when there is none, it cannot be read, or it is too large
 */
export function loadCorpus(from: string, folder: string): string[] {
  const file = findFile(from, folder);
  const text = readText(file, from);
  const bodies = lineEndings.has(extname(file)) ? linesOf(text) : valuesOf(text, from).map((value) => JSON.stringify(value));
  if (bodies.length === 0) throw new UserError('corpus', `The corpus "${from}" is empty: ${file} holds no body. It needs at least one.`);
  return bodies;
}

function findFile(from: string, folder: string): string {
  const isText = extname(from) === '.json' || lineEndings.has(extname(from));
  const beside = resolve(folder, from);
  if (isText && existsSync(beside)) return beside;
  const noFile = `There is no corpus ${beside}; payload.from is "${from}", and files are looked for beside the scenario.`;
  if (/^(\.{0,2}\/|[A-Za-z]:)/.test(from) || (isText && !from.includes('/'))) {
    throw new UserError('corpus', isText ? noFile : `${noFile} A corpus file ends in .json, .ndjson or .jsonl.`);
  }
  for (const base of [folder, process.cwd(), import.meta.dirname]) {
    try {
      return createRequire(join(resolve(base), 'from-here.js')).resolve(from);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error; // not found from there, or not open to the outside
    }
  }
  const name = from.split('/', from.startsWith('@') ? 2 : 1).join('/');
  const missing = isText ? `${noFile} The package "${name}" is not installed either` : `The package "${name}" that payload.from names is not installed`;
  throw new UserError('corpus', `${missing}. Run "npm install --no-save ${name}" in the folder that you start pushbench in.`);
}

function readText(file: string, from: string): string {
  if (extname(file) !== '.json' && !lineEndings.has(extname(file))) {
    throw new UserError('corpus', `The corpus "${from}" is not JSON: its main file is ${file}. Name a package whose main file is JSON, or a .json or .ndjson file.`);
  }
  let bytes: Buffer;
  try {
    const { size } = statSync(file);
    if (size > largestCorpusBytes) throw new UserError('corpus', `The corpus ${file} is larger than ${formatBytes(largestCorpusBytes)}, the most that the publisher keeps in memory. Use a part of it.`);
    bytes = readFileSync(file);
  } catch (error) {
    throw error instanceof UserError ? error : new UserError('corpus', `Cannot read the corpus ${file}: ${messageOf(error)}.`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError('corpus', `The corpus ${file} is not text in UTF-8; bodies of events are. Convert it first.`);
  }
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

/** The values of a list; of a list of groups, all their examples. */
function valuesOf(text: string, from: string): unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new UserError('corpus', `The corpus "${from}" is not JSON: ${messageOf(error)}.`);
  }
  if (!Array.isArray(parsed)) throw new UserError('corpus', `The corpus "${from}" is JSON, but no list; each entry of a list is a body.`);
  const values: unknown[] = parsed;
  return values.length > 0 && values.every(isGroup) ? values.flatMap(({ examples }) => examples) : values;
}

function isGroup(value: unknown): value is { examples: unknown[] } {
  return typeof value === 'object' && value !== null && 'name' in value && 'examples' in value && Array.isArray(value.examples);
}
