// Judges the claims of a text by results: what a claim is, which figures it takes from which trials, and the
// verdict that they give. The claims are data (scenarios/article/claims.yaml); reports/export/claims.ts makes
// the page.

import { z } from 'zod';
import { parseExpectation } from '../metrics/check.ts';
import { figureOver, metrics } from '../metrics/registry.ts';
import type { Unit } from '../metrics/metric.ts';
import { coresText } from '../result/machine-text.ts';
import type { Result } from '../result/result.ts';

const word = z.string().regex(/^[a-z][a-z0-9-]*$/, { error: 'lower-case letters, digits and hyphens' });

const figure = z.union([
  z.strictObject({
    metric: z.string(),
    variant: z.string(),
    where: z.record(z.string(), z.string()).default({}),
  }),
  z.strictObject({ search: z.string().describe('the path that was raised'), variant: z.string() }),
  z.strictObject({
    chromium: z.string().describe('label of the variant'),
    pages: z.int().min(1).describe('of which the share that was answered is taken'),
  }),
  z.strictObject({ closedLoop: z.string().describe('how the name of the endpoint begins') }),
]);

const verdicts = ['right', 'wrong', 'depends'] as const;
export type Verdict = (typeof verdicts)[number];

const common = {
  id: word,
  theme: word.describe('one of `themes`'),
  says: z.string().min(1),
};

const dependsOn = z
  .string()
  .min(1)
  .optional()
  .describe('where the verdict is "depends": completes the sentence "It depends on ..."');

const claim = z.union([
  z.strictObject({
    ...common,
    scenario: z.string().min(1),
    figures: z.record(word, figure),
    right: z.array(z.string()).min(1).optional().describe('the claim is right when all of these hold'),
    wrong: z.array(z.string()).min(1).optional().describe('otherwise it is wrong when all of these hold'),
    dependsOn,
    /** A sentence for each verdict that can come; `{name}` stands for a figure. */
    text: z.partialRecord(z.enum(verdicts), z.string().min(1)),
  }),
  z.strictObject({
    ...common,
    published: z.strictObject({
      verdict: z.enum(verdicts),
      dependsOn,
      text: z.string().min(1),
      source: z.string().min(1),
    }),
  }),
  z.strictObject({
    ...common,
    held: z.strictObject({
      verdict: z.enum(verdicts),
      dependsOn,
      text: z.string().min(1),
      file: z.string().min(1),
      tests: z.array(z.string().min(1)).min(1).describe('titles of the tests, or how they begin'),
    }),
  }),
  z.strictObject({
    ...common,
    untested: z.string().min(1).describe('why, and what would test it'),
  }),
]);

export const claimsSchema = z
  .strictObject({
    article: z.string().min(1),
    themes: z.record(word, z.string().min(1)).describe('headings of the page by theme, in its order'),
    claims: z.array(claim).min(1),
  })
  .superRefine(({ themes, claims }, context) => {
    for (const [index, { id, theme }] of claims.entries())
      if (!Object.hasOwn(themes, theme))
        context.addIssue({
          code: 'custom',
          path: ['claims', index, 'theme'],
          message:
            `the claim ${id} has the theme "${theme}", ` + `and there are ${Object.keys(themes).join(', ')}`,
        });
  });

export type Claims = z.output<typeof claimsSchema>;
export type Claim = z.output<typeof claim>;
export type Measured = Extract<Claim, { scenario: string }>;

const measuredFigure = z.strictObject({
  value: z.number().nullable(),
  unit: z.enum(['us', 'bytes', 'share', 'count', 'per-s']),
  atLeast: z.boolean().default(false),
});

/** What a page was made from: the figures alone, so that it can be made again without the results. */
export const figuresSchema = z.strictObject({
  format: z.literal('pushbench-claims'),
  scenarios: z.record(
    z.string(),
    z.strictObject({
      createdAt: z.iso.datetime(),
      pushbench: z.string(),
      commit: z.string().nullable(),
      machine: z.string(),
      descriptorLimit: z.number().nullable(),
      command: z.string(),
      claims: z.record(z.string(), z.record(z.string(), measuredFigure)),
    }),
  ),
});

export type Figure = z.output<typeof measuredFigure>;
export type Figures = z.output<typeof figuresSchema>;

/** The figures that claims take from a result. One void in all trials, or not measured, is null. */
export function figuresFrom(result: Result, claims: readonly Claim[]): Figures['scenarios'][string] {
  const { createdAt, pushbench, environment: e, command, scenario } = result;
  const own = claims.filter((one): one is Measured => 'scenario' in one && one.scenario === scenario.name);
  return {
    createdAt,
    pushbench,
    commit: e.commit,
    command,
    descriptorLimit: e.descriptorLimit,
    machine: `${e.cpu}, ${coresText(e)}, kernel ${e.kernel}, Node ${e.node}`,
    claims: Object.fromEntries(
      own.map(({ id, figures }) => [
        id,
        Object.fromEntries(
          Object.entries(figures).map(([name, source]) => [name, figureFrom(result, source)]),
        ),
      ]),
    ),
  };
}

function figureFrom(result: Result, source: Measured['figures'][string]): Figure {
  if ('closedLoop' in source) {
    const found = result.closedLoop?.find(({ endpoint }) => endpoint.startsWith(source.closedLoop));
    return { value: found?.requestsPerS ?? null, unit: 'per-s', atLeast: false };
  }
  if ('chromium' in source) {
    const { chromium } = result;
    const found =
      chromium?.status === 'measured'
        ? chromium.opened.find(({ variant, pages }) => variant === source.chromium && pages === source.pages)
        : undefined;
    return { value: found ? found.answered / found.pages : null, unit: 'share', atLeast: false };
  }
  if ('search' in source) {
    const found = result.searches?.find(
      ({ what, variant }) => what === source.search && variant === source.variant,
    );
    const known =
      found && (found.limit.kind === 'found' || found.limit.kind === 'at-least') ? found.limit : undefined;
    return {
      value: known?.value ?? null,
      unit: source.search.endsWith('.publish') ? 'per-s' : 'count',
      atLeast: known?.kind === 'at-least',
    };
  }
  const trials = result.trials
    .filter(({ variant, cell }) => [cell?.variant ?? variant.label, variant.as].includes(source.variant))
    .filter(({ cell }) =>
      Object.entries(source.where).every(([path, value]) => cell?.parameters[path] === value),
    )
    .flatMap(({ outcome }) => (outcome.status === 'completed' ? [outcome] : []));
  const { value = null } = figureOver(source.metric, trials);
  return { value, unit: metrics[source.metric]!.unit, atLeast: false };
}

/** `undefined` when a figure that a rule needs was not measured. */
export function verdictOf(
  { right, wrong }: Measured,
  figures: Readonly<Record<string, Figure>>,
): Verdict | undefined {
  if (Object.values(figures).some(({ value }) => value === null)) return undefined;
  if (right?.every((rule) => holds(rule, figures))) return 'right';
  return wrong?.every((rule) => holds(rule, figures)) ? 'wrong' : 'depends';
}

const betweenFigures = /^([a-z][a-z0-9-]*) ([<>]) ([\d.]+) \* ([a-z][a-z0-9-]*)$/;

/**
 * A rule over figures: `calls within 5% of 17280`, `p99 < 100ms`, or `sse < 1.25 * websocket`.
 * @throws Error when it cannot be read or names a figure that there is not
 */
export function holds(
  rule: string,
  figures: Readonly<Record<string, Pick<Figure, 'value' | 'unit'>>>,
): boolean {
  const figureCalled = (name: string) => {
    const found = Object.hasOwn(figures, name) ? figures[name]! : undefined;
    if (!found)
      throw new Error(
        `the rule "${rule}" names the figure "${name}", and there are ${Object.keys(figures).join(', ')}`,
      );
    return found;
  };
  const two = betweenFigures.exec(rule);
  if (two) {
    const [, name = '', operator, factor, other = ''] = two;
    const [a, b] = [
      figureCalled(name).value ?? Number.NaN,
      Number(factor) * (figureCalled(other).value ?? Number.NaN),
    ];
    return operator === '<' ? a < b : a > b;
  }
  const space = rule.indexOf(' ');
  const { value, unit } = figureCalled(rule.slice(0, Math.max(0, space)));
  const check = parseExpectation(`${metricOf(unit)}${rule.slice(space)}`);
  if ('problem' in check) throw new Error(`the rule "${rule}" cannot be read: ${check.problem}`);
  return value !== null && check.holds(value);
}

/** Some metric of that unit: expectations read a bound in the unit of their metric. */
function metricOf(unit: Unit): string {
  return Object.keys(metrics).find((name) => metrics[name]!.unit === unit)!; // every unit has metrics
}
