// A status feed as many systems have one: Express, Server-Sent Events, an in-memory list of who listens.
// Plain user code, as a target for pushbench (express-sse.yaml beside it): PORT=8082 node
// docs/examples/express-sse.mjs
import express from 'express';

const token = process.env.FEED_TOKEN ?? 'secret';
const listeners = new Map(); // channel -> responses
const app = express();

app.use((request, response, next) => {
  if (request.get('authorization') === `Bearer ${token}`) next();
  else response.status(401).json({ error: 'a token, please' });
});

app.get('/feed/:channel', (request, response) => {
  const { channel } = request.params;
  response.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }).flushHeaders();
  if (!listeners.has(channel)) listeners.set(channel, new Set());
  listeners.get(channel).add(response);
  response.on('close', () => listeners.get(channel).delete(response));
});

app.post('/feed/:channel', express.json({ limit: '1mb' }), (request, response) => {
  const { channel } = request.params;
  const message = JSON.stringify({
    type: 'status',
    at: new Date().toISOString(),
    channel,
    data: request.body,
  });
  for (const listener of listeners.get(channel) ?? []) listener.write(`event: status\ndata: ${message}\n\n`);
  response.status(202).end();
});

const server = app.listen(Number(process.env.PORT ?? 8082), '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port}`),
);
