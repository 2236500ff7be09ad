// Follows compressed streams with other people's decompressors, and holds them to what a plain stream gives.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { createGunzip } from 'node:zlib';
import { EventSource } from 'eventsource';
import { describe, test, type TestContext } from 'vitest';
import { rawClient, until } from '../http/raw-http.ts';
import { bulk, getRequest, serve, unchunk } from '../streams.ts';

/** What a client that inflates has made of a stream so far. */
function follow(t: TestContext, body: AsyncIterable<Uint8Array>) {
  let text = '';
  const decoder = new TextDecoder();
  const done = (async () => {
    for await (const piece of body) text += decoder.decode(piece, { stream: true });
  })();
  t.onTestFinished(() => done.catch(() => {}));
  // Not at the end: a heartbeat may have come since.
  return { done, text: () => text, saw: (part: string) => until(part, () => text.includes(part)) };
}

describe('streams', () => {
  test(
    "undici's fetch reads HTTP streaming as it comes: " + 'history, events, heartbeats and the end',
    async (t) => {
      const server = await serve(t, 'http-stream', { gzip: true, heartbeat: '40ms' });
      const { url, publish, at, joined } = server;
      const events = publish('a', bulk(100_000), '1');
      const answer = await fetch(`${url}/stream?topics=a&since=${at(0)}`);
      assert.deepEqual(
        ['content-encoding', 'vary', 'cache-control'].map((name) => answer.headers.get(name)),
        ['gzip', 'origin, accept-encoding', 'no-cache, no-transform'],
      );
      const { done, text, saw } = follow(t, answer.body!);
      await joined(1);
      await saw(`${events[1]!.json}\n`);
      events.push(...publish('a', '"é🎈"'));
      await saw(`${events[2]!.json}\n`);
      await saw(`{"stream":"heartbeat","cursor":"${at(3)}"}\n`);
      await server.close();
      await done; // which fails when the trailer is missing or wrong
      assert.equal(
        text().replace(/\{"stream":"heartbeat".*\n/g, ''),
        `{"stream":"open","cursor":"${at(0)}"}\n` +
          `${events.map(({ json }) => `${json}\n`).join('')}{"stream":"end"}\n`,
      );
    },
  );

  test('an EventSource reads SSE, and a client that does not ask gets it as it is', async (t) => {
    const { url, publish, joined } = await serve(t, 'sse', { gzip: true });
    const codings: (string | null)[] = [];
    const source = new EventSource(`${url}/events?topics=a`, {
      fetch: async (input, init) => {
        const answer = await fetch(input, init);
        codings.push(answer.headers.get('content-encoding'));
        return answer;
      },
    });
    t.onTestFinished(() => source.close());
    const got: string[] = [];
    source.onmessage = ({ data }) => void got.push(data as string);
    const { socket, saw } = await rawClient(url);
    socket.write(getRequest('/events?topics=a'));
    await joined(2);
    const events = publish('a', '1', bulk(50_000), '"last"');
    await until('three messages', () => got.length === 3);
    assert.deepEqual([got, codings], [events.map(({ json }) => json), ['gzip']]);
    assert.doesNotMatch(await saw(/"last"/), /content-encoding/i);
    socket.destroy();
  });

  test('curl --compressed follows a stream', async (t) => {
    const { url, publish, joined } = await serve(t, 'http-stream', { gzip: true });
    const curl = spawn('curl', ['-sN', '--compressed', `${url}/stream?topics=a`]);
    t.onTestFinished(() => void curl.kill());
    let text = '';
    curl.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    await joined(1);
    for (const event of publish('a', '1', '"é"'))
      await until('the event', () => text.includes(`${event.json}\n`));
  });

  test('subscribers of one event get the same bytes, and each a file that gzip finds whole', async (t) => {
    const server = await serve(t, 'http-stream', { gzip: true });
    const { url, publish, joined, at } = server;
    publish('a', '1', '2');
    const clients = await Promise.all(
      [0, 2].map(async (offset) => {
        const client = await rawClient(url);
        client.socket.write(getRequest(`/stream?topics=a&since=${at(offset)}`, 'Accept-Encoding: gzip'));
        return client;
      }),
    );
    await joined(2);
    const lengths = clients.map(({ text }) => text().length);
    publish('a', bulk(500));
    await until('both have it', () => clients.every(({ text }, i) => text().length > lengths[i]!));
    await server.close();
    const files = clients.map(({ text }) => unchunk(Buffer.from(text(), 'latin1')));
    const texts = await Promise.all(
      files.map(async ({ body, ended }) => {
        assert.ok(ended);
        return (await gunzipByProgram(body)).trim().split('\n');
      }),
    );
    assert.deepEqual(
      texts.map((lines) => lines.length),
      [5, 3],
    );
    assert.equal(texts[0]!.at(-2), texts[1]!.at(-2));
  });

  for (const over of ['h2', 'h2c'] as const) {
    test(`over ${over} the same, decoded by node:zlib to the last byte`, async (t) => {
      const server = await serve(t, 'sse', { gzip: true, over, retry: '1ms' });
      const { url, publish, joined, endpoint } = server;
      const session = connectHttp2(
        url,
        endpoint.certificate === undefined ? {} : { ca: endpoint.certificate },
      );
      t.onTestFinished(() => session.destroy());
      const stream = session.request({ ':path': '/events?topics=a', 'accept-encoding': 'gzip, br' });
      const [head] = (await once(stream, 'response')) as [Record<string, string>];
      assert.deepEqual([head['content-encoding'], head['vary']], ['gzip', 'origin, accept-encoding']);
      const { done, saw } = follow(t, stream.pipe(createGunzip()));
      await joined(1);
      for (const body of ['1', bulk(40_000)]) {
        const [event] = publish('a', body);
        await saw(`id: ${event!.id}\ndata: ${event!.json}\n\n`);
      }
      await server.close();
      await done;
    });
  }
});

/** A second opinion on the sum and the length at the end. */
function gunzipByProgram(file: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const gzip = execFile('gzip', ['-dc'], (error, stdout) => (error ? reject(error) : resolve(stdout)));
    gzip.stdin!.end(file);
  });
}
