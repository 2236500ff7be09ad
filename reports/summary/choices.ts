// Says where in a matrix the choice changes: for each of its places the variant that is best in a metric,
// and the places between which another one becomes so.

import { toldApart } from '../../core/metrics/alike.ts';
import { sentenceStart } from '../../core/pattern/sentence.ts';
import { listed } from '../../core/base/suggest.ts';
import type { Crossing } from './crossings.ts';
import {
  bestFirst,
  changesBest,
  crossingPlace,
  curvesOf,
  isRanked,
  type Curve,
  type CurvePoint,
} from './curve-data.ts';
import { valuesText } from './figure-text.ts';
import { variantNames } from './names.ts';
import { resultNames, type VariantTrials } from './variants.ts';

export type Best = { labels: string[]; value: number; text: string };
export type Choice = {
  metric: string;
  title: string;
  /** One for each place: `undefined` where nothing has a figure there. */
  cells: (ChoiceCell | undefined)[];
};
export type ChoiceCell = {
  /** The lowest, or the highest of a metric of which more is better. */
  best: Best;
  /** The next of them that clearly differs. */
  next?: Best | undefined;
  /** Variants that have no figure there that could be ranked, so that nothing is said of them. */
  without: string[];
  /** Those of them whose latency is of the deliveries that arrived, as others were lost. */
  lossy: string[];
  /** None of the best was so at the place before, and at both places all of these have figures. */
  changed: boolean;
};
export type Choices = {
  /** What tells it from others: the result, the other parameters of the matrix (`payload=64B`). */
  name: string;
  /** What lies along the table: `updates a minute and client`. */
  parameter: string;
  places: string[];
  rows: Choice[];
  /** Where another variant becomes the best, a sentence each. */
  changes: string[];
};

const soonest = 'latency.p50';

/** One for each set of the other parameters; none without a matrix, or where there is but one variant. */
export function choicesOf(variants: readonly VariantTrials[]): Choices[] {
  const inMatrix = variants.filter(
    ({ result: { searches, scenario } }) => searches === undefined && scenario.curves?.length !== 0,
  );
  const curves = curvesOf(inMatrix.map(withMedian));
  const namesIn = (at: number | undefined) => {
    const own = inMatrix.filter(({ round }) => round === at);
    const as = variantNames([...new Set(own.map(({ result }) => result))]);
    return new Set(own.flatMap(({ trials: [trial] }) => (trial?.cell ? as.of(trial.cell.variant) : [])));
  };
  const rounds = [...new Map(variants.map(({ round, result }) => [round, result]))];
  const called = resultNames(rounds.map(([, result]) => result));
  const groups = Map.groupBy(curves, ({ lines, parameter }) => `${lines[0]?.round ?? 0}\n${parameter}`);
  return [...groups.values()].flatMap((same) => {
    const names = namesIn(same[0]?.lines[0]?.round);
    if (names.size < 2) return [];
    const others = [...new Set(same.flatMap(({ lines }) => lines.map(({ label }) => otherOf(label, names))))];
    return others.flatMap((other) => {
      const curvesHere = same.map((curve) => among(curve, other, names));
      const lines = new Set(curvesHere.flatMap((curve) => curve.lines.map(({ label }) => label)));
      if (lines.size < 2) return [];
      return choicesAmong(
        curvesHere,
        [called[rounds.findIndex(([round]) => round === same[0]!.lines[0]?.round)] ?? '', other]
          .filter((part) => part !== '')
          .join(', '),
      );
    });
  });
}

/** The median latency is asked of every matrix, beside the metrics that it draws. */
function withMedian(variant: VariantTrials): VariantTrials {
  const { result } = variant;
  const { scenario } = result;
  const curves = [...new Set([soonest, ...(scenario.curves ?? [])])];
  return { ...variant, result: { ...result, scenario: { ...scenario, curves } } };
}

/** What a line is called beside its variant: the other parameters. */
function otherOf(label: string, variants: ReadonlySet<string>): string {
  const own = [...variants]
    .filter((one) => label === one || label.startsWith(`${one}, `))
    .toSorted((a, b) => b.length - a.length)[0];
  return own === undefined || own === label ? '' : label.slice(own.length + 2);
}

/** The curve with the lines of one set of other parameters alone, each called by its variant. */
function among(curve: Curve, other: string, variants: ReadonlySet<string>): Curve {
  const own = (label: string) => otherOf(label, variants) === other;
  const short = (label: string) => (other === '' ? label : label.slice(0, -other.length - 2));
  return {
    ...curve,
    lines: curve.lines.filter(({ label }) => own(label)).map((one) => ({ ...one, label: short(one.label) })),
    points: curve.points
      .filter(({ variant }) => own(variant))
      .map((one) => ({ ...one, variant: short(one.variant) })),
    crossings: curve.crossings
      .filter(({ below, above }) => own(below) && own(above))
      .map((one) => ({ ...one, below: short(one.below), above: short(one.above) })),
  };
}

function choicesAmong(curves: readonly Curve[], name: string): Choices {
  const [first] = curves;
  const xs = [...new Set(curves.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  return {
    name,
    parameter: first?.parameter ?? '',
    places: xs.map((x) => first!.write(x)), // without a curve there is no place
    rows: curves.map((curve) => ({
      metric: curve.name,
      title: curve.metric.title,
      cells: cellsOf(curve, xs),
    })),
    changes: curves.flatMap((curve) =>
      curve.crossings.filter((one) => changesBest(one, curve)).map((one) => changeSentence(one, curve)),
    ),
  };
}

function cellsOf(curve: Curve, xs: readonly number[]): (ChoiceCell | undefined)[] {
  const cells = xs.map((x) => cellAt(curve, x));
  return cells.map((cell, i) => {
    const before = cells[i - 1];
    return cell && { ...cell, changed: before !== undefined && isChanged(before, cell) };
  });
}

function isChanged(before: Omit<ChoiceCell, 'changed'>, now: Omit<ChoiceCell, 'changed'>): boolean {
  const { labels } = now.best;
  return (
    !labels.some((label) => before.best.labels.includes(label)) &&
    !labels.some((label) => before.without.includes(label)) &&
    !before.best.labels.some((label) => now.without.includes(label))
  );
}

function cellAt({ points, metric, lines }: Curve, x: number): Omit<ChoiceCell, 'changed'> | undefined {
  const all = points.filter((point) => point.x === x);
  const here = all.filter(isRanked).sort(bestFirst(metric));
  const [first] = here;
  if (!first) return undefined;
  const alikeTo = (one: CurvePoint) => here.filter((point) => !toldApart(metric, one, point));
  const best = alikeTo(first);
  const next = here.find((point) => !best.includes(point));
  const of = (those: readonly CurvePoint[], { value }: CurvePoint): Best => ({
    labels: those.map(({ variant }) => variant),
    value,
    text: valuesText(
      those.map((one) => one.value),
      metric.unit,
    ),
  });
  return {
    best: of(best, first),
    without: lines.map(({ label }) => label).filter((label) => !here.some((one) => one.variant === label)),
    lossy: all.filter((point) => !isRanked(point)).map(({ variant }) => variant),
    ...(next && {
      next: of(
        alikeTo(next).filter((point) => !best.includes(point)),
        next,
      ),
    }),
  };
}

/** `Requests per delivery: below about 4 updates a minute, webhook needs fewer than polling; above, more.` */
function changeSentence(crossing: Crossing, curve: Curve): string {
  const { below, above, from, to } = crossing;
  const { name, metric, parameter, write, place } = curve;
  const at = crossingPlace(crossing, curve);
  // Without an axis of its own words, the parameter's name follows its value.
  const where = place(1).includes(' = ') ? `${at} (${parameter})` : `${at} ${parameter}`;
  const [does, otherwise] = name.startsWith('latency.')
    ? ['is sooner', 'later']
    : metric.better === 'higher'
      ? ['is lower', 'higher']
      : [`needs ${['us', 'share'].includes(metric.unit) ? 'less' : 'fewer'}`, 'more'];
  return (
    `${sentenceStart(metric.title)}: below about ${where}, ${below} ${does} ` +
    `than ${above}; above, ${otherwise} (measured at ${write(from)} and ${write(to)}, interpolated between ` +
    'them).'
  );
}

/** `webhook 1 (polling 2; no figure: sse)` */
export function choiceText(cell: ChoiceCell | undefined): string {
  if (!cell) return 'no figure';
  const { best } = cell;
  const beside = besideText(cell);
  return `${listed(best.labels)} ${best.text}${beside === '' ? '' : ` (${beside})`}`;
}

/** What is written beside the best: the next, and the variants without a figure. */
export function besideText({ next, without, lossy }: Pick<ChoiceCell, 'next' | 'without' | 'lossy'>): string {
  const none = without.filter((label) => !lossy.includes(label));
  return [
    ...(next ? [`${listed(next.labels)} ${next.text}`] : []),
    ...(lossy.length > 0 ? [`lost deliveries: ${listed(lossy)}`] : []),
    ...(none.length > 0 ? [`no figure: ${listed(none)}`] : []),
  ].join('; ');
}
