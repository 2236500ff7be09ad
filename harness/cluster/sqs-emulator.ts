// Stands in for Amazon SQS in a trial, as a program of its own: fauxqs, on loopback alone, with the queues
// that webhook servers use (core/pattern/webhook.ts). Prints where it listens.

import { buildApp } from 'fauxqs';
import { loopback, urlHost } from '../../core/base/loopback.ts';
import { emulatedQueues } from '../../core/pattern/webhook.ts';

// Its own `startFauxqs` listens on all interfaces, whatever host it is given.
const app = buildApp({ logger: false });
const host = loopback();
await app.listen({ host, port: 0 });
const address = app.server.address();
if (address === null || typeof address === 'string') throw new Error('it listens on no port');
const url = `http://${urlHost(host)}:${address.port}`;
for (const QueueName of emulatedQueues) {
  const Attributes = QueueName.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.CreateQueue',
    },
    body: JSON.stringify({ QueueName, Attributes }),
  });
  if (!response.ok) throw new Error(`the queue ${QueueName} was not made: ${await response.text()}`);
}
console.log(`listening at ${url}`);
process.once('SIGTERM', () => process.exit());
