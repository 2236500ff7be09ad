// Uses as much CPU as it is told to, half of it in a thread that ends, and says what it used.

import { Worker } from 'node:worker_threads';

const workUs = 400_000;
const used = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
const threadWork = `
  const { threadCpuUsage } = process;
  const used = () => {
    const { user, system } = threadCpuUsage();
    return user + system;
  };
  while (used() < ${workUs});
`;

process.on('message', async (what) => {
  if (what === 'work') {
    await new Promise((resolve) => new Worker(threadWork, { eval: true }).once('exit', resolve));
    for (const from = used(); used() - from < workUs;);
  }
  process.send(used());
});
