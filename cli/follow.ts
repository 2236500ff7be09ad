// Implements `pushbench follow`: prints what an address brings until Ctrl-C, or until enough has come.

import { addressOf } from '../core/base/address.ts';
import { longestTimerMs } from '../core/base/clock.ts';
import { exitCodes, type ExitCode } from '../core/base/errors.ts';
import { formatNumber, formatUs } from '../core/base/units.ts';
import { isLoopbackHost } from '../core/http/access.ts';
import { patterns } from '../core/pattern/registry.ts';
import { follow, type Followed } from '../load/follow/follow.ts';
import { createTally, type Totals } from '../load/follow/tally.ts';
import { findFollowed, limitsOf, optionsOf, type FollowFlags } from './follow-address.ts';
import { jsonLine, textLine } from './follow-lines.ts';
import { complain } from './print.ts';
import { takeSignals } from './signals.ts';

export type { FollowFlags } from './follow-address.ts';

/** How long the server may take to close its side. */
const closeMs = 1000;

type End = { why: string; code: ExitCode };

/** Follows until something ends it. */
export async function followCommand(address: string, flags: FollowFlags): Promise<ExitCode> {
  const limits = limitsOf(flags);
  const { followed, options } = await findFollowed(optionsOf(address, flags));
  const tally = createTally(isLoopbackHost(addressOf(followed.url).host));
  const { promise: ended, resolve } = Promise.withResolvers<End>();
  let over = false;
  let events = 0;
  let everReady = false;
  let lostMs: number | undefined;
  let lastSaid = '';
  const end = (why: string, code: ExitCode) => {
    over = true;
    resolve({ why, code });
  };
  /** Of an end that nobody asked for by `--events`. */
  const unlessShort = () => (limits.events === Infinity ? exitCodes.ok : exitCodes.expectation);
  const say = (text: string) => {
    if (text !== lastSaid) complain((lastSaid = text));
  };

  const giveBack = takeSignals((signal) => {
    if (over) process.exit(exitCodes.interrupted);
    const unlimited = limits.events === Infinity && limits.forMs === Infinity;
    end(`ended by ${signal}`, unlimited ? exitCodes.ok : exitCodes.interrupted);
  });
  // Above what a timer can wait there is no end that anybody will see.
  const timer =
    limits.forMs > longestTimerMs
      ? undefined
      : setTimeout(() => end('the time is over', unlessShort()), limits.forMs);
  const fromMs = performance.now();
  const running = await follow(followed, options, {
    ready(atUs) {
      tally.ready(atUs);
      if (!everReady) complain(followingWhat(followed, options.topics));
      else if (lostMs !== undefined) say(`Back after ${formatUs((performance.now() - lostMs) * 1000)}.`);
      everReady = true;
      lostMs = undefined;
    },
    lost() {
      lostMs ??= performance.now();
      if (!over) say('Lost the connection; coming back.');
    },
    received(received) {
      if (over) return;
      const noted = tally.take(received);
      const line = flags.json ? jsonLine(received, noted) : textLine(received, noted);
      process.stdout.write(`${line}\n`);
      if (++events >= limits.events) end('as many events as were asked for', exitCodes.ok);
    },
    reset() {
      say('The server no longer had all that was missed.');
    },
    problem(code, message) {
      if (over) return;
      if (everReady) say(`${message} (${code})`);
      else end(`${message} (${code})`, exitCodes.failed);
    },
    ended: (why, failed) => end(why, failed ? exitCodes.failed : unlessShort()),
  });
  const { why, code } = await ended;
  clearTimeout(timer);
  await running.close(closeMs);
  complain(summaryOf(why, tally.totals(), performance.now() - fromMs));
  giveBack();
  return code;
}

function followingWhat({ pattern, ours, url }: Followed, topics: readonly string[]): string {
  const what = ours ? `${topics.join(', ')} at ${url.origin}` : url.href;
  return `Following ${what} (${patterns[pattern].title}). Ctrl-C ends it.`;
}

function summaryOf(why: string, totals: Totals, ms: number): string {
  const { events, reconnections, replayed, missed, repeated, medianLatencyUs } = totals;
  const count = (n: number, one: string) => `${formatNumber(n)} ${one}${n === 1 ? '' : 's'}`;
  const took = medianLatencyUs === undefined ? '' : `, ${formatUs(medianLatencyUs)} each at the median`;
  const rest = [
    reconnections > 0 ? count(reconnections, 'reconnection') : '',
    replayed > 0 ? `${formatNumber(replayed)} replayed` : '',
    `${formatNumber(missed)} missed`,
    repeated > 0 ? `${formatNumber(repeated)} came twice` : '',
  ].filter((text) => text !== '');
  return `${count(events, 'event')} in ${formatUs(ms * 1000)}${took}; ${rest.join(', ')}. End: ${why}.`;
}
