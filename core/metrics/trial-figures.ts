// Reads all figures of the trials of a result, by the names of their metrics.

import type { Result, Trial } from '../result/result.ts';
import type { TrialFigure, TrialFigures } from '../result/trial-figures.ts';
import { figureOf, metrics, notMeasured } from './registry.ts';
import { notSimulated } from './simulated.ts';
import { isOfWhatCame } from './what-came.ts';

/** The result with the figures of each of its trials, by the names of their metrics. */
export function withFigures(result: Result): Result & { figures: TrialFigures[] } {
  return { ...result, figures: result.trials.map(figuresOf) };
}

function figuresOf({ variant, repetition, outcome }: Trial): TrialFigures {
  const about = { variant: variant.label, repetition };
  if (outcome.status === 'failed') return { ...about, failed: outcome.message, figures: {}, none: {} };
  const missed = figureOf('missed', outcome).value ?? 0;
  const figures: Record<string, TrialFigure> = {};
  const none: Record<string, string> = {};
  for (const [name, { unit }] of Object.entries(metrics)) {
    const figure = figureOf(name, outcome);
    if (figure.value === undefined) {
      if (figure.why !== notMeasured && figure.why !== notSimulated) none[name] = figure.why;
      continue;
    }
    const { value, low, high, off } = figure;
    figures[name] = {
      value,
      unit,
      ...(low !== undefined && { low }),
      ...(high !== undefined && { high }),
      ...(off !== undefined && { expectedError: off }),
      ...(isOfWhatCame(name, missed) && { ofWhatCame: true as const }),
    };
  }
  return { ...about, figures, none };
}
