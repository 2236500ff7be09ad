// Says what the model of connections that come and go leaves out.

import { isCluster } from '../../core/scenario/servers.ts';
import type { ModelInput } from '../model.ts';
import type { Prepared } from '../models/prepare.ts';
import { signsLeftOut } from '../models/signs-of-life.ts';
import type { StreamKind } from '../models/stream-kind.ts';
import { lifeIn } from './lives.ts';
import { assumedOf } from './syn.ts';

export function leftOut(
  { scenario: { servers, faults, subscribers }, profile, oneCore }: ModelInput,
  { measured }: Pick<Prepared, 'measured'>,
  kind: StreamKind,
): string[] {
  const assumed = assumedOf(profile.kernel);
  return [
    ...(lifeIn(profile, servers.broker.kind)
      ? []
      : ['how long a server takes to start and to end: the profile does not say, and no time passes']),
    'the cost and the time of sending a client the events that it missed',
    'events that are on their way when a connection is cut: they arrive',
    'how long clients take to notice that they were cut off, and their shortage of CPU',
    ...(!oneCore && (servers.count > 1 || faults.some(({ kind }) => kind === 'start'))
      ? ['servers that share a core: each has one of its own']
      : []),
    ...(isCluster(servers) && servers.broker.kind !== 'in-process'
      ? ['the time that the broker adds to an event, and its cost']
      : []),
    ...(assumed === undefined ? [] : [assumed]),
    'first, median and last receiver of events that most of their followers got late',
    'subscribers that read too slowly: all of them read at once',
    ...signsLeftOut(measured.points, subscribers / servers.count),
    ...(kind.leavesOut ?? []),
  ];
}
