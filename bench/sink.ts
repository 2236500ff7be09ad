// Opens N raw connections with a given request in a process of its own and throws away what comes: load that
// is the same for every server under test. It counts how often a needle arrived and prints that as JSON.

import net from 'node:net';

const [port, request, needle, connections, seconds] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const shared = Buffer.allocUnsafe(65_536);
const bytes = Buffer.from(needle);
let seen = 0;

function count(length: number): boolean {
  const got = shared.subarray(0, length);
  for (let at = got.indexOf(bytes); at !== -1; at = got.indexOf(bytes, at + bytes.length)) seen++;
  return true;
}

for (let i = 0; i < Number(connections); i++) {
  await new Promise<void>((resolve, reject) => {
    const socket = net.connect(
      { port: Number(port), host: '127.0.0.1', noDelay: true, onread: { buffer: shared, callback: count } },
      () => {
        socket.write(request);
        resolve();
      },
    );
    socket.on('error', reject);
  });
}
process.send?.('connected');
setTimeout(() => {
  const from = seen;
  setTimeout(
    () => {
      console.log(JSON.stringify({ perSecond: (seen - from) / Number(seconds) }));
      process.exit();
    },
    Number(seconds) * 1000,
  );
}, 2000);
