// Finds clients that do not read. It checks each outlet a few times in `unreadMs`; if the same bytes wait
// each time, it is cut off (core/policy/server/unread-limit.ts). Bytes count as read when they have left the
// process: a program cannot see how many of them the kernel still holds for a client (up to the limits of
// the socket buffers, net.ipv4.tcp_wmem).

import type { Duplex } from 'node:stream';
import { unreadMs } from '../../core/http/unread.ts';
import { judgeLook, lookEveryMs } from '../../core/policy/server/unread-limit.ts';
import { createSharedTimer, type SharedTimer } from './shared-timer.ts';

export type Watched = {
  readonly outlet: Duplex;
  /** Looks since which the same bytes wait. */
  waited: number;
};

const nothing = Buffer.alloc(0);

/**
 * Watches outlets; all that waits at one look must have left within `unreadMs`.
 * @param cut is called with one whose bytes do not leave, again at each look until it is taken out
 */
export function createUnreadWatch<Member extends Watched>(
  cut: (member: Member) => void,
): SharedTimer<Member> {
  // The timer visits each in every interval, so the interval is the time between two looks.
  return createSharedTimer<Member>(lookEveryMs(unreadMs), (member) => {
    const { outlet } = member;
    const waits = outlet.writableLength > 0 || (outlet.writableEnded && !outlet.writableFinished);
    switch (judgeLook(waits, member.waited)) {
      case 'nothing-waits':
        member.waited = 0;
        return;
      case 'cut-off':
        return cut(member);
      case 'begins-to-wait':
        // Writing nothing is the one public way to hear that all that was written before has left.
        if (outlet.writable) outlet.write(nothing, () => (member.waited = 0));
        member.waited++;
        return;
      case 'still-waits':
        member.waited++;
    }
  });
}
