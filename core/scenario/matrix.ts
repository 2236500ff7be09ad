// Computes the cells of a matrix of parameters: which there are, what each is called, and its values on an
// axis. scenario-file.ts checks each cell's scenario, and the harness runs them.

import { listNames } from '../base/suggest.ts';
import { parseDurationMs, parseShare, parseSizeBytes, parseTopicRate } from '../base/units.ts';

/**
 * Values by their path in the scenario, as the scenario writes them:
 * `{ subscribers: '100', 'topics.news.publish': '10/s' }`.
 */
export type Parameters = Readonly<Record<string, string>>;

/** A value as a scenario writes it, or under a name of its own where it is long. */
export type MatrixValue = string | number | { as: string; is: unknown };
export type Matrix = Readonly<Record<string, readonly MatrixValue[]>>;

/** What labels and `where` call a value. */
export function valueName(value: MatrixValue): string {
  return typeof value === 'object' ? value.as : String(value);
}

/** More cells than this are a mistake, not a measurement. */
export const mostCells = 200;
/** What a matrix cannot change, as all of its cells share it. */
export const outsideMatrix = [
  'question',
  'notice',
  'answer',
  'variants',
  'repeat',
  'expect',
  'matrix',
  'curves',
  'axis',
  'search',
  'closedLoop',
] as const;

/** Every combination, the last path's values changing soonest; none for an empty matrix. */
export function cellsOf(matrix: Matrix): Parameters[] {
  const paths = Object.entries(matrix);
  if (paths.length === 0) return [];
  return paths.reduce<Parameters[]>(
    (cells, [path, values]) =>
      cells.flatMap((cell) => values.map((value) => ({ ...cell, [path]: valueName(value) }))),
    [{}],
  );
}

/** The arguments of `--set` that turn the scenario into a cell's. */
export function cellOverrides(matrix: Matrix, cell: Parameters): string[] {
  return Object.entries(cell).map(([path, name]) => {
    const value = matrix[path]?.find((one) => valueName(one) === name);
    return `${path}=${typeof value === 'object' ? JSON.stringify(value.is) : name}`; // JSON is YAML
  });
}

/** `publish=10/s`, `subscribers=100, payload=64B`: paths by their last word where that tells them apart. */
export function cellText(parameters: Parameters): string {
  const paths = Object.keys(parameters);
  return Object.entries(parameters)
    .map(([path, value]) => `${shortPath(path, paths)}=${value}`)
    .join(', ');
}

/** The last word of a path, or all of it where another path ends with the same word. */
export function shortPath(path: string, paths: readonly string[]): string {
  const last = (one: string) => one.slice(one.lastIndexOf('.') + 1);
  return paths.filter((other) => last(other) === last(path)).length > 1 ? path : last(path);
}

/** The unit of `0.5/s each`. */
export const eachSecond = 'a second and topic';

/** A value on an axis, and the unit of that axis; `undefined` for a value without magnitude. */
export function magnitudeOf(value: string): { value: number; unit: string } | undefined {
  const rate = parseTopicRate(value);
  const readings: [number | undefined, string][] = [
    [/^\d+(\.\d+)?$/.test(value) ? Number(value) : undefined, ''],
    [rate?.perS, rate?.each ? eachSecond : 'a second'],
    [parseSizeBytes(value), 'bytes'],
    [parseDurationMs(value), 'ms'],
    [parseShare(value), 'share'],
  ];
  const found = readings.find(([number]) => number !== undefined);
  return found && { value: found[0]!, unit: found[1] };
}

/** Expectations for cells that the matrix does not have. */
export function whereProblems(
  matrix: Matrix,
  expect: readonly { where?: Readonly<Record<string, readonly string[]>> | undefined }[],
): { path: (string | number)[]; message: string }[] {
  return expect.flatMap(({ where = {} }, i) =>
    Object.entries(where).flatMap(([path, values]) => {
      const known = Object.hasOwn(matrix, path) ? matrix[path]!.map(valueName) : undefined;
      const place = ['expect', i, 'where', path];
      if (!known)
        return [
          {
            path: place,
            message:
              Object.keys(matrix).length === 0
                ? 'there is no matrix in this scenario, so "where" means nothing'
                : `the matrix has no "${path}"; it has ${listNames(Object.keys(matrix))}`,
          },
        ];
      return values
        .filter((value) => !known.includes(value))
        .map((value) => ({
          path: place,
          message: `the matrix has no cell with ${path} = ${value}; there are ${listNames(known)}`,
        }));
    }),
  );
}

/** Finds rates with `each` that are mixed with rates for all topics together, or treated as such. */
export function ratesProblems(
  matrix: Matrix,
  axis: { perSubscriber: boolean } | undefined,
): { path: (string | number)[]; message: string }[] {
  const isEach = (value: MatrixValue) => parseTopicRate(valueName(value))?.each;
  const mixed = Object.entries(matrix).filter(
    ([, values]) => values.some((value) => isEach(value) === true) && !values.every((value) => isEach(value)),
  );
  const [first = []] = Object.values(matrix);
  return [
    ...mixed.map(([path]) => ({
      path: ['matrix', path],
      message: 'some of these rates are those of "each" topic and some of all together; write all alike',
    })),
    ...(axis?.perSubscriber === true && first.some((value) => isEach(value))
      ? [
          {
            path: ['axis', 'perSubscriber'],
            message:
              'the rates of the matrix are those of each topic already; ' +
              'leave perSubscriber out, so that they are not divided again',
          },
        ]
      : []),
  ];
}
