// Makes rows of the process table of what a model computed: each server, a broker, HAProxy; and says which of
// them has the most to do.

import type { Profile } from '../core/profile/profile.ts';
import type { ProcessUse } from '../core/result/result.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import type { BesidePart, ServerFigures, ServerPart, Simulated } from './model.ts';

export function processUses(
  { saturated, server, cluster, changes }: Simulated,
  profile: Pick<Profile, 'serverBaseRssBytes'>,
  scenario: Pick<Scenario, 'phases' | 'subscribers'>,
): ProcessUse[] {
  const { serverBaseRssBytes } = profile;
  const measuredUs = Math.round(scenario.phases.measure * 1000);
  if (changes?.servers)
    return changes.perServer.map((one, i) => ownUse(one, i, server.rssBytes, scenario, profile));
  if (!cluster) return [serverUse(server, saturated, serverBaseRssBytes, measuredUs)];
  // A part of the time was computed where a server is hopelessly behind, so the fullest may not show it.
  const isFull = (one: { busiestShare: number }) => saturated && one === cluster.servers[busiest(cluster)];
  return [
    ...cluster.servers.map((one, index) => ({
      ...serverUse(one, one.busiestShare >= 1 || isFull(one), serverBaseRssBytes, measuredUs),
      index,
      handshakes: 0,
      subscribers: one.subscribers,
    })),
    ...cluster.beside.map((one) => besideUse(one, measuredUs)),
  ];
}

/** Where the fullest of all is a server, its place among them; else -1. */
function busiest({ servers, beside }: NonNullable<Simulated['cluster']>): number {
  const most = Math.max(...servers.map(({ busiestShare }) => busiestShare));
  if (beside.some(({ busiestShare }) => busiestShare > most)) return -1;
  return servers.findIndex(({ busiestShare }) => busiestShare === most);
}

/** Who has the most to do, as texts call it. */
export function fullest({ server, cluster, changes }: Simulated): { busiestShare: number; name: string } {
  const isOneOfMany = changes?.servers !== undefined || (cluster?.servers.length ?? 1) > 1;
  const alone = { busiestShare: server.busiestShare, name: isOneOfMany ? 'a server' : 'the server' };
  if (!cluster) return alone;
  const names = { broker: 'the broker', 'in-front': 'HAProxy' } as const;
  return cluster.beside
    .map(({ role, busiestShare }) => ({ busiestShare, name: names[role] as string }))
    .reduce((most, one) => (one.busiestShare > most.busiestShare ? one : most), alone);
}

function serverUse(
  { cpuUs, idleShare, rssBytes }: Pick<ServerPart, 'cpuUs' | 'idleShare' | 'rssBytes'>,
  isFull: boolean,
  baseRssBytes: number,
  measuredUs: number,
): ProcessUse {
  return {
    role: 'server',
    // One thread: what it has no time for waits.
    cpuUs: Math.min(cpuUs, measuredUs),
    wallUs: measuredUs,
    busiest: { ranUs: isFull ? measuredUs : Math.min(cpuUs, measuredUs), waitedUs: 0 },
    idleShare,
    rssBaselineBytes: baseRssBytes,
    rssConnectedBytes: rssBytes,
    rssPeakBytes: rssBytes,
  };
}

/** One of several servers that come and go. @param rssBytes of all, with all subscribers */
function ownUse(
  { cpuUs, idleShare, handshakes, ...subscribers }: ServerFigures,
  index: number,
  rssBytes: number,
  { phases, subscribers: all }: Pick<Scenario, 'phases' | 'subscribers'>,
  { serverBaseRssBytes }: Pick<Profile, 'serverBaseRssBytes'>,
): ProcessUse {
  const measuredUs = Math.round(phases.measure * 1000);
  const eachBytes = (rssBytes - serverBaseRssBytes) / all;
  const ranUs = Math.min(cpuUs, measuredUs);
  return {
    role: 'server',
    index,
    cpuUs: ranUs,
    wallUs: measuredUs,
    busiest: { ranUs, waitedUs: 0 },
    idleShare,
    rssBaselineBytes: serverBaseRssBytes,
    rssConnectedBytes: serverBaseRssBytes + eachBytes * subscribers.subscribersAtFirst,
    rssPeakBytes: serverBaseRssBytes + eachBytes * subscribers.subscribersAtMost,
    handshakes,
    subscribers: subscribers.subscribers,
  };
}

function besideUse(
  { role, cpuUs, rssBytes, baseRssBytes, descriptors }: BesidePart,
  measuredUs: number,
): ProcessUse {
  return {
    role,
    index: 0,
    cpuUs: Math.min(cpuUs, measuredUs),
    wallUs: measuredUs,
    busiest: { ranUs: Math.min(cpuUs, measuredUs), waitedUs: 0 },
    rssBaselineBytes: baseRssBytes,
    rssConnectedBytes: rssBytes,
    rssPeakBytes: rssBytes,
    ...(descriptors && { descriptors }),
    outside: true,
  };
}
