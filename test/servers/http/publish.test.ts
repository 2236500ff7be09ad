// Publishes over HTTP/1.1, the same for every pattern: what is taken, what is refused, and in which order.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { test, type TestContext } from 'vitest';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { defaultLimits, type ServerLimits } from '../../../core/scenario/scenario.ts';
import { startServer } from '../../../servers/start.ts';
import { rawClient, talk, until } from './raw-http.ts';

async function setUp(t: TestContext, limits: Partial<ServerLimits> = {}) {
  const { options } = variantOf(patterns, 'polling');
  const server = await startServer({
    pattern: 'polling',
    options,
    limits: { ...defaultLimits, ...limits },
    seed: 1,
  });
  t.onTestFinished(() => server.close());
  const events = () =>
    server.hub.since(['a', 'b'], `${server.hub.epoch}-0`).events.map(({ json }) => decodeEnvelope(json));
  const post = (topic: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(`${server.endpoint.publishUrl}/topics/${topic}`, { method: 'POST', body, headers });
  return { ...server, url: server.endpoint.publishUrl, events, post };
}

const request = (body: Buffer, topic = 'a') =>
  Buffer.concat([
    Buffer.from(
      `POST /topics/${topic} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n`,
    ),
    body,
  ]);

test('an event is taken with its stamps and answered with its place', async (t) => {
  const { post, events, hub } = await setUp(t);
  const answer = await post('a', '{"x":1}', {
    'pushbench-planned': '81',
    'pushbench-sent': '82',
    'pushbench-crc': '4294967295',
  });
  assert.deepEqual(
    [answer.status, answer.headers.get('content-type'), await answer.text()],
    [201, 'application/json', `{"id":"${hub.epoch}-1","seq":1}`],
  );
  assert.deepEqual(await (await post('b', '2')).json(), { id: `${hub.epoch}-2`, seq: 1 });
  assert.deepEqual(await (await post('a', '3')).json(), { id: `${hub.epoch}-3`, seq: 2 });
  const [event] = events();
  assert.deepEqual(
    [event!.plannedUs, event!.sentUs, event!.crc, event!.body],
    [81, 82, 4294967295, '{"x":1}'],
  );
});

test("a publisher's own number is the event's; who gives none gets the next", async (t) => {
  const { post, events, hub } = await setUp(t);
  const places = [];
  for (const seq of ['7', '3', '', '1000000000000000'])
    places.push(await (await post('a', '1', seq === '' ? {} : { 'pushbench-seq': seq })).json());
  assert.deepEqual(
    places,
    [7, 3, 8, 1e15].map((seq, i) => ({ id: `${hub.epoch}-${i + 1}`, seq })),
  );
  assert.deepEqual(
    events().map(({ seq }) => seq),
    [7, 3, 8, 1e15],
  );
});

test('bodies arrive byte for byte', async (t) => {
  const { post, events } = await setUp(t);
  const bodies = [
    '',
    '0',
    ' { "a" : 1 } ',
    'plain\r\nlines\0and more',
    '\ufeff"behind a byte order mark"',
    '"é 日本語 🎈 \u2028"',
    '"' + 'x'.repeat(300_000) + '"',
  ];
  for (const body of bodies) assert.equal((await post('a', Buffer.from(body))).status, 201);
  assert.deepEqual(
    events().map(({ body }) => body),
    bodies,
  );
});

test('a topic may be percent-encoded', async (t) => {
  const { post, events } = await setUp(t, {});
  assert.equal((await post('%61', '1')).status, 201);
  assert.equal(events()[0]!.topic, 'a');
});

test(
  'requests pipelined on one connection are taken in ' + 'order, however they are cut into pieces',
  async (t) => {
    const { url, hub } = await setUp(t, { history: 100_000 });
    let before = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.constant(0),
            fc.integer({ min: 1, max: 200 }),
            fc.integer({ min: 60_000, max: 90_000 }),
          ),
          { minLength: 1, maxLength: 12 },
        ),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
        async (sizes, cuts) => {
          const bodies = sizes.map((size, i) => `${i}:`.padEnd(size, 'x').slice(0, size));
          const bytes = Buffer.concat(bodies.map((body) => request(Buffer.from(body))));
          const client = await rawClient(url);
          const ends = [
            ...cuts.map((cut) => Math.round(cut * bytes.length)).sort((a, b) => a - b),
            bytes.length,
          ];
          let at = 0;
          for (const end of ends) {
            client.socket.write(bytes.subarray(at, end));
            at = end;
            await sleep(1);
          }
          const answers = () => [...client.text().matchAll(/"seq":(\d+)/g)].map((match) => Number(match[1]));
          await until('all are answered', () => answers().length === bodies.length);
          client.socket.destroy();
          assert.deepEqual(
            answers(),
            bodies.map((_, i) => before + i + 1),
          );
          const { events } = hub.since(['a'], `${hub.epoch}-${before}`);
          assert.deepEqual(
            events.map(({ json }) => decodeEnvelope(json).body),
            bodies,
          );
          before += bodies.length;
        },
      ),
      { numRuns: 40 },
    );
  },
);

const refusals: [
  what: string,
  topic: string,
  body: string | Buffer,
  headers: Record<string, string>,
  status: number,
  error: string,
  message: RegExp,
][] = [
  ['a topic with a space', 'a%20b', '1', {}, 400, 'bad-topic', /"a b" is not a topic name: 1 to 128 of/],
  ['a topic that is too long', 'x'.repeat(129), '1', {}, 400, 'bad-topic', /is not a topic name/],
  ['a topic with half an escape', 'a%2', '1', {}, 400, 'bad-topic', /"a%2" is not a topic name/],
  [
    'a negative time',
    'a',
    '1',
    { 'pushbench-planned': '-1' },
    400,
    'bad-number',
    /pushbench-planned: -1 is not a whole number from 0 to 9007199254740991/,
  ],
  [
    'a time that is no number',
    'a',
    '1',
    { 'pushbench-sent': '1e3' },
    400,
    'bad-number',
    /pushbench-sent: 1e3 is not/,
  ],
  [
    'a time above 2^53',
    'a',
    '1',
    { 'pushbench-sent': '9007199254740993' },
    400,
    'bad-number',
    /pushbench-sent/,
  ],
  [
    'a checksum of 33 bits',
    'a',
    '1',
    { 'pushbench-crc': '4294967296' },
    400,
    'bad-number',
    /pushbench-crc: 4294967296 is not a whole number from 0 to 4294967295/,
  ],
  [
    'number 0',
    'a',
    '1',
    { 'pushbench-seq': '0' },
    400,
    'bad-number',
    /pushbench-seq: 0 is not a whole number from 1 to 1000000000000000/,
  ],
  ['half a UTF-8 character', 'a', Buffer.from([0x22, 0xe2, 0x82, 0x22]), {}, 400, 'bad-utf8', /not UTF-8/],
  ['a surrogate in UTF-8', 'a', Buffer.from([0xed, 0xa0, 0x80]), {}, 400, 'bad-utf8', /not UTF-8/],
];
for (const [what, topic, body, headers, status, error, message] of refusals) {
  test(`${what} is refused, and nothing is published`, async (t) => {
    const { post, hub } = await setUp(t);
    const answer = await post(topic, body, headers);
    const said = (await answer.json()) as { error: string; message: string };
    assert.deepEqual([answer.status, said.error], [status, error]);
    assert.match(said.message, message);
    assert.equal(hub.published(), 0);
  });
}

test(
  'a body may be as large as maxBody and no larger, and what ' +
    'follows on the connection is still understood',
  async (t) => {
    const { url, events, counters } = await setUp(t, { maxBody: 100_000 });
    const client = await rawClient(url);
    const chunked = (size: number) =>
      Buffer.from(
        'POST /topics/a HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n' +
          `${size.toString(16)}\r\n${'y'.repeat(size)}\r\n0\r\n\r\n`,
      );
    const fits = Buffer.alloc(100_000, 'x');
    for (const part of [request(Buffer.alloc(100_001)), request(fits), chunked(3_000_000), chunked(100_000)])
      client.socket.write(part);
    const text = await client.saw(/("seq"[^]*){2}/);
    assert.deepEqual(
      [...text.matchAll(/HTTP\/1.1 (\d+)/g)].map((match) => match[1]),
      ['413', '201', '413', '201'],
    );
    assert.match(text, /larger than 100000 bytes; send less, or raise maxBody/);
    assert.deepEqual(
      events().map(({ body }) => body.length),
      [100_000, 100_000],
    );
    assert.equal(counters().refusals, 2);
    client.socket.destroy();
  },
);

test('a publisher that goes away in the middle of a body has published nothing', async (t) => {
  const { url, post, hub, counters } = await setUp(t);
  const client = await rawClient(url);
  client.socket.write('POST /topics/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n12345');
  await sleep(20);
  client.socket.destroy();
  await client.closed;
  await until('it was noticed', () => counters().errors > 0);
  assert.equal((await post('a', '1')).status, 201);
  assert.equal(hub.published(), 1);
});

test('too many topics: 503, and when to come back', async (t) => {
  const { post, counters } = await setUp(t, { maxTopics: 2 });
  for (const topic of ['a', 'b', 'a']) assert.equal((await post(topic, '1')).status, 201);
  const answer = await post('c', '1');
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '1']);
  assert.match(await answer.text(), /"error":"too-many-topics".*2 topics/);
  assert.equal(counters().refusals, 1);
});

test('a client that asks first whether it may send is told to go on', async (t) => {
  const { url, hub } = await setUp(t);
  const client = await rawClient(url);
  client.socket.write(
    'POST /topics/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\nexpect: 100-continue\r\n\r\n',
  );
  await client.saw(/^HTTP\/1.1 100 Continue/);
  client.socket.end('1');
  assert.match(await client.closed, / 201 /);
  assert.equal(hub.published(), 1);
});

test('GET / names the pattern and all endpoints', async (t) => {
  const { url } = await setUp(t);
  assert.match(
    await talk(url, 'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'),
    /\["GET \/","POST \/topics\/\*","GET \/readyz","POST \/messages\/\*","GET \/poll"\]/,
  );
});
