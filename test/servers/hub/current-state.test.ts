// Opens a page for the first time that wants the current state: `since=last` brings the newest event of each
// topic, then what follows, over every pattern that can be asked. A client that is cut off
// before it came still gets it.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'vitest';
import { WebSocket } from 'ws';
import { serve } from '../streams.ts';
import { until } from '../http/raw-http.ts';

type Served = Awaited<ReturnType<typeof serve>>;

/** Three changes of one order and one of another, and an order that nothing is known of. */
const path = (base: string) => `${base}?topics=one,two,none&since=last`;
const changes = ({ publish }: Served) => {
  publish('one', '"ordered"', '"picked"');
  publish('two', '"ordered"');
  publish('one', '"shipped"');
};

const bodiesIn = (text: string) =>
  [...text.matchAll(/"topic":"(\w+)".*?"body":"(\w+)"/g)].map(([, topic, body]) => `${topic} ${body}`);
const whole = ['two ordered', 'one shipped', 'two delivered'];

/** Reads a response that does not end until it holds so many events. */
async function streamed(
  t: TestContext,
  address: string,
  enough: number,
  opened: () => void,
): Promise<string> {
  const leaving = new AbortController();
  t.onTestFinished(() => leaving.abort());
  const response = await fetch(address, { signal: leaving.signal });
  opened();
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (bodiesIn(text).length >= enough) break;
  }
  return text;
}

for (const [pattern, base] of [
  ['sse', '/events'],
  ['http-stream', '/stream'],
] as const) {
  test(`${pattern}: the newest of each topic, in the order of the log, and then what follows`, async (t) => {
    const server = await serve(t, pattern);
    changes(server);
    const text = await streamed(t, server.url + path(base), 3, () => server.publish('two', '"delivered"'));
    assert.deepEqual(bodiesIn(text), whole);
    assert.ok(text.includes(server.at(2)), 'the opening names the place before the first of them');
    // Cut off behind the opening, it asks for what comes after that place: the state is in it.
    const again = await streamed(t, `${server.url}${base}?topics=one,two&since=${server.at(2)}`, 3, () => {});
    assert.deepEqual(bodiesIn(again), whole);
  });
}

test('websocket: the same', async (t) => {
  const server = await serve(t, 'websocket');
  changes(server);
  const socket = new WebSocket(server.url.replace('http', 'ws') + path('/ws'));
  t.onTestFinished(() => socket.terminate());
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(String(data)));
  await until('the state', () => messages.length === 3);
  server.publish('two', '"delivered"');
  await until('what follows', () => messages.length === 4);
  assert.deepEqual(messages.flatMap(bodiesIn), whole);
  assert.equal((JSON.parse(messages[0]!) as { cursor: string }).cursor, server.at(2));
});

test('polling and long polling: the state in the first answer, and the cursor to go on from', async (t) => {
  for (const [pattern, base] of [
    ['polling', '/poll'],
    ['long-polling', '/long-poll'],
  ] as const) {
    const server = await serve(t, pattern);
    changes(server);
    const ask = async (since: string) =>
      (await (await fetch(`${server.url}${base}?topics=one,two&since=${since}`)).json()) as {
        cursor: string;
        events: unknown[];
      };
    const first = await ask('last');
    server.publish('two', '"delivered"');
    const second = await ask(first.cursor);
    assert.deepEqual(
      [first, second].flatMap(({ events }) => events.map((event) => JSON.stringify(event))).flatMap(bodiesIn),
      whole,
      pattern,
    );
  }
});

test('where nothing is known yet the stream begins with what comes first', async (t) => {
  const server = await serve(t, 'sse');
  const text = await streamed(t, server.url + path('/events'), 1, () => server.publish('one', '"ordered"'));
  assert.deepEqual(bodiesIn(text), ['one ordered']);
  assert.ok(text.includes(`id: ${server.at(0)}\n`));
});
