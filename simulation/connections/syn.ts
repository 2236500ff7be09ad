// Decides when a connection is asked for again whose first packet a full listener dropped. Linux does not
// refuse it: the client's kernel sends the packet again, a second apart at first (RFC 6298, section 2.1, and
// net.ipv4.tcp_syn_linear_timeouts), then waiting twice as long each time, and gives up in the end.

import { listenBacklog } from '../../core/base/listen-backlog.ts';
import type { Profile } from '../../core/profile/profile.ts';

export type SynRules = {
  /** Connections that wait to be accepted at most: the backlog and one (Linux, sk_acceptq_is_full). */
  most: number;
  /** Packets beyond the first. */
  retransmits: number;
  /** Of these, how many a second after the one before. */
  linear: number;
};

const secondUs = 1_000_000;
/** Linux's TCP_RTO_MAX. */
const longestUs = 120 * secondUs;
/** What Linux has where nobody changed it (Documentation/networking/ip-sysctl.rst). */
const usual = { somaxconn: 4096, tcpSynRetries: 6, tcpSynLinearTimeouts: 4 };

export function synRulesOf(kernel: Profile['kernel']): SynRules {
  const linear = kernel.tcpSynLinearTimeouts ?? (hasNoLinear(kernel) ? 0 : usual.tcpSynLinearTimeouts);
  return {
    most: 1 + Math.min(listenBacklog, kernel.somaxconn ?? usual.somaxconn),
    // tcp_write_timeout() adds the two up for a connection that is being opened.
    retransmits: linear + (kernel.tcpSynRetries ?? usual.tcpSynRetries),
    linear,
  };
}

/** Linux before 6.5 knows no such setting, and waits twice as long from the first on. */
function hasNoLinear({ tcpSynRetries, tcpSynLinearTimeouts }: Profile['kernel']): boolean {
  return tcpSynLinearTimeouts === null && tcpSynRetries !== null;
}

/** What the profile does not know of the kernel, as a reader needs to hear it; undefined where all is. */
export function assumedOf(kernel: Profile['kernel']): string | undefined {
  const unknown = Object.entries(kernel).flatMap(([name, value]) =>
    value === null && !(name === 'tcpSynLinearTimeouts' && hasNoLinear(kernel)) ? [name] : [],
  );
  return unknown.length === 0
    ? undefined
    : `settings of the kernel that the profile could not read (${unknown.join(', ')}): the defaults ` +
        'of Linux are used';
}

/** @param sent packets so far, from 1 on. @returns how long the kernel waits for an answer to the last */
export function synWaitUs(sent: number, { linear }: SynRules): number {
  return Math.min(longestUs, secondUs * 2 ** Math.max(0, sent - linear - 1));
}
