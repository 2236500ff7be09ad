// Loads the bodies of `payload: { from }`: a JSON or NDJSON file, or an npm package of examples. Which body
// is sent when is core/plan/schedule.ts.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join, resolve } from 'node:path';
import { UserError } from '../../core/base/errors.ts';
import { parseJson } from '../../core/base/json.ts';
import { readText } from '../../core/base/read-file.ts';
import { formatNumber } from '../../core/base/units.ts';

/** So many small bodies take some 100 MB on both sides. */
const mostBodies = 1_000_000;

const lineEndings = new Set(['.ndjson', '.jsonl']);

/**
 * Reads a corpus.
 *
 * A `.json` file holds a list, each value of it a body as `JSON.stringify` writes it; a `.ndjson` or `.jsonl`
 * file has a body in each line, taken as it is, empty lines left out. Anything else is an npm package, whose
 * main file is such a list, or groups of them as `[{ name, examples: [...] }]`.
 *
 * @param from a path relative to the scenario, or the name of a package; packages are looked for from the
 *   scenario's folder, from the working directory, and among those of pushbench itself
 * @param folder the scenario's folder
 * @returns at least one body
 * @throws UserError `corpus` when there is none, it cannot be read, or it is too large
 */
export function loadCorpus(from: string, folder: string): string[] {
  const file = findFile(from, folder);
  const text = textOf(file, from);
  const bodies = lineEndings.has(extname(file))
    ? linesOf(text, from)
    : valuesOf(text, from).map((value) => JSON.stringify(value));
  if (bodies.length === 0)
    throw new UserError(
      'corpus',
      `The corpus "${from}" is empty: ${file} holds no body. It needs at least one.`,
    );
  return bodies;
}

function findFile(from: string, folder: string): string {
  const isText = extname(from) === '.json' || lineEndings.has(extname(from));
  const beside = resolve(folder, from);
  if (isText && existsSync(beside)) return beside;
  const noFile =
    `There is no corpus ${beside}; payload.from is "${from}", and ` +
    'files are looked for beside the scenario.';
  if (/^(\.{0,2}\/|[A-Za-z]:)/.test(from) || (isText && !from.includes('/'))) {
    throw new UserError(
      'corpus',
      isText ? noFile : `${noFile} A corpus file ends in .json, .ndjson or .jsonl.`,
    );
  }
  for (const base of [folder, process.cwd(), import.meta.dirname]) {
    try {
      return createRequire(join(resolve(base), 'from-here.js')).resolve(from);
    } catch (error) {
      // Not found from there, or not open to the outside.
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }
  const name = from.split('/', from.startsWith('@') ? 2 : 1).join('/');
  const missing = isText
    ? `${noFile} The package "${name}" is not installed either`
    : `The package "${name}" that payload.from names is not installed`;
  throw new UserError(
    'corpus',
    `${missing}. Run "npm install --no-save ${name}" in the folder that you start pushbench in.`,
  );
}

function textOf(file: string, from: string): string {
  if (extname(file) !== '.json' && !lineEndings.has(extname(file))) {
    throw new UserError(
      'corpus',
      `The corpus "${from}" is not JSON: its main file is ${file}. Name a package whose main file is ` +
        'JSON, or a .json or .ndjson file.',
    );
  }
  return readText(file, 'corpus', {
    code: 'corpus',
    what: `Cannot read the corpus ${file}`,
    next: 'A corpus is text in UTF-8; use a part of a larger one.',
  });
}

/** Line by line, for a list of all would not fit into memory where they are short. */
function linesOf(text: string, from: string): string[] {
  const lines: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end === -1 ? text.length : end).replace(/\r$/, '');
    if (line.trim() !== '') lines.push(line);
    if (lines.length > mostBodies) refuseMany(from);
    at = end === -1 ? text.length : end + 1;
  }
  return lines;
}

function refuseMany(from: string): never {
  throw new UserError(
    'corpus',
    `The corpus "${from}" holds more than ${formatNumber(mostBodies)} bodies. Use a part of it.`,
  );
}

/** The values of a list; of a list of groups, all their examples. */
function valuesOf(text: string, from: string): unknown[] {
  const parsed = parseJson(text);
  if ('problem' in parsed) {
    throw new UserError(
      'corpus',
      `The corpus "${from}" is not JSON: expected a JSON list whose entries are the bodies${parsed.problem}.`,
    );
  }
  if (!Array.isArray(parsed.value))
    throw new UserError(
      'corpus',
      `The corpus "${from}" is JSON, but not a list; each entry of a list is a body.`,
    );
  const values: unknown[] = parsed.value;
  const bodies =
    values.length > 0 && values.every(isGroup) ? values.flatMap(({ examples }) => examples) : values;
  return bodies.length > mostBodies ? refuseMany(from) : bodies;
}

function isGroup(value: unknown): value is { examples: unknown[] } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    'examples' in value &&
    Array.isArray(value.examples)
  );
}
