// Runs a load process: takes the harness's commands, runs the subscribers of one pattern, and reports.

import { nowUs, realClock, shiftClock } from '../core/base/clock.ts';
import type { LoadCommand, LoadReport, Window } from '../core/protocol/control.ts';
import { newCounters } from '../core/result/counters.ts';
import { UserError } from '../core/base/errors.ts';
import { failedBy } from '../core/protocol/failed.ts';
import { collectGarbage, watchSelf } from '../core/protocol/self.ts';
import { sampleTimesUs } from '../core/protocol/window.ts';
import { createLeaving, type Leaving } from './subscribers/leaving.ts';
import { createSlowReaders, type SlowReaders } from './subscribers/slow.ts';
import { createPages, type Pages } from './subscribers/pages.ts';
import { mostFrequent, startSubscribers, type StartedSubscribers } from './ramp.ts';
import { createSenders, type Senders } from './publisher/publishing-subscribers.ts';

/** How long requests under way may take once the subscribers stop asking. */
const closeGraceMs = 2000;
/** The same for each subscriber of the trial: all of them close at once. */
const closeEachMs = 0.1;

type Command<K extends LoadCommand['kind']> = Extract<LoadCommand, { kind: K }>;

const counters = newCounters();
const readSelf = watchSelf('timer');
let subscribers: StartedSubscribers | undefined;
let graceMs = closeGraceMs;
let senders: Senders | undefined;
let pages: Pages | undefined;
let leaving: Leaving | undefined;
let slowReaders: SlowReaders | undefined;

function report(message: LoadReport, sent: () => void = () => {}): void {
  // Without a channel the harness is gone, and 'disconnect' ends this process.
  if (process.connected) process.send!(message, undefined, undefined, sent);
}

function fail(error: unknown): void {
  report(failedBy(error), () => process.exit(1));
}

function sample(): void {
  report({
    kind: 'sample',
    sample: readSelf(),
    counters: { ...counters },
    connected: subscribers?.recorder.connected() ?? 0,
    coming: subscribers?.recorder.coming() ?? 0,
    delivered: subscribers?.recorder.delivered() ?? 0,
    latency: subscribers?.recorder.takeLatency() ?? [],
  });
}

async function start(command: Command<'start'>): Promise<void> {
  const started = await startSubscribers(command, counters);
  subscribers = started;
  graceMs = closeGraceMs + command.subscribers * closeEachMs;
  leaving = createLeaving(command, started.running);
  slowReaders = createSlowReaders(command, started.running);
  if (command.browser) pages = createPages(command, command.browser, started.context, started.running);
  try {
    report({ kind: 'ready', connectMs: await started.allReady });
  } catch (error) {
    const code = mostFrequent(started.recorder.problems());
    report({ kind: 'short', connected: started.recorder.connected(), ...(code !== undefined && { code }) });
    throw error;
  }
}

async function openWindow(window: Window): Promise<void> {
  subscribers?.recorder.setWindow(window);
  subscribers?.running.setWindow?.(window);
  pages?.begin(window);
  void senders?.run(window).then(report);
  for (const atUs of sampleTimesUs(window)) {
    await realClock.until(atUs);
    sample();
  }
}

async function close({ firstSeq, lastSeq, unconfirmed }: Command<'close'>): Promise<void> {
  if (!subscribers)
    throw new UserError('not-started', 'the load process was told to close before it was started');
  leaving?.stop();
  slowReaders?.stop();
  senders?.close();
  const asked = pages?.close();
  subscribers.recorder.closing(nowUs());
  await subscribers.running.close(graceMs);
  const closed = subscribers.recorder.close(firstSeq, lastSeq, unconfirmed);
  report({
    kind: 'closed',
    counters: { ...counters },
    ...closed,
    ...(asked && { pages: asked }),
    ...subscribers.running.closed?.(),
  });
}

function obey(command: LoadCommand): void | Promise<void> {
  switch (command.kind) {
    case 'clock':
      return shiftClock(command.shiftUs);
    case 'start':
      return start(command);
    case 'messages':
      if (subscribers) senders = createSenders(command, subscribers.context, subscribers.running);
      return;
    case 'leave':
      leaving?.begin(command.share, command.forMs);
      return report({ kind: 'acted', act: command.act, atUs: nowUs() });
    case 'slow':
      slowReaders?.begin(command.share, command.bytesPerS, command.forMs);
      return report({ kind: 'acted', act: command.act, atUs: nowUs() });
    case 'window':
      return openWindow(command.window);
    case 'collect':
      return collectGarbage();
    case 'sample':
      return sample();
    case 'close':
      return close(command);
    case 'stop':
      return report({ kind: 'stopped' }, () => process.exit(0));
  }
}

process.on('message', (command) => {
  // The channel carries nothing but the harness's commands. A rejection ends in 'unhandledRejection'.
  void obey(command as LoadCommand);
});
process.on('disconnect', () => process.exit(0));
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
