// Says what the model of connections that come and go leaves out.

import { isCluster } from '../../core/scenario/servers.ts';
import type { ModelInput } from '../model.ts';
import type { StreamKind } from '../models/stream-kind.ts';
import { assumedOf } from './syn.ts';

export function leftOut({ scenario: { servers, faults }, profile }: ModelInput, kind: StreamKind): string[] {
  const assumed = assumedOf(profile.kernel);
  return [
    ...(profile.serverLife
      ? []
      : ['how long a server takes to start and to end: the profile does not say, and no time passes']),
    'what it costs a server, and how long it takes, to send a client what it missed',
    'events on their way as a connection is cut: they arrive',
    'how long clients take to notice that they were cut off, and what their own CPU is short of',
    ...(servers.count > 1 || faults.some(({ kind }) => kind === 'start')
      ? ['servers that share a core: each has one of its own']
      : []),
    ...(isCluster(servers) && servers.broker.kind !== 'in-process'
      ? ['what the broker adds to the time of an event, and what it costs']
      : []),
    ...(assumed === undefined ? [] : [assumed]),
    'first, median and last receiver of events that most of their followers got late',
    'subscribers that read too slowly: all of them read at once what comes',
    ...(kind.leavesOut ?? []),
  ];
}
