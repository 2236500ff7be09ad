// Names variants for readers: as the scenario calls them, or else by their label without the options that
// all of them share; the cells of one variant without its name. What was left out is said once.

import { calledFor, plainMark, sharedVariant, withoutVariant } from '../../core/result/called.ts';
import type { Result, Trial } from '../../core/result/result.ts';

export type VariantNames = {
  /** The name of the variant with this label; if no trial ran it, its label without shared options. */
  of(label: string): string;
  /** The options that the labels do not repeat: `store=sqlite timeScale=3600`; empty where there are none. */
  shared: string;
  /** The variant whose name its cells do not repeat; undefined where cells are of several, or none. */
  variant: string | undefined;
};

/** What is said once where the cells of one variant are called without it. */
export function ofOneVariant(variant: string): string {
  return `All rows are of one variant, ${variant}.`;
}

/** The names of all variants of these results, which a page or a table shows together. */
export function variantNames(results: readonly Result[]): VariantNames {
  const trials = results.flatMap((result) => result.trials);
  const shared = sharedOptions([...new Set([...trials.map(baseOf), ...plannedIn(results)])]);
  const short = (label: string) => withoutWords(label, shared);
  const names = new Map(
    trials.flatMap((trial) => {
      const variant = { ...trial.variant, label: baseOf(trial) };
      return [trial, { variant }].map((one) => [
        one.variant.label,
        calledFor(one) ?? short(one.variant.label),
      ]);
    }),
  );
  // A scenario's names are unique, and a result that was not written by pushbench may repeat them.
  const taken = Map.groupBy(names.keys(), (label) => names.get(label)!);
  const isUnique = (label: string) => taken.get(names.get(label)!)!.length === 1 || results.length > 1;
  const whole = (label: string) =>
    names.has(label) && !isUnique(label) ? label : (names.get(label) ?? short(label));
  const cells = trials.map(({ variant }) => variant.label);
  const variant = trials.every(({ cell }) => cell)
    ? sharedVariant([...cells, ...plannedCells(results)].map(whole))
    : undefined;
  const marks = new Map(
    trials.flatMap((trial) =>
      [baseOf(trial), trial.variant.label].map((label) => [label, plainMark(trial)] as const),
    ),
  );
  return {
    of: (label) => withoutVariant(whole(label), variant) + (marks.get(label) ?? ''),
    shared: shared.join(' '),
    variant,
  };
}

/** The label of a trial's variant without the values of its cell. */
function baseOf({ variant, cell }: Trial): string {
  return cell?.variant ?? variant.label;
}

/** Labels of trials that were planned, where they stand for variants. */
function plannedIn(results: readonly Result[]): string[] {
  return results.flatMap((result) => (hasCells(result) ? [] : plannedLabels(result)));
}

/** Those where they stand for cells. */
function plannedCells(results: readonly Result[]): string[] {
  return results.flatMap((result) => (hasCells(result) ? plannedLabels(result) : []));
}

const hasCells = ({ trials }: Result) => trials.some(({ cell }) => cell);
const plannedLabels = ({ planned }: Result) => (planned?.trials ?? []).map(({ variant }) => variant);

/** Options that every label has, as far as the labels stay apart without them; none of a single variant. */
function sharedOptions(labels: readonly string[]): string[] {
  if (labels.length < 2) return [];
  const words = labels.map((label) => label.split(' '));
  const shared = (words[0] ?? [])
    .slice(1)
    .filter((word) => !word.startsWith('@') && words.every((own) => own.slice(1).includes(word)));
  const short = new Set(labels.map((label) => withoutWords(label, shared)));
  return short.size === labels.length ? shared : [];
}

function withoutWords(label: string, words: readonly string[]): string {
  if (words.length === 0) return label;
  const [base = '', ...cell] = label.split(', ');
  const kept = base.split(' ').filter((word, i) => i === 0 || !words.includes(word));
  return [kept.join(' '), ...cell].join(', ');
}
