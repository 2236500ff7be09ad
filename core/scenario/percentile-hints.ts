// Says before a run for which percentiles of its expectations the schedule has too few events.

import { formatNumber } from '../base/units.ts';
import { parseExpectation } from '../metrics/check.ts';
import { metrics } from '../metrics/registry.ts';
import { eventsToShow } from '../result/precision.ts';
import { totalEvents } from './contradictions.ts';
import type { Scenario } from './scenario.ts';
import { planTopics } from './topics.ts';

/**
 * Of a hundred events with several receivers about so many have one beyond a p99: an event's delay is shared,
 * and its last receivers add to it.
 */
const sharedBeyond = 2;

/** A sentence for each percentile that an expectation asks for and the schedule can hardly have. */
export function percentileHints(scenario: Scenario): string[] {
  if (scenario.search.length > 0) return [];
  const schedules =
    scenario.cells.length > 0
      ? scenario.cells.map(({ parameters, scenario: cell }) => ({ cell, parameters }))
      : [{ cell: scenario, parameters: {} as Readonly<Record<string, string>> }];
  const said = scenario.expect.flatMap(({ check: text, where = {} }) => {
    const check = parseExpectation(text);
    if ('problem' in check) return [];
    const quantile = metrics[check.metric]?.percentile?.quantile;
    const counts = schedules
      .filter(({ parameters }) =>
        Object.entries(where).every(([path, values]) => values.includes(parameters[path] ?? '')),
      )
      .flatMap(({ cell }) => eventsOf(check.metric, cell) ?? []);
    if (quantile === undefined || counts.length === 0) return [];
    const fewest = counts.reduce((a, b) => (likely(b, quantile) < likely(a, quantile) ? b : a));
    const beyond = likely(fewest, quantile);
    if (beyond >= eventsToShow) return [];
    const all = fewest.own + fewest.shared;
    const needed = Math.ceil((all * eventsToShow) / Math.max(beyond, Number.MIN_VALUE) / 10) * 10;
    return [
      `${text} needs ${eventsToShow} events beyond the percentile. Of the schedule's ` +
        `${formatNumber(Math.round(all))} events about ${formatNumber(Math.floor(beyond))} will lie there, ` +
        `so it will hardly be judged. About ${formatNumber(needed)} would do: publish more often (to fewer ` +
        'followers for the same load), measure longer, or ask for a lower percentile.',
    ];
  });
  return [...new Set(said)];
}

type Events = { own: number; shared: number };

function likely({ own, shared }: Events, quantile: number): number {
  return Math.min(own + shared, (1 - quantile) * (own + sharedBeyond * shared));
}

/** Events that a metric's percentiles rest on; `undefined` where the scenario does not say how many. */
function eventsOf(metric: string, scenario: Scenario): Events | undefined {
  const sum: Events = { own: 0, shared: 0 };
  for (const { name, count, follow } of planTopics(scenario)) {
    const group = scenario.topics[name]!;
    const { subscribers, phases } = scenario;
    const events = totalEvents({ subscribers, phases, topics: { [name]: group } });
    if (events === undefined) return undefined;
    const several = (scenario.subscribers * follow) / count > 1;
    if (/^(latency|accept-to-receipt)\./.test(metric)) sum[several ? 'shared' : 'own'] += events;
    else if (/^(publisher-lag|publish-round-trip)\./.test(metric)) sum.own += events;
    else if (/^(first|median|last)-receiver\./.test(metric)) sum.own += several ? events : 0;
    else if (metric.startsWith('upstream.')) sum.own += group.by === 'subscribers' ? events : 0;
    else return undefined;
  }
  return sum;
}
