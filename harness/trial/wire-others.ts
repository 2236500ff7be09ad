// Checks whether what the host's counters say of the wire is the trial's: not more than its connections can
// explain, not less than they carried, and little beside what the host sends without them.

import type { Completed } from '../../core/result/result.ts';
import type { TrialWarning } from '../../core/result/trial-warning.ts';
import { formatBytes, formatNumber, formatShare } from '../../core/base/units.ts';

/** Counts of both sides are taken within milliseconds of the host's, not at the same instant. */
const slackShare = 0.05;
const slackBytes = 16 * 1024;
const slackSegments = 200;
/** The share of the counted bytes that the host may send by itself. */
const idleMost = 0.05;

const code = 'wire-others';

/** @returns a warning when the packets and bytes on the wire are not the trial's alone, else nothing */
export function wireOthers({
  network,
  measuredUs,
}: Pick<Completed, 'network' | 'measuredUs'>): TrialWarning[] {
  if (!network?.explained) return [];
  const { segments, wireBytes, explained, idleBytesPerS } = network;
  const seconds = measuredUs / 1e6;
  const advice =
    'Packets and bytes with the headers of TCP and IP are therefore not those of this trial. Close other ' +
    'programs that send something, over loopback too, and run it again.';
  const invalid = (message: string): TrialWarning[] => [{ code, level: 'invalid', message }];

  if (wireBytes > explained.mostBytes * (1 + slackShare) + slackBytes) {
    const beyond = formatBytes(wireBytes - explained.mostBytes);
    return invalid(
      `this host sent ${formatBytes(wireBytes)} in the measured phase, and subscribers and publisher ` +
        `explain at most ${formatBytes(explained.mostBytes)}: ${beyond} or more come from other programs. ` +
        advice,
    );
  }
  if (segments > explained.mostSegments * (1 + slackShare) + slackSegments) {
    const beyond = formatNumber(segments - explained.mostSegments);
    return invalid(
      `this host sent ${formatNumber(segments)} TCP segments in the measured phase, and subscribers and ` +
        `publisher explain at most ${formatNumber(explained.mostSegments)}: ${beyond} or more are of other ` +
        `programs. ${advice}`,
    );
  }
  const idleBytes = (idleBytesPerS ?? 0) * seconds;
  if (idleBytes > wireBytes * idleMost && idleBytes > slackBytes) {
    return invalid(
      `before the first subscriber connected this host sent ${formatBytes(idleBytesPerS!)} a second, which ` +
        `over the measured phase is ${formatShare(Math.min(1, idleBytes / wireBytes))} of what it sent ` +
        `then (${formatBytes(wireBytes)}): other programs were sending. ${advice}`,
    );
  }
  if (wireBytes < explained.leastBytes * (1 - slackShare) - slackBytes) {
    return invalid(
      `this host's counters of IPv4 saw ${formatBytes(wireBytes)} in the measured phase, where subscribers ` +
        `and publisher sent and got ${formatBytes(explained.leastBytes)}: the rest was sent by another ` +
        'machine, or over IPv6. Packets and bytes with the headers of TCP and IP are therefore not those ' +
        'of this trial. Measure with both ends on this machine, over IPv4, to have them.',
    );
  }
  return [];
}
