// Writes the reference page of results: every key of result.json, and the figures that it has for other
// programs.

import { metrics } from '../../core/metrics/registry.ts';
import { ledgerCounts } from '../../core/result/ledger-counts.ts';
import { precision } from '../../core/result/latencies.ts';
import { absences } from '../../core/result/recovery.ts';
import { resultSchema } from '../../core/result/result.ts';
import { seriesColumns } from '../../core/result/series.ts';
import { storedHistogram } from '../../core/result/stored-histogram.ts';
import { counters } from '../../core/result/trial.ts';
import { trialFigures } from '../../core/result/trial-figures.ts';
import { keysOf, mergedKeys, nodeOf, type Key, type Shapes } from './keys.ts';
import { isBelow, pathBelow } from './key-table.ts';
import { code, contents, fenced, page, sentence, slugOf, table } from './markdown.ts';

/** What stands in many places of a result, by the word that the tables have for it. */
const shapes: Shapes = {
  histogram: nodeOf(storedHistogram, 'output'),
  counters: nodeOf(counters, 'output'),
  ledger: nodeOf(ledgerCounts, 'output'),
  precision: nodeOf(precision, 'output'),
  absences: nodeOf(absences, 'output'),
};

/** Figures as a trial may have them. */
const example = trialFigures.parse({
  variant: 'sse',
  repetition: 1,
  figures: {
    'latency.p50': { value: 1210, unit: metrics['latency.p50']!.unit, low: 1180, high: 1260 },
    'requests-per-delivery': { value: 0, unit: metrics['requests-per-delivery']!.unit },
    missed: { value: 0, unit: metrics['missed']!.unit },
  },
  none: { 'latency.p99.9': '4 events beyond it; 10 are needed' },
});

export function resultKeys(): Key[] {
  return mergedKeys(keysOf(nodeOf(resultSchema, 'output'), shapes));
}

const shapeWords = [
  { shape: 'histogram', title: 'A histogram', says: 'How every latency is kept.' },
  {
    shape: 'counters',
    title: 'Counters of one side',
    says: 'What servers and load processes count, under the same names, so that the two can be compared.',
  },
  { shape: 'ledger', title: 'The ledger', says: 'What became of every delivery of the measured phase.' },
  {
    shape: 'precision',
    title: 'Precision of a latency',
    says: 'How sure the percentiles of a latency are.',
  },
  {
    shape: 'absences',
    title: 'Absences of one cause',
    says: 'How the absences ended, and how long they were.',
  },
] as const;

const outcome = 'trials[].outcome';
const figures = 'figures';
const [whole, measured, columns] = [
  'The whole file',
  'What a trial measured',
  'Columns of the series',
] as const;

/** The page `result.md`. */
export function resultPage(): string {
  const all = resultKeys();
  const top = all.filter(({ path }) => !/[.[]/.test(path));
  const sections = top.filter(({ path }) => path !== 'figures' && all.some(isBelow(path)));
  return page('Results, key by key', [
    'A run writes `result.json` into its folder, and [every other form](../outputs.md) is made from it. It ' +
      'is written before the first trial and after each one; `state` says whether it is complete. ' +
      '[The schema](../../schema/result.schema.json) says the same for programs. Values whose names end in ' +
      '`Us` are microseconds, in `Ms` milliseconds, in `Bytes` bytes; a share is 0 to 1.',
    '`pushbench run --json` and `simulate --json` print the same on standard output when the run is over. ' +
      '`pushbench report RESULT --format json` (or `--json`) prints it too, with figures computed again; ' +
      'for several results it prints a list.',
    contents([
      whole,
      figures,
      ...sections.map(({ path }) => path),
      measured,
      ...shapeWords.map(({ title }) => title),
      columns,
    ]),
    `## ${whole}`,
    table(
      ['key', 'type', 'values', 'always there', 'meaning'],
      top.map((key) => [
        key.path === figures || sections.includes(key)
          ? `[${code(key.path)}](#${slugOf(key.path)})`
          : code(key.path),
        ...cellsOf(key),
      ]),
    ),
    `## ${figures}`,
    'The figures of each trial by the names of [their metrics](metrics.md), so that a script need not ' +
      'decode histograms.',
    fenced('json', JSON.stringify(example, null, 2)),
    tableOf(all.filter(isBelow(figures)), figures),
    ...sections.flatMap(({ path, says }) => [
      `## ${path}`,
      sentence(says),
      tableOf(
        all.filter((key) => isBelow(path)(key) && !isBelow(outcome)(key)),
        path,
      ),
    ]),
    `## ${measured}`,
    ...outcomeParts(all),
    ...shapeWords.flatMap(({ shape, title, says }) => [
      `## ${title}`,
      says,
      tableOf(mergedKeys(keysOf(shapes[shape]!, shapes)), ''), // it is one of them
    ]),
    `## ${columns}`,
    'Rates are per second over the slot.',
    table(
      ['column', 'meaning'],
      Object.entries(seriesColumns).map(([name, says]) => [code(name), says]),
    ),
  ]);
}

/** A table of what is in the outcome of a trial, and one for each of its parts. */
function outcomeParts(all: readonly Key[]): string[] {
  const form = 'completed';
  const parts = all.filter(isBelow(outcome)).filter((key) => !/[.[]/.test(pathBelow(key, outcome)));
  return [
    'The `outcome` of a trial that completed. A failed one has only `status`, `valid`, `code` and `message`.',
    tableOf(parts, outcome, form),
    ...parts.flatMap(({ path }) => {
      const own = all.filter(isBelow(path));
      return own.length === 0 ? [] : [`### ${path.slice('trials[].'.length)}`, tableOf(own, path, form)];
    }),
  ];
}

/** @param usual a form that needs no mention */
function cellsOf(key: Key, usual = ''): string[] {
  const isThere = key.default === 'required' || key.default.startsWith('`');
  // The word that tells the forms apart is in each of them.
  const isInAll = key.form === '' || key.values.replaceAll('`', '') === key.form;
  const isUsual = isInAll || key.form.split(', ').includes(usual);
  const there = isUsual ? 'yes' : `with ${key.form}`;
  return [key.type, key.values, isThere ? there : '', key.says];
}

function tableOf(keys: readonly Key[], prefix: string, usual?: string): string {
  return table(
    ['key', 'type', 'values', 'always there', 'meaning'],
    keys.map((key) => [code(pathBelow(key, prefix)), ...cellsOf(key, usual)]),
  );
}
