// Says the answer in one sentence, derived from the figures and claiming no more than they carry. What must
// be said beside it is remarks.ts.

import { alike, overlap, stepBetween, type Between } from '../../core/metrics/alike.ts';
import { figureOver, metrics } from '../../core/metrics/registry.ts';
import { sentenceStart } from '../../core/pattern/sentence.ts';
import type { Result } from '../../core/result/result.ts';
import { formatUs } from '../../core/base/units.ts';
import { answerClauses, inHeadlineOf, standsAlone } from './answer.ts';
import { cellNames } from './cell-names.ts';
import { apartBy, comparableGroups } from './comparable.ts';
import { curveHeadline } from './curve-data.ts';
import { valuesText } from './figure-text.ts';
import { plural } from '../../core/base/counted.ts';
import { listed } from '../../core/base/suggest.ts';
import { ranked } from './losses.ts';
import { nameWith } from './saturated.ts';
import { isSimulated } from './simulated.ts';
import { cutShort, namesListed, remarksOf, whyNoFigure } from './remarks.ts';
import { rateText, resultNames, subscribersText, variantsOf, type VariantTrials } from './variants.ts';

/** The metric that orders variants, and the metrics named with it, by their names in core/metrics. */
const [half, tail, asked] = ['latency.p50', 'latency.p99', 'requests-per-delivery'] as const;
/** More answers than this nobody reads in a row; the table has them all. */
const mostAnswers = 4;

type Figures = {
  variant: VariantTrials;
  p50Us: number;
  p99Us: number | undefined;
  requests: number | undefined;
  /** For simulated figures: the range of the median, by its expected error. */
  within: readonly [number, number] | undefined;
};
type Headlines = { answer: string; remarks: string[] };

/** The answer and what must be said with it, in a line. */
export function headlineOf(results: readonly Result[]): string {
  const { answer, remarks } = headlinesOf(results);
  return [answer, ...remarks].join(' ');
}

/**
 * One sentence, and remarks on losses, missing figures and cut short runs. Where there is no answer, it says
 * so. Results that cannot be ranked against one another have a sentence each.
 */
export function headlinesOf(results: readonly Result[]): Headlines {
  const groups = comparableGroups(results);
  if (groups.length < 2) return marked(headlineOfOne(results), results);
  const names = resultNames(results);
  const apart =
    `${results.length} results of different ${listed(apartBy(groups))}, which are not ranked against one ` +
    'another';
  if (groups.length > mostAnswers)
    return { answer: `${apart}: the table has their figures.`, remarks: cutShort(results) };
  const each = groups.map((own) => {
    const name = listed(own.map((result) => names[results.indexOf(result)]!));
    const { answer, remarks } = headlineOfOne(own);
    const prefix = answer.toLowerCase().includes(name.toLowerCase()) ? '' : `${name}: `;
    return { answer: `${prefix}${answer}`, remarks: remarks.map((remark) => `${name}: ${remark}`) };
  });
  return {
    answer: [`${apart}.`, ...each.map(({ answer }) => answer)].join(' '),
    remarks: each.flatMap(({ remarks }) => remarks),
  };
}

/** The answer is read where nothing else is: on a card, in a message. */
function marked({ answer, remarks }: Headlines, results: readonly Result[]): Headlines {
  if (!results.some(isSimulated)) return { answer, remarks };
  if (!results.every(isSimulated)) return { answer: `Simulated: ${answer}`, remarks };
  // Said once, it needs no repetition behind each name.
  const plain = (text: string) => text.replaceAll(' (simulated)', '');
  return { answer: `Simulated: ${plain(answer)}`, remarks: remarks.map(plain) };
}

/** @param results of one setting */
function headlineOfOne(results: readonly Result[]): Headlines {
  const variants = variantsOf(results);
  const measured = variants.filter(({ completed }) => completed.length > 0);
  const overCells = curveHeadline(variants);
  if (overCells !== undefined) {
    const drawn = results.flatMap(({ scenario }) => scenario.curves ?? []);
    return { answer: overCells, remarks: remarksOf(results, variants, drawn) };
  }
  const clauses = answerClauses(results, measured);
  if (clauses.length > 0)
    return {
      answer: standsAlone(results, measured)
        ? `${sentenceStart(clauses.join('; '))}.`
        : `${settingOf(results, cellNames(measured).variant)} ${clauses.join('; ')}.`,
      remarks: remarksOf(results, variants, inHeadlineOf(results)),
    };
  const figures = ranked(half, measured)
    .map(figuresOf)
    .filter((one) => one !== undefined)
    .sort((a, b) => a.p50Us - b.p50Us);
  const [first, last] = [figures[0], figures.at(-1)];
  const what = measured.length === 0 ? 'result' : 'median latency';
  if (!first || !last)
    return {
      answer: `${settingOf(results)} there is no ${what}: ${whyNone(variants)}.`,
      remarks: remarksOf(results, variants, []),
    };
  const soonest = figures.filter(
    (one) => alike(metrics[half]!, first.p50Us, one.p50Us) || overlap(between(first), between(one)),
  );
  const answer =
    `${settingOf(results)} ${leaders(soonest, figures, variants.length)}` +
    (soonest.includes(last) ? '' : `; ${trailing(last, figures)}`) +
    '.';
  return { answer, remarks: remarksOf(results, variants, [half]) };
}

function figuresOf(variant: VariantTrials): Figures | undefined {
  const figure = (name: string) => figureOver(name, variant.completed).value;
  const p50 = figureOver(half, variant.completed);
  if (p50.value === undefined) return undefined;
  const within = p50.off === undefined ? undefined : p50.within;
  return { variant, p50Us: p50.value, p99Us: figure(tail), requests: figure(asked), within };
}

function between({ p50Us, within }: Figures): Between {
  return { value: p50Us, ...(within && { within }) };
}

/** Why no variant has a median. */
function whyNone(variants: readonly VariantTrials[]): string {
  const reasons = [...new Set(variants.map((variant) => whyNoFigure(variant, half)))];
  if (reasons.length === 0) return 'no trial was measured';
  const delivered = variants.some(({ completed }) =>
    completed.some(({ latency }) => latency.endToEnd.count > 0),
  );
  return delivered || variants.some(({ failed }) => failed !== undefined)
    ? reasons.join('; ')
    : 'no event was delivered';
}

/**
 * Who was soonest, and within what. Variants are alike only where all that is quoted of them is: the medians,
 * and the tails where all have one.
 * @param of how many variants there are, those without a median included
 */
function leaders(soonest: readonly Figures[], all: readonly Figures[], of: number): string {
  const tails = soonest.flatMap((one) => (one.p99Us === undefined ? [] : [{ ...one, p99Us: one.p99Us }]));
  tails.sort((a, b) => a.p99Us - b.p99Us);
  const [shortest, longest] = [tails[0], tails.at(-1)];
  const quoted = shortest !== undefined && longest !== undefined && tails.length === soonest.length;
  const tailsAlike = !quoted || alike(metrics[tail]!, shortest.p99Us, longest.p99Us);
  const within99 = !quoted
    ? ''
    : tailsAlike
      ? `, 99 % within ${formatUs(longest.p99Us)}`
      : `, 99 % within ${formatUs(shortest.p99Us)} with ${shortest.variant.label} and ` +
        `${formatUs(longest.p99Us)} with ${longest.variant.label}`;
  const p50s = soonest.map(({ p50Us }) => p50Us);
  const within = `median ${valuesText(p50s, 'us')}${within99}`;
  const who = namesOf(soonest, all);
  const stepUs = stepBetween(metrics[half]!, p50s);
  const step = stepUs === undefined ? '' : `less than ${formatUs(stepUs)} apart`;
  const close = step || 'with no measurable difference';
  if (all.length === 1) return `${who} had a median latency of ${valuesText(p50s, 'us')}${within99}`;
  if (soonest.length === of)
    return tailsAlike
      ? step === ''
        ? `there was no measurable difference between the variants (${within})`
        : `the variants were ${step} (${within})`
      : `the variants differed only in the tail (${within})`;
  const other = quoted ? soonerTail(soonest, longest, all) : '';
  if (soonest.length === 1)
    return `${who} ${wasOrWere(who)} fastest${other === '' ? '' : ' at the median'} (${within}${other})`;
  if (tailsAlike && other === '') return `${who} ${wasOrWere(who)} fastest, ${close} (${within})`;
  const medians = `${valuesText(p50s, 'us')}${within99}${other}`;
  return `${who} ${wasOrWere(who)} fastest, ${close} at the median (${medians})`;
}

/** Where another variant has the shorter tail, which one. */
function soonerTail(soonest: readonly Figures[], longest: Figures, all: readonly Figures[]): string {
  const others = all.flatMap((one) =>
    one.p99Us === undefined || soonest.includes(one) ? [] : [{ variant: one.variant, p99Us: one.p99Us }],
  );
  const [best] = others.sort((a, b) => a.p99Us - b.p99Us);
  if (!best || best.p99Us >= longest.p99Us! || alike(metrics[tail]!, best.p99Us, longest.p99Us!)) return '';
  return `; ${best.variant.label} had 99 % within ${formatUs(best.p99Us)}`;
}

/** The variant that took longest, in all results where it took about as long. */
function trailing(slowest: Figures, all: readonly Figures[]): string {
  const same = all.filter(
    ({ variant, p50Us }) =>
      variant.own === slowest.variant.own && alike(metrics[half]!, p50Us, slowest.p50Us),
  );
  const requests = same.flatMap((one) => one.requests ?? []);
  const most = requests.length === 0 ? '' : valuesText(requests, metrics[asked]!.unit);
  const cost =
    Math.max(0, ...requests) > 0 ? `, ${most} ${plural(Number(most), 'request')} per delivery` : '';
  const p50s = same.map(({ p50Us }) => p50Us);
  const who = namesOf(same, all);
  return `${who} ${wasOrWere(who)} slowest (median ${valuesText(p50s, 'us')}${cost})`;
}

/** A variant that is meant in every result is called by its own label alone. */
function namesOf(meant: readonly Figures[], all: readonly Figures[]): string {
  const count = (figures: readonly Figures[], own: string) =>
    figures.filter(({ variant }) => variant.own === own).length;
  const names = [
    ...new Set(
      meant.map(({ variant: { own, label, completed } }) =>
        nameWith(count(meant, own) === count(all, own) ? own : label, completed),
      ),
    ),
  ];
  return names.length <= namesListed
    ? listed(names)
    : listed([...names.slice(0, namesListed - 2), `${names.length - namesListed + 2} others`]);
}

/** @param by the variant, where nothing else in the sentence says it */
function settingOf(results: readonly Result[], by?: string): string {
  const { scenario } = results[0]!; // a group has a member
  const setting =
    `${subscribersText(scenario)} and ${rateText(scenario)}` + (by === undefined ? '' : ` by ${by}`);
  return results.length === 1 ? `With ${setting},` : `In ${results.length} runs with ${setting},`;
}

/** Several names are listed with an `and`. */
function wasOrWere(who: string): string {
  return who.includes(' and ') ? 'were' : 'was';
}
