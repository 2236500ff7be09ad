// Runs the server of a trial in a process of its own, which the harness forks. Speaks `ServerCommand` and
// `ServerReport` of core/protocol/control.ts over IPC. It ends when it is told to, when it cannot continue,
// or when the harness is gone.

import { nowUs } from '../core/base/clock.ts';
import { newCounters } from '../core/result/counters.ts';
import type { ServerCommand, ServerReport } from '../core/protocol/control.ts';
import { UserError } from '../core/base/errors.ts';
import { goodbyeLimits } from '../core/policy/server/goodbye.ts';
import { failedBy } from '../core/protocol/failed.ts';
import { collectGarbage, watchSelf } from '../core/protocol/self.ts';
import type { Hub } from './hub/hub.ts';
import { startServer, type RunningServer } from './start.ts';

const sampleSelf = watchSelf('turns');
let server: RunningServer<Hub> | undefined;
let refusing: NodeJS.Timeout | undefined;

function report(message: ServerReport, sent: () => void = () => {}): void {
  // The send fails when the harness has just gone; 'disconnect' ends this process then.
  if (process.connected) process.send!(message, undefined, undefined, sent);
}

function reportSample(): void {
  report({
    kind: 'sample',
    sample: sampleSelf(),
    counters: server?.counters() ?? newCounters(),
    subscribers: server?.subscribers() ?? 0,
    publishedEvents: server?.hub.published() ?? 0,
    ...(server?.backlog && { backlog: server.backlog() }),
  });
}

function fail(error: unknown): void {
  console.error(error instanceof UserError ? error.message : error);
  report(failedBy(error), () => process.exit(1));
  setTimeout(() => process.exit(1), 1000);
}

async function obey(command: ServerCommand): Promise<void> {
  switch (command.kind) {
    case 'start':
      server = await startServer({
        ...command,
        ...(command.ports && { port: command.ports.main, publishPort: command.ports.publish }),
      });
      return report({
        kind: 'listening',
        endpoint: server.endpoint,
        ...(server.emulator !== undefined && { emulator: server.emulator }),
      });
    case 'collect':
      return collectGarbage();
    case 'sample':
      return reportSample();
    case 'disconnect':
      server?.disconnect(command.share);
      return report({ kind: 'acted', act: command.act, atUs: nowUs() });
    case 'drain': {
      const { act, kind: _, ...plan } = command;
      report({ kind: 'acted', act, atUs: nowUs() });
      const drained = await server?.drain(plan);
      return drained && report({ kind: 'drained', act, atUs: nowUs(), ...drained });
    }
    case 'refuse':
      server?.refuse(command.mode);
      clearTimeout(refusing);
      if (command.forMs !== undefined) refusing = setTimeout(() => server?.refuse('off'), command.forMs);
      return report({ kind: 'acted', act: command.act, atUs: nowUs() });
    case 'stop':
      // Something hangs then, and going without it is better than staying.
      setTimeout(() => process.exit(1), goodbyeLimits.processMs);
      await server?.close();
      reportSample();
      return report({ kind: 'stopped' }, () => process.exit(0));
  }
}

// The harness forks this file, so it has a channel. A terminal sends Ctrl-C to the whole
// group; the harness decides.
// Both ends are this package.
process.on('message', (command) => void obey(command as ServerCommand).catch(fail));
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => {});
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
