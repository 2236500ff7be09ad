// Says what a network of ours between the processes means for a trial's figures: the delay it added on
// purpose, the bytes it may have lost, and whether it was late by itself.

import { loadCpuLimit } from '../../core/metrics/headroom.ts';
import { metrics } from '../../core/metrics/registry.ts';
import { median } from '../../core/base/median.ts';
import { counted } from '../../core/base/counted.ts';
import { formatShare, formatUs } from '../../core/base/units.ts';
import { effectsOf } from '../../core/fault/faults.ts';
import { describeConditions, losesBytes } from '../../core/network/conditions.ts';
import type { Traffic } from '../../core/protocol/network.ts';
import type { Completed } from '../../core/result/result.ts';
import type { TrialWarning } from '../../core/result/trial-warning.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import type { TrialPlan } from '../plan/plan.ts';
import type { Readings } from './readings.ts';

/** The network's process may come to its turn this late in half of the slots, as load processes may. */
const lateShare = 0.3;
const lateLeastUs = 20_000;

/** Why the two sides may count differently: a network between them loses bytes that were sent. */
export function lossesBetween({
  network,
  faults,
  phases,
}: Pick<Scenario, 'network' | 'faults' | 'phases'>): string[] {
  const steadily = network?.between === 'clients' && losesBytes(network.conditions);
  return steadily || effectsOf(faults, phases.measure).losesBytes
    ? ['the network between the two sides cut connections or kept bytes']
    : [];
}

export function networkWarnings(
  { scenario }: TrialPlan,
  { traffic }: Pick<Readings, 'traffic'>,
  trial: Completed,
): TrialWarning[] {
  if (!traffic) return [];
  return [through(scenario, traffic), unreadable(traffic), late(trial)].flatMap((one) => one ?? []);
}

function through({ network }: Scenario, traffic: Traffic): TrialWarning {
  const whose = network?.between === 'broker' ? 'servers to their broker' : 'subscribers';
  const steady = network
    ? `the connections of ${whose} went through a network with ${describeConditions(network.conditions)}`
    : 'connections went through a network that was like loopback until a fault began';
  const did = [
    [traffic.reset, 'was reset', 'were reset'],
    [traffic.idleCut, 'was cut for being silent', 'were cut for being silent'],
    [traffic.upgradesRefused, 'was refused its Upgrade', 'were refused their Upgrade'],
    [traffic.upgradesStripped, 'lost its Upgrade header', 'lost their Upgrade headers'],
  ] as const;
  const done = did
    .filter(([count]) => count > 0)
    .map(([count, one, many]) => `${count} ${count === 1 ? one : many}`);
  return {
    code: 'through-network',
    level: 'note',
    message:
      `${steady}: a proxy of ours, whose own time is part of the latencies too. It carried ` +
      counted(traffic.accepted, 'connection') +
      `${done.length > 0 ? `, of which ${done.join(', ')}` : ''}. Publishing did not go through it.`,
  };
}

function unreadable({ unreadable: count }: Traffic): TrialWarning | undefined {
  if (count === 0) return undefined;
  return {
    code: 'fault-not-done',
    level: 'invalid',
    message:
      `the network was asked to change HTTP/1.1, and ${counted(count, 'connection')} did not speak it in ` +
      'clear text, so nothing could be done to them. Leave out TLS and HTTP/2, or upgrade and responses.',
  };
}

/** A network that had no time adds to latencies what no scenario asked for. */
function late(trial: Completed): TrialWarning | undefined {
  const { startUs, columns } = trial.series;
  const delays = (columns['networkLoopDelayP99Us'] ?? []).filter(
    (delay, i): delay is number => delay !== null && startUs[i]! >= 0,
  );
  const usualUs = delays.length === 0 ? 0 : median(delays);
  const shares = trial.processes
    .filter(({ role, wallUs }) => role === 'network' && wallUs > 0)
    .map(({ cpuUs, wallUs }) => cpuUs / wallUs);
  const busiest = Math.max(0, ...shares);
  const limitUs = Math.max(lateLeastUs, (metrics['latency.p99']!.read(trial) ?? 0) * lateShare);
  if (usualUs <= limitUs && busiest <= loadCpuLimit) return undefined;
  return {
    code: 'network-late',
    level: 'invalid',
    message:
      `the network between the processes used ${formatShare(busiest)} of a core (at most ` +
      `${formatShare(loadCpuLimit)} is trusted) and was scheduled at least ${formatUs(usualUs)} late half ` +
      `of the time (at most ${formatUs(limitUs)}): the latencies are its own. Use less load.`,
  };
}
