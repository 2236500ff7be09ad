// Runs the network proxy of a trial in a process of its own, which the harness forks. Speaks `NetworkCommand`
// and `NetworkReport` of core/protocol/network.ts over IPC and ends when told to, when it cannot go on, or
// when the harness is gone.

import { later, nowUs } from '../core/base/clock.ts';
import { UserError } from '../core/base/errors.ts';
import { failedBy } from '../core/protocol/failed.ts';
import type { NetworkCommand, NetworkReport } from '../core/protocol/network.ts';
import { collectGarbage, watchSelf } from '../core/protocol/self.ts';
import { createProxy, noTraffic, type NetworkProxy } from './proxy.ts';

const readSelf = watchSelf('timer');
let proxy: NetworkProxy | undefined;

function report(message: NetworkReport, sent: () => void = () => {}): void {
  // Without a channel the harness is gone, and 'disconnect' ends this process.
  if (process.connected) process.send!(message, undefined, undefined, sent);
}

function fail(error: unknown): void {
  report(failedBy(error), () => process.exit(1));
}

async function obey(command: NetworkCommand): Promise<void> {
  switch (command.kind) {
    case 'start':
      proxy = createProxy(command);
      return;
    case 'open':
      if (!proxy) throw new UserError('not-started', 'the network was told to open before it was started');
      return report({ kind: 'opened', urls: await proxy.open(command.routes) });
    case 'impose': {
      const lift = proxy?.impose(command);
      report({ kind: 'acted', act: command.act, atUs: nowUs() });
      if (lift && command.forMs !== undefined) later(command.forMs, lift);
      return;
    }
    case 'collect':
      return collectGarbage();
    case 'sample':
      return report({ kind: 'sample', sample: readSelf(), traffic: proxy?.traffic() ?? noTraffic });
    case 'stop':
      await proxy?.close();
      return report({ kind: 'stopped' }, () => process.exit(0));
  }
}

// Both ends are this package. A terminal sends Ctrl-C to the whole group; the harness decides.
process.on('message', (command) => void obey(command as NetworkCommand).catch(fail));
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => {});
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
