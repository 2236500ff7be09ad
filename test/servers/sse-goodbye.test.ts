// Closes servers of Server-Sent Events while other people's clients follow: who is told, and who is waited
// for.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { rawClient, until } from './http/raw-http.ts';
import { getRequest, serve, unchunk } from './streams.ts';
import { listen } from './sse-clients.ts';

test('a server that closes ends the streams whole and tells those who come back to stay away', async (t) => {
  const { url, joined, close } = await serve(t, 'sse', { retry: '50ms' });
  const { source } = listen(t, url, 'topics=a');
  const { socket, closed } = await rawClient(url);
  socket.write(getRequest('/events?topics=a'));
  await joined(2);
  const done = close();
  assert.equal(unchunk(Buffer.from(await closed)).ended, true);
  await until('the EventSource has given up', () => source.readyState === source.CLOSED);
  await done;
});

test('it waits no longer than until all have come back', async (t) => {
  const { url, joined, close } = await serve(t, 'sse', { retry: '1h' });
  const { socket, closed } = await rawClient(url);
  socket.write(getRequest('/events?topics=a'));
  await joined(1);
  const from = performance.now();
  const done = close();
  await closed;
  assert.equal((await fetch(`${url}/events?topics=a`)).status, 204);
  await done;
  assert.ok(performance.now() - from < 1500);
});

test('it does not wait for those who do not come back, nor when nobody was there', async (t) => {
  const { url, joined, close } = await serve(t, 'sse', { retry: '1h' });
  const { socket, closed } = await rawClient(url);
  socket.write(getRequest('/events?topics=a'));
  await joined(1);
  await close();
  await closed;
  const empty = await serve(t, 'sse', { retry: '1h' });
  await empty.close();
});
