// gzip on the wire, read by other people's clients: undici's fetch, `eventsource`, curl, gzip and node:zlib.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { constants, crc32, createGunzip, gunzipSync, inflateRawSync } from 'node:zlib';
import { EventSource } from 'eventsource';
import fc from 'fast-check';
import { describe, test, type TestContext } from 'vitest';
import { combineCrc, crcShift } from '../../../servers/hub/crc32-combine.ts';
import type { HubEvent } from '../../../servers/hub/hub.ts';
import { acceptsGzip, createGzip } from '../../../servers/http/content-coding.ts';
import { createGzipBodies } from '../../../servers/streams/gzip-bodies.ts';
import type { Request } from '../../../servers/pattern.ts';
import { rawClient, until } from './raw-http.ts';
import { bulk, getRequest, serve, unchunk } from '../streams.ts';

test('who takes gzip', () => {
  const accepts = (field: string | undefined) =>
    acceptsGzip({ headers: field === undefined ? {} : { 'accept-encoding': field } } as Request);
  for (const field of [
    'gzip',
    'GZIP',
    'br, gzip',
    'deflate,gzip;q=0.1',
    '*',
    'br;q=1, *;q=0.5',
    'gzip ; q=0.001',
  ])
    assert.ok(accepts(field), field);
  for (const field of [
    undefined,
    '',
    'br',
    'identity',
    'gzip;q=0',
    'gzip; q=0.000',
    '*;q=0',
    'gzip;q=0, *',
    'gzipped',
  ])
    assert.ok(!accepts(field), `${field}`);
});

test('texts of a body make one gzip file, each readable when it has come, and the same in every body', () => {
  const eventOf = (json: string) => ({ json }) as HubEvent;
  const text = fc.string({
    unit: fc.constantFrom('{"id":"abc-1"}', 'é', '😀', '\n', 'x'.repeat(300)),
    maxLength: 200,
  });
  fc.assert(
    fc.property(
      text,
      fc.array(fc.tuple(fc.constantFrom('text', 'one', 'many'), text), { maxLength: 8 }),
      text,
      (first, steps, last) => {
        const newBody = createGzipBodies(
          (bytes) => bytes,
          (events) => events.map(({ json }) => json).join(''),
        );
        const [early, late] = [newBody(), newBody()];
        let before = early.open('other');
        let after = late.open(first);
        const [earlySaid, lateSaid] = [['other'], [first]];
        for (const [kind, value] of steps) {
          const event = eventOf(value);
          const events = [eventOf(value), eventOf('second')];
          const writeTo = (body: typeof early) =>
            kind === 'text' ? body.text(value) : kind === 'one' ? body.one(event) : body.many(events);
          const [piece, same] = [writeTo(early), writeTo(late)];
          assert.equal(piece, same);
          for (const said of [earlySaid, lateSaid]) said.push(kind === 'many' ? `${value}second` : value);
          before = Buffer.concat([before, piece]);
          after = Buffer.concat([after, same]);
          assert.equal(
            gunzipSync(after, { finishFlush: constants.Z_SYNC_FLUSH }).toString(),
            lateSaid.join(''),
          );
          assert.equal(
            inflateRawSync(piece, { finishFlush: constants.Z_SYNC_FLUSH }).toString(),
            lateSaid.at(-1)!,
          );
        }
        assert.equal(gunzipSync(Buffer.concat([before, early.end('')])).toString(), earlySaid.join(''));
        assert.equal(gunzipSync(Buffer.concat([after, late.end(last)])).toString(), lateSaid.join('') + last);
      },
    ),
    { numRuns: 100 },
  );
});

test('sums of parts combine to the sum of the whole, whatever their lengths', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (first, second) => {
      assert.equal(
        combineCrc(crc32(first), crc32(second), crcShift(second.length)),
        crc32(Buffer.concat([first, second])),
      );
    }),
    { numRuns: 300 },
  );
  const large = Buffer.alloc(5_000_001, 'abc');
  assert.equal(combineCrc(crc32('x'), crc32(large), crcShift(large.length)), crc32(large, crc32('x')));
});

test('an answer that is the same again is compressed once', () => {
  const compress = createGzip();
  const first = compress('a');
  assert.equal(compress('a'), first);
  assert.notEqual(compress('b'), first);
  assert.deepEqual([gunzipSync(compress('b')).toString(), gunzipSync(compress('a')).toString()], ['b', 'a']);
});

describe('answers to polls', () => {
  test('polls: compressed for who asks, with a tag that says that other bytes mean the same', async (t) => {
    const { url, publish, at } = await serve(t, 'polling', { gzip: true });
    const [event] = publish('a', bulk(2000));
    const body = `{"cursor":"${at(1)}","events":[${event!.json}]}`;
    const path = `/poll?topics=a&since=${at(0)}`;
    const { socket, text, saw } = await rawClient(url);
    socket.write(getRequest(path, 'Accept-Encoding: gzip'));
    await saw(/\r\n\r\n/);
    assert.ok(text().length < 600, `${text().length} bytes`);
    const answer = await fetch(`${url}${path}`);
    assert.deepEqual(
      ['content-encoding', 'vary', 'etag'].map((name) => answer.headers.get(name)),
      ['gzip', 'accept-encoding', `W/"${at(1)}"`],
    );
    assert.equal(await answer.text(), body);
    const plain = await fetch(`${url}${path}`, { headers: { 'accept-encoding': 'identity' } });
    assert.deepEqual(
      ['content-encoding', 'vary', 'etag', 'content-length'].map((name) => plain.headers.get(name)),
      [null, 'accept-encoding', `"${at(1)}"`, String(body.length)],
    );
    assert.equal(await plain.text(), body);
    for (const tag of [`W/"${at(1)}"`, `"${at(1)}"`]) {
      const none = await fetch(`${url}${path}`, { headers: { 'if-none-match': tag } });
      assert.deepEqual(
        [
          none.status,
          none.headers.get('content-encoding'),
          none.headers.get('etag'),
          none.headers.get('vary'),
        ],
        [304, null, `W/"${at(1)}"`, 'accept-encoding'],
      );
    }
  });

  test('long polls: held and at once, compressed for who asks; nothing new has no body', async (t) => {
    const { url, publish, at, joined } = await serve(t, 'long-polling', { gzip: true });
    const ask = (offset: number, headers = {}) =>
      fetch(`${url}/long-poll?topics=a&since=${at(offset)}&hold=2000`, { headers });
    const waiting = [ask(0), ask(0), ask(0, { 'accept-encoding': 'br' })];
    await joined(3);
    const [event] = publish('a', bulk(2000));
    const answers = [...(await Promise.all(waiting)), await ask(0)];
    assert.deepEqual(
      answers.map(({ headers }) => headers.get('content-encoding')),
      ['gzip', 'gzip', null, 'gzip'],
    );
    for (const answer of answers) {
      assert.equal(answer.headers.get('vary'), 'accept-encoding');
      assert.equal(await answer.text(), `{"cursor":"${at(1)}","events":[${event!.json}]}`);
    }
    const none = await fetch(`${url}/long-poll?topics=a&since=${at(1)}&hold=1`);
    assert.deepEqual([none.status, none.headers.get('content-encoding')], [204, null]);
  });

  for (const [pattern, path] of [
    ['polling', '/poll'],
    ['long-polling', '/long-poll'],
    ['http-stream', '/stream'],
    ['sse', '/events'],
  ] as const) {
    test(`${pattern}: nothing is compressed when the variant does not say so`, async (t) => {
      const { url } = await serve(t, pattern);
      const abort = new AbortController();
      const { headers } = await fetch(`${url}${path}?topics=a`, { signal: abort.signal });
      abort.abort();
      assert.deepEqual(
        [headers.get('content-encoding'), headers.get('vary')?.includes('encoding') ?? false],
        [null, false],
      );
    });
  }
});

/** What a client that inflates has made of a stream so far. */
function follow(t: TestContext, body: AsyncIterable<Uint8Array>) {
  let text = '';
  const decoder = new TextDecoder();
  const done = (async () => {
    for await (const piece of body) text += decoder.decode(piece, { stream: true });
  })();
  t.onTestFinished(() => done.catch(() => {}));
  return { done, text: () => text, saw: (end: string) => until(end, () => text.endsWith(end)) };
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
