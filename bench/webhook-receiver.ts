// Answers every webhook with 204 and does nothing else, in a process of its own. It prints its port as JSON.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume().on('end', () => response.writeHead(204).end());
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })); // of a TCP listener
});
process.on('disconnect', () => process.exit());
