// Says in words what zod found wrong with a value: which key was meant, what was expected and what was
// given. For a union it explains the branch that was meant. Places in a file are not known here.

import { z } from 'zod';
import { listNames, nearest } from './suggest.ts';
import type { Path } from './yaml-document.ts';

/** Keys named in one message: all that a scenario may have. */
const mostKeys = 30;

/** One mistake; `part` says whether the key at the path is wrong or its value. */
export type Finding = { path: Path; part: 'key' | 'value'; message: string };

type Issue = z.core.$ZodIssue;
type UnknownKeys = Extract<Issue, { code: 'unrecognized_keys' }>;

/**
 * To be given to `safeParse` as `error`, for issues whose schema has no message of its own: it ends the
 * sentence "expected ...". For unknown keys it lists the known ones, with spaces between, since an
 * issue does not hold them.
 */
export const expectation: z.core.$ZodErrorMap = (issue) => {
  const { inst } = issue;
  switch (issue.code) {
    case 'unrecognized_keys':
      return inst instanceof z.ZodObject ? Object.keys(inst.shape).join(' ') : '';
    case 'invalid_type':
      if (inst instanceof z.ZodObject)
        return `a map with the keys ${listNames(Object.keys(inst.shape), mostKeys)}`;
      return inst instanceof z.ZodNumberFormat
        ? 'a whole number'
        : (typeNames[issue.expected] ?? issue.expected);
    case 'invalid_value':
      return issue.values.length === 1
        ? JSON.stringify(issue.values[0])
        : `one of ${listNames(issue.values.map(String))}`;
    case 'invalid_union':
      return inst instanceof z.ZodType ? inst.description : undefined;
    case 'too_small':
      return issue.origin === 'string'
        ? 'some text'
        : `${sizeNames[issue.origin] ?? issue.origin} at least ${issue.minimum}`;
    case 'too_big':
      return `${sizeNames[issue.origin] ?? issue.origin} at most ${issue.maximum}`;
    default:
      return undefined;
  }
};

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  record: 'a map of names to values',
};
const sizeNames: Readonly<Record<string, string>> = {
  string: 'text of',
  array: 'a list of',
  number: 'a number of',
};

/** Mistakes of a stored file that are listed. */
const mostListed = 20;
/** One mistake may be a list of thousands of unknown keys. */
const mostCharacters = 300;

/** What is wrong with a stored file of ours, a few lines of it. */
export function issuesText(error: z.ZodError): string {
  const { issues } = error;
  const lines = z.prettifyError(new z.ZodError(issues.slice(0, mostListed))).split('\n');
  const listed = lines
    .map((line) => (line.length > mostCharacters ? `${line.slice(0, mostCharacters)}...` : line))
    .join('\n');
  return issues.length > mostListed ? `${listed}\nand ${issues.length - mostListed} more` : listed;
}

/** Says of a path whether its value may stand in a message. */
type MayShow = (path: Path) => boolean;

/**
 * All that is wrong with `input`.
 * @param error of a parse with `error: expectation`
 * @param mayShow where it says no, a message says what kind of value was given, and not
 *   which; all may when left out
 */
export function findingsOf(error: z.ZodError, input: unknown, mayShow: MayShow = () => true): Finding[] {
  return explain(error.issues, [], input, mayShow);
}

/** @param input the whole input, @param base the path that the issues' own paths begin at */
function explain(issues: readonly Issue[], base: Path, input: unknown, mayShow: MayShow): Finding[] {
  const meant = new Set(
    issues
      .filter(isUnknownKeys)
      .flatMap((issue) => suggestionsOf(issue).map((key) => JSON.stringify([...base, ...issue.path, key]))),
  );
  const misread = new Set(issues.filter(isUnknownKeys).map(({ path }) => JSON.stringify([...base, ...path])));
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path];
    const given = valueAt(input, path);
    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.map((key): Finding => ({
          path: [...path, key],
          part: 'key',
          message: unknownKey(key, issue),
        }));
      case 'invalid_key':
        return issue.issues.map(({ message }): Finding => ({ path, part: 'key', message }));
      case 'custom':
        // What holds for a map as a whole says little while its keys are not understood.
        return misread.has(JSON.stringify(path)) ? [] : [{ path, part: 'value', message: issue.message }];
      default:
        // A key that is missing because it was misspelt has been spoken of.
        if (given === undefined) return meant.has(JSON.stringify(path)) ? [] : [missing(path, issue.message)];
        return issue.code === 'invalid_union'
          ? explainUnion(issue, path, input, mayShow)
          : [unexpected(path, [issue], given, mayShow(path))];
    }
  });
}

function explainUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  input: unknown,
  mayShow: MayShow,
): Finding[] {
  const given = valueAt(input, path);
  // A branch that asks for another kind of value altogether was not meant: a map for text, text for a map.
  const fitting = issue.errors.filter(
    (branch) => !branch.some((one) => one.path.length === 0 && isOtherKind(one, given)),
  );
  const scores = fitting.map((branch) =>
    branch
      .filter((one) => one.path.length === 0)
      .filter(isUnknownKeys)
      .reduce((sum, one) => sum + strangeness(one), 0),
  );
  const least = Math.min(...scores);
  const likely = fitting.filter((_, i) => scores[i] === least);
  if (likely.length === 1) return explain(likely[0]!, path, input, mayShow);
  const whole = likely.flat().filter((one) => one.path.length === 0);
  if (!isMap(given) && whole.length > 0) return [unexpected(path, whole, given, mayShow(path))];
  return [unexpected(path, [issue], given, mayShow(path))];
}

/** The more, the less the branch was meant: 1 for a key that is nearly one of its own, 2 for any other. */
function strangeness(issue: UnknownKeys): number {
  return 2 * issue.keys.length - suggestionsOf(issue).length;
}

function isOtherKind(issue: Issue, given: unknown): boolean {
  if (issue.code !== 'invalid_type') return issue.code === 'invalid_value' && isMap(given);
  const wantsMap = issue.expected === 'object' || issue.expected === 'record';
  return wantsMap !== isMap(given);
}

function suggestionsOf(issue: UnknownKeys): string[] {
  return issue.keys.flatMap((key) => nearest(key, issue.message.split(' ')) ?? []);
}

function unknownKey(key: string, issue: UnknownKeys): string {
  const known = issue.message.split(' ');
  const near = nearest(key, known);
  return near
    ? `unknown key; did you mean "${near}"?`
    : `unknown key; possible here: ${listNames(known, mostKeys)}`;
}

function missing(path: Path, expected: string): Finding {
  return {
    path: path.slice(0, -1),
    part: 'key',
    message: `"${String(path.at(-1))}" is missing: expected ${expected}`,
  };
}

function unexpected(path: Path, issues: readonly Issue[], given: unknown, show: boolean): Finding {
  const values = issues.flatMap((issue) => (issue.code === 'invalid_value' ? issue.values.map(String) : []));
  const near = typeof given === 'string' ? nearest(given, values) : undefined;
  const expected = [...new Set(issues.map(({ message }) => message))].join(', or ');
  return {
    path,
    part: 'value',
    message:
      `expected ${expected}; got ` +
      `${show ? shown(given) : kindOf(given)}${near ? `; did you mean "${near}"?` : ''}`,
  };
}

/** What kind of value it is, for a message that must not hold the value itself. */
function kindOf(value: unknown): string {
  if (value === null || value === '') return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object'
    ? 'a map'
    : typeof value === 'string'
      ? 'other text'
      : (typeNames[typeof value] ?? 'something else');
}

/** A value in a message: as JSON, cut short. */
function shown(value: unknown): string {
  if (value === null || value === '') return 'nothing';
  const json = JSON.stringify(value);
  return json.length > 60 ? `${json.slice(0, 57)}...` : json;
}

function isUnknownKeys(issue: Issue): issue is UnknownKeys {
  return issue.code === 'unrecognized_keys';
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, segment) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, segment)
        ? (value as Record<PropertyKey, unknown>)[segment]
        : undefined,
    input,
  );
}
