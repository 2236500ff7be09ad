// Runs the publisher as a child process: takes PublisherCommand over IPC, sends PublisherReport, and ends
// when told to or when its parent has gone. How events are published is publisher/publisher.ts, for several
// servers publisher/over-servers.ts, and in a run with targets publisher/in-turn.ts.

import { realClock } from '../core/base/clock.ts';
import type { PublisherCommand, PublisherReport, Window } from '../core/protocol/control.ts';
import { newCounters } from '../core/result/counters.ts';
import { toSparse } from '../core/result/histogram.ts';
import { failedBy } from '../core/protocol/failed.ts';
import { watchSelf } from '../core/protocol/self.ts';
import { sampleTimesUs } from '../core/protocol/window.ts';
import { createBursts, type Bursts } from './publisher/bursts.ts';
import type { Publisher } from './publisher/contract.ts';
import { startPublisher } from './publisher/publisher.ts';

const takeSample = watchSelf('timer');
let publisher: Publisher | undefined;
let bursts: Bursts | undefined;

function report(message: PublisherReport, sent: () => void = () => {}): void {
  // A send fails when the parent has just gone; 'disconnect' ends this process then.
  if (process.connected) process.send!(message, undefined, undefined, sent);
  else sent();
}

function sample(): void {
  report({
    kind: 'sample',
    sample: takeSample(),
    sent: publisher?.sent() ?? 0,
    confirmed: publisher?.confirmed() ?? 0,
    counters: { ...(publisher?.counters ?? newCounters()) },
  });
}

async function obey(command: PublisherCommand): Promise<void> {
  switch (command.kind) {
    case 'start':
      publisher = await started(command);
      if (command.warmUp)
        bursts = createBursts(
          { ...command, plan: command.warmUp },
          command.publishUrls ?? [command.publishUrl],
        );
      await publisher.ready;
      return report({ kind: 'ready' });
    case 'burst':
      return report({
        kind: 'burst-done',
        confirmed: (await bursts?.publish(command.from, command.to)) ?? 0,
      });
    case 'window':
      bursts?.close();
      return run(command.window);
    case 'sample':
      return sample();
    case 'stop':
      bursts?.close();
      publisher?.close();
      return report({ kind: 'stopped' }, () => process.exit(0));
  }
}

async function started(command: Extract<PublisherCommand, { kind: 'start' }>): Promise<Publisher> {
  const { target, inTurn = false, publishUrl, publishUrls } = command;
  if (publishUrls)
    return (await import('./publisher/over-servers.ts')).startOverServers(command, publishUrls);
  if (!target && !inTurn) return startPublisher(command);
  const { startInTurn } = await import('./publisher/in-turn.ts');
  const dialect = target
    ? (await import('./target/publish-request.ts')).targetDialect(target)
    : (await import('./publisher/dialect.ts')).ownDialect(publishUrl);
  return startInTurn(command, dialect);
}

async function run(window: Window): Promise<void> {
  if (!publisher) throw new Error('the window came before the start');
  void sampleAt(sampleTimesUs(window));
  const { seq, lag, roundTrip, problems, unconfirmed } = await publisher.run(window);
  report({ kind: 'done', seq, unconfirmed, lag: toSparse(lag), roundTrip: toSparse(roundTrip), problems });
}

async function sampleAt(timesUs: number[]): Promise<void> {
  for (const atUs of timesUs) {
    await realClock.until(atUs);
    sample();
  }
}

function fail(error: unknown): void {
  console.error(error);
  report(failedBy(error), () => process.exit(1));
}

process.on('message', (command) => {
  obey(command as PublisherCommand).catch(fail); // both ends are this package
});
process.on('disconnect', () => process.exit(0));
process.on('uncaughtException', fail);
// Ctrl-C goes to the whole process group; the parent decides when its children end.
process.on('SIGINT', () => {});
