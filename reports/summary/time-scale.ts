// Finds on which clock times of a result are said: scenarios of webhooks may let days of retries pass in a
// trial of seconds, and then hours are what a reader wants.

import { writeDuration } from '../../core/base/units.ts';
import type { FigureOver } from '../../core/metrics/registry.ts';
import type { VariantTrials } from './variants.ts';

/** Seconds of the variants' clock in one of the trial; 1 where it is the real one, or not the same. */
export function timeScaleOf(variants: readonly Pick<VariantTrials, 'trials'>[]): number {
  const scales = new Set(
    variants.flatMap(({ trials }) =>
      trials.map(({ variant }) => {
        const scale = variant.options['timeScale'];
        return typeof scale === 'number' && scale > 0 ? scale : 1;
      }),
    ),
  );
  const [only = 1, ...others] = scales;
  return others.length > 0 ? 1 : only;
}

/** What is said where times are of a scaled clock; nothing of the real one. */
export function timeScaleText(scale: number): string {
  return scale === 1
    ? ''
    : ` Times are of the scaled clock, ${unitOf(scale)} for each second of the trial; the time that a ` +
        'delivery takes on the network is scaled with them.';
}

/** `1 h`, of 3600. */
function unitOf(scale: number): string {
  return writeDuration(scale * 1000).replace(/(?=[a-z])/, ' ');
}

/** A figure in microseconds of the trial as one of the scaled clock. */
export function onScaledClock(figure: FigureOver, scale: number): FigureOver {
  if (scale === 1) return figure;
  if (figure.value === undefined)
    return figure.atLeast === undefined ? figure : { ...figure, atLeast: figure.atLeast * scale };
  const { value, low, high, within } = figure;
  return {
    ...figure,
    value: value * scale,
    low: low * scale,
    high: high * scale,
    ...(within && { within: [within[0] * scale, within[1] * scale] as const }),
  };
}
