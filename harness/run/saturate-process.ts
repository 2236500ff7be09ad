// Runs autocannon in a process of its own, so that its CPU is told from the server's: each connection sends
// its next request when the last one was answered. Without a rate it corrects nothing for coordinated
// omission, so only the number of answers is used and not its percentiles.

import autocannon from 'autocannon';
import type { SaturateCommand, SaturateReport } from './saturate.ts';

async function obey(command: SaturateCommand): Promise<void> {
  if (command.kind === 'stop') process.exit(0);
  const { url, method, body, connections, seconds } = command;
  const before = process.cpuUsage();
  const { requests, errors, non2xx, duration } = await autocannon({
    url,
    connections,
    duration: seconds,
    method,
    ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
  });
  const { user, system } = process.cpuUsage(before);
  report({
    kind: 'done',
    requests: requests.total,
    errors: errors + non2xx,
    wallUs: duration * 1e6,
    cpuUs: user + system,
  });
}

function report(message: SaturateReport): void {
  if (process.connected) process.send!(message);
}

process.on('message', (command) => {
  obey(command as SaturateCommand).catch((error: unknown) => {
    // both ends are this package
    console.error(error);
    process.exit(1);
  });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {});
