// Parses the text of a scenario file into a scenario, or into everything that is wrong with it, each
// mistake with its place and the nearest valid name. Reads no file itself.

import { basename, extname } from 'node:path';
import { contradictionsOf, totalEvents } from './contradictions.ts';
import { UserError } from '../base/errors.ts';
import { variantsCalled, withoutTarget } from './expectations.ts';
import { expectation, findingsOf } from '../base/issues.ts';
import { cellOverrides, cellsOf, cellText, ratesProblems, valueName, whereProblems } from './matrix.ts';
import { percentileHints } from './percentile-hints.ts';
import { mostTrials } from './search.ts';
import { applyOverrides, pathText } from '../base/overrides.ts';
import { listNames } from '../base/suggest.ts';
import type { PatternRegistry } from '../pattern/pattern.ts';
import { fullName, type Variant } from '../pattern/variant.ts';
import { partsOf } from './valid-parts.ts';
import { oneLine } from '../base/printable.ts';
import { scenarioSchema, type Scenario } from './scenario.ts';
import { planTopics, topicCount } from './topics.ts';
import { counted } from '../base/counted.ts';
import { formatUs, writeDuration } from '../base/units.ts';
import {
  largestFileBytes,
  otherKind,
  plainValue,
  readYaml,
  type Path,
  type YamlFile,
} from '../base/yaml-document.ts';
import { trialMs } from './trial-time.ts';

export type ParseOptions = {
  /** What to call the file in messages; the scenario gets its name without folder and ending. */
  file: string;
  registry: PatternRegistry;
  /** `path=value`, as `--set` gives them. */
  overrides: readonly string[];
  /** Read the scenario of a cell, whose own matrix is left alone. */
  inCell?: boolean;
  /** Nothing is started, so limits that a scenario leaves to the server do not bound it. */
  simulated?: boolean;
};

/** One of them is in every scenario, whatever else is wrong with it. */
const ownKeys = ['question', 'subscribers', 'topics', 'variants'];

/** Problems shown at once; nobody fixes more than these before the next try. */
const mostShown = 30;

/**
 * Reads and checks a scenario.
 * @returns the scenario, and its YAML with the overrides in it
 * @throws UserError `scenario`, a line for each mistake: `FILE:LINE:COLUMN: PATH: what is wrong`, or
 *   `--set TEXT: ...` for one that an override brought
 */
export function parseScenario(
  text: string,
  { file, registry, overrides, inCell = false, simulated = false }: ParseOptions,
): { scenario: Scenario; source: string } {
  if (Buffer.byteLength(text) > largestFileBytes)
    throw new UserError(
      'scenario',
      `${file}: a scenario file has at most 1 MiB, and this one has more. Is it the right file?`,
    );
  const yaml = readYaml(text);
  const mistakes: Mistake[] = yaml.problems.map(({ line, column, message }) => ({
    place: { line, column },
    message,
  }));
  const schema = scenarioSchema(registry);
  const other = otherKind(yaml, ownKeys);
  const bomb = yaml.exhausting || other === undefined || yaml.broken ? undefined : plainValue(yaml);
  const place = { line: 1, column: 1 };
  if (bomb && 'problem' in bomb) refuse(file, [{ place, message: bomb.problem.message }]);
  if (other !== undefined && !yaml.exhausting) {
    const keys = listNames(Object.keys(schema.shape), Infinity);
    refuse(file, [
      { place, message: `this is not a scenario: expected a map with the keys ${keys}; got ${other}` },
    ]);
  }
  if (yaml.broken) refuse(file, mistakes);

  const alsoNamed = overrides.length > 0 ? variantsOf(yaml, schema) : [];
  const { applied, problems } = applyOverrides(yaml.doc, overrides);
  mistakes.push(...problems.map(({ text: override, message }) => ({ place: override, message })));
  const plain = plainValue(yaml);
  if ('problem' in plain)
    return refuse(file, [...mistakes, { place: { line: 1, column: 1 }, message: plain.problem.message }]);

  const { value } = plain;
  const parsed = schema.safeParse(value, { error: expectation });
  const add = (path: Path, part: 'key' | 'value', message: string) => {
    const override = applied.findLast((one) => one.path.every((segment, i) => path[i] === segment));
    const name = path.length === 0 ? '' : `${pathText(path)}: `;
    mistakes.push({ place: override ? override.text : yaml.placeOf(path, part), message: name + message });
  };
  for (const { path, part, message } of parsed.success ? [] : findingsOf(parsed.error, value))
    add(path, part, message);
  for (const { path, message } of contradictionsOf(partsOf(schema, value), {
    registry,
    alsoNamed,
    simulated,
  }))
    add(path, 'value', message);
  if (mistakes.length > 0 || !parsed.success) return refuse(file, mistakes);
  const scenario: Scenario = { ...parsed.data, name: oneLine(basename(file, extname(file))), cells: [] };
  for (const parameters of inCell ? [] : cellsOf(scenario.matrix)) {
    const own = cellOverrides(scenario.matrix, parameters);
    const options = { file, registry, overrides: [...overrides, ...own], inCell: true, simulated };
    const problem = problemWith(text, options);
    if (problem === undefined)
      scenario.cells.push({ parameters, scenario: parseScenario(text, options).scenario });
    else
      mistakes.push({
        place: yaml.placeOf(['matrix'], 'key'),
        message: `matrix: in the cell ${cellText(parameters)}: ${problem}`,
      });
  }
  for (const [i, { what, from, to }] of inCell ? [] : scenario.search.entries()) {
    if (scenario.cells.length > 0 || scenario.repeat > 1)
      mistakes.push({
        place: yaml.placeOf(['search'], 'key'),
        message: 'search: a scenario has a search, or a matrix, or repeats its trials; leave the others out',
      });
    for (const value of to === undefined ? [from] : [from, to]) {
      const problem = problemWith(text, {
        file,
        registry,
        overrides: [...overrides, `${what}=${value}`],
        inCell: true,
        simulated,
      });
      if (problem !== undefined)
        mistakes.push({
          place: yaml.placeOf(['search', i], 'value'),
          message: `search[${i}]: with ${what}=${value}: ${problem}`,
        });
    }
  }
  if (!inCell)
    for (const { path, message } of whereProblems(scenario.matrix, scenario.expect))
      add(path, 'key', message);
  if (!inCell && scenario.axis && Object.keys(scenario.matrix).length === 0)
    add(['axis'], 'key', 'there is no matrix in this scenario, so "axis" means nothing');
  if (!inCell)
    for (const { path, message } of ratesProblems(scenario.matrix, scenario.axis))
      add(path, 'value', message);
  if (mistakes.length > 0) return refuse(file, mistakes);
  if (applied.length === 0) return { scenario, source: text };
  scenario.expect = expectedOf(scenario, yaml);
  return { scenario, source: yaml.doc.toString({ lineWidth: 0 }) };
}

/** What is wrong with a scenario that is right but for the last of its overrides. */
function problemWith(text: string, options: ParseOptions): string | undefined {
  try {
    parseScenario(text, options);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.replace(/^--set |^[^ ]*:\d+:\d+: /, ''))
      .join('; ');
  }
}

/**
 * The expectations without the variants that overrides left out, also in the document, so
 * that its text says what ran.
 */
function expectedOf({ expect, variants }: Scenario, { doc }: YamlFile): Scenario['expect'] {
  const runs = (name: string) => variantsCalled(withoutTarget(name), variants).length > 0;
  if (expect.every((one) => one.for?.every(runs) ?? true)) return expect;
  const left = expect
    .map((one) => ({ ...one, for: one.for?.filter(runs) }))
    .filter((one) => one.for?.length !== 0);
  doc.set('expect', doc.createNode(left.map((one) => (one.for || one.where ? one : one.check))));
  return left;
}

/** What is wrong, and where: in the file, or in an override. */
type Mistake = { place: { line: number; column: number } | string; message: string };

/** @throws UserError with the mistakes of the overrides first, then those of the file from top to bottom */
function refuse(file: string, mistakes: readonly Mistake[]): never {
  const order = ({ place }: Mistake) =>
    typeof place === 'string' ? 0 : place.line * (largestFileBytes + 1) + place.column;
  const lines = mistakes
    .toSorted((a, b) => order(a) - order(b))
    .map(
      ({ place, message }) =>
        (typeof place === 'string' ? `--set ${place}` : `${file}:${place.line}:${place.column}`) +
        `: ${message}`,
    );
  const head =
    lines.length === 1
      ? `The scenario ${file} cannot run:`
      : `The scenario ${file} cannot run, for ${lines.length} reasons:`;
  const rest = lines.length > mostShown ? [`and ${lines.length - mostShown} more`] : [];
  throw new UserError('scenario', [head, ...lines.slice(0, mostShown), ...rest].join('\n'));
}

/** The variants that the file lists, or all patterns when it lists none. */
function variantsOf(yaml: YamlFile, schema: ReturnType<typeof scenarioSchema>): readonly Variant[] {
  const plain = plainValue(yaml);
  return 'problem' in plain ? [] : [...partsOf(schema, plain.value).variants.values()];
}

/**
 * What a run of the scenario would be, in a few lines for people: its question, subscribers, events and
 * deliveries of the measured phase, variants, and about how long it takes.
 * @param planned what its schedule comes to, where that was planned: totals, and lines about it
 */
export function describeScenario(
  scenario: Scenario,
  planned?: { events: number; deliveries: number; lines: readonly string[] },
): string {
  const { name, question, subscribers, topics, phases, variants, repeat } = scenario;
  const groups = planTopics(scenario);
  const events = planned?.events ?? totalEvents(scenario);
  const deliveries =
    planned?.deliveries ??
    groups.reduce((sum, group) => {
      const own = totalEvents({ subscribers, phases, topics: { [group.name]: topics[group.name]! } }) ?? 0;
      return sum + (own * subscribers * group.follow) / group.count;
    }, 0);
  const cells = Math.max(1, scenario.cells.length);
  const searching = scenario.search.length > 0;
  const trials =
    variants.length *
    (searching ? scenario.search.reduce((sum, search) => sum + mostTrials(search), 0) : repeat * cells);
  const traffic =
    events === undefined
      ? 'events and deliveries as its traces have them'
      : `${counted(Math.round(events), 'event')} and ` +
        `${counted(Math.round(deliveries), 'delivery', 'deliveries')} in ` +
        `${writeDuration(phases.measure)}`;
  const labels = variants.map(fullName).join(', ');
  return [
    `${name}: ${question}`,
    `  ${counted(subscribers, 'subscriber')}, ` + `${counted(topicCount(groups), 'topic')}, ${traffic}`,
    '  ' +
      `${searching ? 'at most ' : ''}${counted(trials, 'trial')}${
        repeat > 1 ? ` (${repeat} of each)` : ''
      }: ` +
      `${labels}`,
    ...(planned?.lines ?? []).map((line) => `  ${line}`),
    ...Object.entries(scenario.matrix).map(
      ([path, values]) => `  each with ${path} = ${values.map(valueName).join(', ')}`,
    ),
    ...scenario.search.map(
      ({ what, from, to, keep }) =>
        `  searches the highest ${what} from ${from} ${to === undefined ? 'on' : `to ${to}`} with ${keep}`,
    ),
    `  ${searching ? 'at most ' : ''}about ${formatUs(trials * trialMs(phases) * 1000)}`,
    ...percentileHints(scenario).map((hint) => `  note: ${hint}`),
  ].join('\n');
}
