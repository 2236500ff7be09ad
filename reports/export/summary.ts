// Writes the answer of results as data: the first sentence, each load with its figures and reasons, where in
// a matrix the choice changes, and how far a search found that each variant kept up.

import { printableJson } from '../../core/base/printable.ts';
import { metrics } from '../../core/metrics/registry.ts';
import type { Result } from '../../core/result/result.ts';
import { loadsOf, type AtLoad } from '../summary/at-load.ts';
import { boundsOf } from '../summary/bounds.ts';
import { choicesOf } from '../summary/choices.ts';
import { headlinesOf } from '../summary/headline.ts';
import { isSimulated, simulatedLines } from '../summary/simulated.ts';
import { variantsOf } from '../summary/variants.ts';
import { groupText, headOf, warningGroups } from '../summary/warnings.ts';

export const summaryFormat = 'pushbench-summary';
/** Grows when a reader of the previous version could not read the document. */
export const summaryVersion = 1;

export function renderSummary(results: readonly Result[]): string {
  const { answer, remarks } = headlinesOf(results);
  const variants = variantsOf(results);
  const summary = {
    format: summaryFormat,
    version: summaryVersion,
    questions: [...new Set(results.map(({ scenario }) => scenario.question))],
    ...(results.some(isSimulated) && { simulated: simulatedLines(results) }),
    answer,
    remarks,
    loads: loadsOf(results).map(loadData),
    choices: choicesOf(variants),
    bounds: boundsOf(results).map(({ sentence, what, kept, rows }) => ({
      sentence,
      what,
      kept,
      rows: rows.map(({ label, look, held, broken, ended }) => ({
        label,
        pattern: look.pattern,
        held,
        broken,
        ended,
      })),
    })),
    warnings: warningGroups(variants).map((group) => ({
      level: group.level,
      reason: headOf(group),
      text: groupText(group),
    })),
  };
  return `${printableJson(summary, 1)}\n`;
}

/** Figures with their units: a value is in the unit of its metric, whatever its text says. */
export function loadData({ rows, ...load }: AtLoad) {
  return {
    ...load,
    rows: rows.map(({ label, pattern, came, figures, lost, reason }) => ({
      label,
      pattern,
      ...(came && { ofWhatCame: came }),
      lost,
      reason,
      figures: Object.values(figures).map(({ metric, ...figure }) => ({
        metric,
        unit: metrics[metric]!.unit, // the columns are metrics
        ...figure,
      })),
    })),
  };
}
