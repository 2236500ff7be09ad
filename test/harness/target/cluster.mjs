// A process with two children that share its listening socket; on SIGUSR2 all three use 0.3 s of CPU.
import cluster from 'node:cluster';
import { createServer } from 'node:net';

const work = () => {
  for (const from = process.cpuUsage().user; process.cpuUsage().user - from < 300_000;);
};

if (cluster.isPrimary) {
  const workers = [cluster.fork(), cluster.fork()];
  let up = 0;
  cluster.on('listening', (_worker, { port }) => {
    if (++up === workers.length)
      console.log(JSON.stringify({ port, workers: workers.map(({ process: { pid } }) => pid) }));
  });
  process.on('SIGUSR2', () => {
    for (const worker of workers) worker.send('work');
    work();
  });
} else {
  process.on('message', work);
  createServer().listen({ port: 0, host: '127.0.0.1', exclusive: false });
}
