// Says where a subscriber held more than one connection, since descriptors and requests for each subscriber
// count them all.

import { formatMetric } from '../../core/metrics/metric.ts';
import { figureOver } from '../../core/metrics/registry.ts';
import { listed } from '../../core/base/suggest.ts';
import type { VariantTrials } from './variants.ts';

/** Of one each, a few that are being replaced make no more than this. */
const oneEach = 1.05;

/** `sse @feed: 2 connections per subscriber: the target file gives one stream a topic, ...` */
export function connectionNotes(variants: readonly VariantTrials[]): string[] {
  const several = variants.flatMap(({ label, trials, completed }) => {
    const { value } = figureOver('connections-per-subscriber', completed);
    if (value === undefined || value <= oneEach) return [];
    const of = trials[0]?.variant.target === undefined ? 'ours' : 'target';
    return [{ label, of, each: formatMetric(value, 'count') }];
  });
  return [...Map.groupBy(several, ({ each, of }) => `${each} ${of}`).values()].map((same) => {
    const { each, of } = same[0]!; // a group has a member
    const who = listed(same.map(({ label }) => label));
    return of === 'target'
      ? `${who}: ${each} connections per subscriber: the target file gives one stream a topic, where our ` +
          'servers carry all topics of a subscriber on one. Descriptors count each of them.'
      : `${who}: ${each} connections per subscriber. Descriptors count each of them.`;
  });
}
