// Parses the text of a target file into a target, or into everything that is wrong with it, each mistake
// with its place and the nearest valid name. Reads no file itself.

import { UserError } from '../base/errors.ts';
import { expectation, findingsOf } from '../base/issues.ts';
import { pathText } from '../base/overrides.ts';
import { targetSchema, type Target } from './target.ts';
import { listNames } from '../base/suggest.ts';
import { largestFileBytes, otherKind, plainValue, readYaml, type Path } from '../base/yaml-document.ts';

const mostShown = 30;

/**
 * One of them is in every target file, whatever else is wrong with it; other files have a name or a URL too.
 */
const ownKeys = ['publish', 'subscribe'];

/**
 * Where no secret stands. Elsewhere a value may be one, as a header, or hold one, as a URL with a password.
 */
const plainPlaces = new Set<PropertyKey>(['name', 'topics', 'process', 'method', 'cursor', 'untilEmpty']);
const mayShow = (path: Path) =>
  plainPlaces.has(path[0] ?? '') || (plainPlaces.has(path.at(-1) ?? '') && !path.includes('headers'));

/**
 * Reads and checks a target file.
 * @param file what to call it in messages
 * @throws UserError `target`, a line for each mistake: `FILE:LINE:COLUMN: PATH: what is wrong`
 */
export function parseTarget(text: string, file: string): Target {
  if (Buffer.byteLength(text) > largestFileBytes)
    throw new UserError(
      'target',
      `${file}: a target file has at most 1 MiB, and this one has more. Is it the right file?`,
    );
  const yaml = readYaml(text);
  const mistakes = yaml.problems.map(({ line, column, message }) => ({ line, column, message }));
  const other = otherKind(yaml, ownKeys);
  if (other !== undefined && !yaml.exhausting) {
    const keys = listNames(Object.keys(targetSchema.shape), Infinity);
    const message = `this is not a target file: expected a map with the keys ${keys}; got ${other}`;
    return refuse(file, [{ line: 1, column: 1, message }]);
  }
  if (yaml.broken) return refuse(file, mistakes);
  const plain = plainValue(yaml);
  if ('problem' in plain) return refuse(file, [...mistakes, plain.problem]);
  const parsed = targetSchema.safeParse(plain.value, { error: expectation });
  for (const { path, part, message } of parsed.success
    ? []
    : findingsOf(parsed.error, plain.value, mayShow)) {
    mistakes.push({
      ...yaml.placeOf(path, part),
      message: `${path.length === 0 ? '' : `${pathText(path)}: `}${message}`,
    });
  }
  if (mistakes.length > 0 || !parsed.success) return refuse(file, mistakes);
  return parsed.data;
}

function refuse(file: string, mistakes: readonly { line: number; column: number; message: string }[]): never {
  const lines = mistakes
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
  const head =
    lines.length === 1
      ? `The target file ${file} cannot be used:`
      : `The target file ${file} cannot be used, for ${lines.length} reasons:`;
  const rest = lines.length > mostShown ? [`and ${lines.length - mostShown} more`] : [];
  throw new UserError('target', [head, ...lines.slice(0, mostShown), ...rest].join('\n'));
}
