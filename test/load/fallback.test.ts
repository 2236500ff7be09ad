// Clients that cannot get a WebSocket, over real sockets: what is between them and the server refuses the
// upgrade, closes at once, says nothing or keeps a stream back. They end on a transport that works, with
// every event.

import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'vitest';
import { patterns } from '../../core/pattern/registry.ts';
import { websocket } from '../../load/websocket.ts';
import { serve } from '../servers/streams.ts';
import { listen, testContext, until } from './context.ts';

/** What is done to a connection by its request's path: nothing when left out, and the server is behind it. */
type Trouble = { [path: string]: (client: Socket) => 'block' | 'hold-back' };

const refuses: Trouble[string] = (client) => {
  client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  return 'block';
};
const cuts: Trouble[string] = (client) => {
  client.resetAndDestroy();
  return 'block';
};
const saysNothing: Trouble[string] = () => 'block';
/** Lets the head of an answer through, and none of its body. */
const holdsBack: Trouble[string] = () => 'hold-back';

/** A proxy in front of a server that makes trouble for some paths. */
function proxy(t: TestContext, server: string, trouble: Trouble): Promise<string> {
  const { port } = new URL(server);
  return listen(
    t,
    createServer((client) => {
      client.on('error', () => {});
      client.once('data', (request) => {
        const path = /^GET (\/[\w-]+)/.exec(request.toString('latin1'))?.[1] ?? '';
        const how = trouble[path]?.(client);
        if (how === 'block') return;
        const upstream = connect(Number(port), '127.0.0.1');
        upstream.on('error', () => client.destroy());
        client.on('close', () => upstream.destroy());
        upstream.on('close', () => client.destroy());
        upstream.write(request);
        client.pipe(upstream);
        if (how === 'hold-back')
          upstream.once('data', (bytes: Buffer) =>
            client.write(bytes.subarray(0, bytes.indexOf('\r\n\r\n') + 4)),
          );
        else upstream.pipe(client);
      });
    }),
  );
}

async function follow(t: TestContext, trouble: Trouble, fallback: ('sse' | 'long-polling')[]) {
  const options = patterns.websocket.options.parse({ fallback });
  const server = await serve(t, 'websocket', { fallback });
  const seen = testContext(await proxy(t, server.url, trouble));
  const load = await websocket.start(seen.context, options);
  t.onTestFinished(() => load.close(100));
  const subscribers = 3;
  for (let i = 0; i < subscribers; i++) load.open(i);
  await until(() => new Set(seen.ready).size === subscribers, 'all subscribed');
  server.publish('news', '"one"');
  await until(() => seen.bodies.size === subscribers, 'everybody has had an event');
  server.publish('news', '"two"');
  await until(() => [...seen.bodies.values()].every(({ length }) => length === 2), 'and the next');
  for (const bodies of seen.bodies.values()) assert.deepEqual(bodies, ['"one"', '"two"']);
  return { ...seen, load, server, transports: load.closed!().transports };
}

describe('who cannot get a WebSocket', { concurrent: true }, () => {
  const rows: [what: string, trouble: Trouble, used: Record<string, number>][] = [
    ['is not troubled', {}, { websocket: 3, sse: 0, 'long-polling': 0 }],
    ['is refused', { '/ws': refuses }, { websocket: 0, sse: 3, 'long-polling': 0 }],
    ['is cut off each time', { '/ws': cuts }, { websocket: 0, sse: 3, 'long-polling': 0 }],
    ['hears nothing', { '/ws': saysNothing }, { websocket: 0, sse: 3, 'long-polling': 0 }],
    [
      'is refused, and has its stream kept back',
      { '/ws': refuses, '/events': holdsBack },
      { websocket: 0, sse: 0, 'long-polling': 3 },
    ],
    ['is refused twice', { '/ws': refuses, '/events': refuses }, { websocket: 0, sse: 0, 'long-polling': 3 }],
  ];
  for (const [what, trouble, used] of rows)
    test(what, async (t) => {
      const { transports, lost, ready } = await follow(t, trouble, ['sse', 'long-polling']);
      assert.deepEqual(transports, used);
      // Nobody was taken to be subscribed who was not.
      assert.deepEqual([lost.length, ready.length], [0, 3]);
    });

  test('goes over to what the scenario names, and nowhere else', async (t) => {
    const { transports } = await follow(t, { '/ws': refuses }, ['long-polling']);
    assert.deepEqual(transports, { websocket: 0, 'long-polling': 3 });
  });

  test('remembers what worked, and comes back to it', async (t) => {
    const { load, server, ready, bodies, counters } = await follow(t, { '/ws': refuses }, [
      'sse',
      'long-polling',
    ]);
    const handshakes = counters.handshakes;
    server.disconnect(1);
    await until(() => ready.length === 6, 'all back');
    assert.equal(counters.handshakes - handshakes, 3); // one each, and none with a WebSocket before it
    server.publish('news', '"three"');
    await until(() => [...bodies.values()].every(({ length }) => length === 3), 'the next event');
    assert.deepEqual(load.closed!().transports, { websocket: 0, sse: 3, 'long-polling': 0 });
  });

  test('publishes over what it came by', async (t) => {
    const over = await follow(t, {}, ['sse']);
    const posts = await follow(t, { '/ws': refuses }, ['sse']);
    assert.deepEqual([over.load.sends!(0), posts.load.sends!(0)], [true, false]);
  });
});

test('a server with fallbacks answers the paths of all, on one hub', async (t) => {
  const { url, publish, endpoint } = await serve(t, 'websocket', { fallback: ['sse', 'long-polling'] });
  const [event] = publish('news', '1');
  const polled = await fetch(`${url}/long-poll?topics=news&since=${event!.id.replace(/\d+$/, '0')}`);
  assert.equal(((await polled.json()) as { events: unknown[] }).events.length, 1);
  const stream = await fetch(`${url}/events?topics=news`);
  assert.equal(stream.headers.get('content-type')?.split(';')[0], 'text/event-stream');
  await stream.body!.cancel();
  const alone = await serve(t, 'websocket');
  assert.equal((await fetch(`${alone.endpoint.url}/events?topics=news`)).status, 404);
  assert.equal(endpoint.over, 'h1');
});

test('a server with fallbacks that is drained lets the clients of all its patterns go', async (t) => {
  const server = await serve(t, 'websocket', { fallback: ['sse'] });
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws?topics=news`);
  const left = new Promise<number>((resolve) => (socket.onclose = ({ code }) => resolve(code)));
  const stream = await fetch(`${server.url}/events?topics=news`);
  await server.joined(2);
  const { told, closedAtLimit } = await server.drain({ windowMs: 50, limitMs: 5000, adviseMs: 0 });
  assert.deepEqual([told, closedAtLimit, await left], [2, 0, 1012]);
  assert.match(await stream.text(), /: open/); // it has ended
});
