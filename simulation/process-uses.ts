// Makes the rows of the process table from a model's figures: each server, a broker, HAProxy. Says which of
// them has the most to do.

import type { Profile } from '../core/profile/profile.ts';
import type { ProcessUse } from '../core/result/result.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import type { Asked, BesidePart, ServerFigures, ServerPart, Simulated } from './model.ts';

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
  const isFull = (one: ServerPart) => one.grows || (saturated && one === fullestOf(all(cluster)));
  return [
    ...cluster.servers.map((one, index) => ({
      ...serverUse(one, isFull(one), serverBaseRssBytes, measuredUs),
      index,
      handshakes: 0,
      subscribers: one.subscribers,
    })),
    ...cluster.beside.map((one) => besideUse(one, measuredUs)),
  ];
}

function all({ servers, beside }: NonNullable<Simulated['cluster']>): readonly (ServerPart | BesidePart)[] {
  return [...servers, ...beside];
}

/**
 * The process with the most work; if all can do theirs in time, the process with the most left at the end.
 */
function fullestOf<One extends Pick<Asked, 'askedShare' | 'leftUs'>>(those: readonly One[]): One | undefined {
  const isFuller = (one: One, than: One) =>
    Math.max(one.askedShare, than.askedShare) >= 1 || one.leftUs === than.leftUs
      ? one.askedShare > than.askedShare
      : one.leftUs > than.leftUs;
  const [first, ...others] = those;
  return first && others.reduce((most, one) => (isFuller(one, most) ? one : most), first);
}

/** Who has the most to do, as texts call it. */
export function fullest({ server, cluster, changes }: Simulated): Pick<Asked, 'askedShare' | 'leftUs'> & {
  name: string;
} {
  const isOneOfMany = changes?.servers !== undefined || (cluster?.servers.length ?? 1) > 1;
  const most = (cluster && fullestOf(all(cluster))) ?? server;
  const { askedShare, leftUs } = most;
  const aServer = isOneOfMany ? 'a server' : 'the server';
  const name = 'role' in most ? { broker: 'the broker', 'in-front': 'HAProxy' }[most.role] : aServer;
  return { askedShare, leftUs, name };
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
