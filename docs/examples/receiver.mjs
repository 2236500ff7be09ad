// A receiver of webhooks in one file: verifies, recognises repetitions, puts events in order, tells what is
// missing. Run it beside `pushbench serve webhook`:
//   node docs/examples/receiver.mjs http://127.0.0.1:8080 news

import { createServer } from 'node:http';
import { createReceiver, createSequencer } from 'pushbench/receiver';

const [server = 'http://127.0.0.1:8080', ...topics] = process.argv.slice(2);
const inOrder = createSequencer({ maxHeld: 1000, maxWaitMs: 5000, maxTopics: 1000 });
let receiver;

const app = createServer((request, response) => void receiver.handle(request, response));
await new Promise((listening) => app.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${app.address().port}/hook`;

const events = topics.length > 0 ? topics : ['news'];
const registered = await fetch(`${server}/webhooks`, {
  method: 'POST',
  body: JSON.stringify({ url, events }),
});
const { id, secret } = await registered.json();
receiver = createReceiver({
  scheme: 'standard',
  secrets: [secret],
  onDelivery({ body }) {
    const event = JSON.parse(body);
    show(inOrder.accept(event.topic, event.seq, event, Date.now()));
  },
});
setInterval(() => show(inOrder.tick(Date.now())), 1000);
console.log(`${id} receives ${events.join(', ')} at ${url}`);

function show(steps) {
  for (const { kind, topic, seq, item, from, to } of steps) {
    if (kind === 'missing') console.log(`${topic}: ${from} to ${to} did not come`);
    else console.log(`${topic} ${seq} ${kind}: ${JSON.stringify(item?.body)}`);
  }
}
