// Reads with the `ws` client and only counts: a peer for our load process.

import { WebSocket } from 'ws';

const [url, connections, seconds] = process.argv.slice(2) as [string, string, string];
let seen = 0;
for (let i = 0; i < Number(connections); i++) {
  await new Promise<void>((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on('message', () => seen++);
    socket.on('open', () => resolve());
    socket.on('error', reject);
  });
}
setTimeout(() => {
  const from = seen;
  const cpu = process.cpuUsage();
  setTimeout(
    () => {
      const { user, system } = process.cpuUsage(cpu);
      console.log(JSON.stringify({ cpuMicrosPerEvent: (user + system) / (seen - from) }));
      process.exit();
    },
    Number(seconds) * 1000,
  );
}, 2000);
