// Decides which clusters can be simulated: steady ones whose broker and HAProxy were measured with the
// profile.

import { formatUs } from '../core/base/units.ts';
import { counted } from '../core/base/counted.ts';
import type { PatternRegistry } from '../core/pattern/pattern.ts';
import type { Variant } from '../core/pattern/variant.ts';
import type { Profile } from '../core/profile/profile.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import { brokersWithOneLog, isCluster } from '../core/scenario/servers.ts';

type Asked = Pick<Scenario, 'servers' | 'subscribers'>;

/** @param profile where given, its brokers are checked too */
export function clusterObstacles({ servers, subscribers }: Asked, profile?: Profile): string[] {
  if (!isCluster(servers)) return [];
  const { broker, inFront, count } = servers;
  const each = Math.ceil(subscribers / count);
  const most = inFront.kind === 'list' ? undefined : inFront.maxconn;
  return [
    ...(profile && broker.kind !== 'in-process' && !profile.cluster?.brokers[broker.kind]
      ? [
          (broker.kind === 'kafka'
            ? 'servers.broker: no profile has figures of Kafka, because trials start only a stand-in for it. '
            : `servers.broker: the profile ${profile.name} has no figures of ${broker.kind}; npm start -- ` +
              'calibrate measures it if it is installed; name the new profile with --profile FILE. ') +
            'Without a broker (in-process) the scenario can be simulated.',
        ]
      : []),
    ...(profile && inFront.kind !== 'list' && !profile.cluster?.haproxy
      ? [
          `servers.in-front: the profile ${profile.name} has no figures of HAProxy; npm start -- calibrate ` +
            'measures it if it is installed; name the new profile with --profile FILE. With a list of ' +
            'servers (in-front: list) the scenario can be simulated.',
        ]
      : []),
    ...(most !== undefined && each > most
      ? [
          `servers.in-front.maxconn: no model has subscribers that wait for a server with room, and a ` +
            `server would have ${counted(each, 'subscriber')}; set at least as much, or leave it out.`,
        ]
      : []),
  ];
}

/** Why no model knows what becomes of a variant's subscribers; undefined where one does. */
export function whyNotThroughFront(
  { pattern, options }: Variant,
  { servers: { count, broker, inFront } }: Pick<Asked, 'servers'>,
  registry: PatternRegistry,
  profile?: Profile,
): string | undefined {
  if (inFront.kind === 'list') return undefined;
  const entry = registry[pattern];
  if ((entry?.httpVersion?.(options) ?? 'h1') !== 'h1')
    return 'no profile has the costs of HAProxy when it passes HTTP/2 on without reading it';
  const asksAgain = entry?.fromHistory === true;
  if (asksAgain && inFront.kind === 'haproxy' && count > 1 && !brokersWithOneLog.includes(broker.kind))
    return (
      `behind HAProxy without sticky sessions each request goes to another server, and with ${broker.kind} ` +
      'servers do not know one another\'s cursors: every answer would be "too late". Take haproxy-sticky, ' +
      'or a broker with one log (redis-streams)'
    );
  const silentMs = mostSilentMs(options);
  if (silentMs >= inFront.idleMs)
    return (
      `HAProxy would cut connections that are silent for ${formatUs(inFront.idleMs * 1000)}, and these are ` +
      `for up to ${formatUs(silentMs * 1000)}; no model knows what goes wrong`
    );
  const measured = profile?.cluster?.haproxy?.variants;
  return measured && !Object.values(measured).some((one) => one.pattern === pattern)
    ? `the profile ${profile.name} has no figures of this pattern through HAProxy`
    : undefined;
}

/** How long a connection may say nothing: signs of life, ends of holds and polls break the silence. */
function mostSilentMs(options: Variant['options']): number {
  const { heartbeat, ping, hold, every, jitter } = options;
  const each = [heartbeat, ping, hold].map((ms) => Number(ms ?? 0));
  return Math.max(...each, Number(every ?? 0) * (1 + Number(jitter ?? 0)));
}
