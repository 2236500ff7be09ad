// Follows and publishes over WebSocket with other people's clients (`ws`, and the one built into Node). What
// `ws` itself decides is tested where our code depends on it. Handshakes are websocket-handshake.test.ts, how
// connections end is websocket-ends.test.ts.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { patterns } from '../../core/pattern/registry.ts';
import { decodeEnvelope } from '../../core/event/envelope.ts';
import { readUpstream } from '../../servers/streams/upstream.ts';
import { websocket } from '../../servers/websocket.ts';
import { until } from './http/raw-http.ts';
import { bulk, serve } from './streams.ts';
import { open } from './websocket-clients.ts';

test('the opening message, then each event of the topics in a message, as published', async (t) => {
  const { url, publish, at, count } = await serve(t, 'websocket');
  publish('a', '"before"');
  const { got, saw, ws } = await open(t, url, 'topics=a,b');
  assert.deepEqual([ws.protocol, ws.extensions], ['', '']);
  const events = publish('a', '{ "x" : 1 }', '', 'two\nlines', bulk(30), bulk(300), bulk(70_000), '"é 🎈"');
  publish('c', '"of no interest"');
  await saw(8);
  assert.deepEqual(got, [`{"socket":"open","cursor":"${at(1)}"}`, ...events.map(({ json }) => json)]);
  assert.deepEqual(count('handshakes', 'events', 'errors', 'refusals'), [1, 7, 0, 0]);
});

test('messages of every length around those where the frame changes arrive whole', async (t) => {
  const { url, hub } = await serve(t, 'websocket');
  const { got, saw } = await open(t, url, 'topics=a');
  const send = (bytes: number) => hub.publish('a', bulk(bytes), { plannedUs: 0, sentUs: 0 }).json;
  const around = send(0).length;
  const sent = [
    ...Array.from({ length: 12 }, (_, i) => send(120 + i - around)),
    ...Array.from({ length: 12 }, (_, i) => send(65_530 + i - around)),
  ];
  assert.ok([125, 126, 127, 65_535, 65_536].every((length) => sent.some((json) => json.length === length)));
  await saw(2 + sent.length);
  assert.deepEqual(got.slice(2), sent);
});

test("Node's own WebSocket agrees", async (t) => {
  const { url, publish, at, joined } = await serve(t, 'websocket', { deflate: true });
  const [missed] = publish('a', '1');
  const got: string[] = [];
  const ws = new WebSocket(`${url.replace('http', 'ws')}/ws?topics=a&since=${at(0)}`);
  ws.onmessage = ({ data }) => void got.push(data as string);
  await joined(1);
  const [live] = publish('a', bulk(1000));
  await until('three messages', () => got.length === 3);
  assert.deepEqual(got, [`{"socket":"open","cursor":"${at(0)}"}`, missed!.json, live!.json]);
  ws.close();
  await joined(0);
});

test('a resume gets what was missed; one that comes too late is told so and gets what is held', async (t) => {
  const { url, publish, at, count } = await serve(t, 'websocket', {}, { history: 2 });
  const events = publish('a', '1', '2', '3');
  const inTime = await open(t, url, `topics=a&since=${at(1)}`);
  await inTime.saw(3);
  assert.deepEqual(inTime.got, [
    `{"socket":"open","cursor":"${at(1)}"}`,
    ...events.slice(1).map(({ json }) => json),
  ]);
  for (const since of [at(0), 'other-3']) {
    const late = await open(t, url, `topics=a&since=${since}`);
    await late.saw(3);
    assert.deepEqual(late.got, [
      `{"socket":"open","cursor":"${at(0)}","reset":true}`,
      ...events.slice(1).map(({ json }) => json),
    ]);
  }
  assert.deepEqual(count('resets'), [2]);
});

test('a message from a client is acknowledged and reaches everybody, its body byte for byte', async (t) => {
  const { url, at, count } = await serve(t, 'websocket');
  const sender = await open(t, url, 'topics=quiet');
  const reader = await open(t, url, 'topics=news');
  const bodies = [
    '{"a": [1, 2],\t"publish":"x"}',
    '1.0e2',
    '12345678901234567890',
    '"a \\u00e9 \\"quoted\\" }{"',
    'null',
    '[ ]',
    '{\n"two":"lines"\n}',
  ];
  for (const [i, body] of bodies.entries()) sender.ws.send(`{"publish":"news","ref":${i},"body": ${body} }`);
  await sender.saw(1 + bodies.length);
  await reader.saw(1 + bodies.length);
  assert.deepEqual(
    sender.got.slice(1),
    bodies.map((_, i) => `{"ack":${i},"id":"${at(i + 1)}","seq":${i + 1}}`),
  );
  assert.deepEqual(
    reader.got.slice(1).map((json) => decodeEnvelope(json).body),
    bodies,
  );
  assert.deepEqual(count('upstreamMessages', 'errors', 'refusals'), [bodies.length, 0, 0]);
});

test('a client that follows what it publishes gets the event and then the acknowledgement', async (t) => {
  const { url, at } = await serve(t, 'websocket');
  const { ws, got, saw } = await open(t, url, 'topics=news');
  ws.send('{"publish":"news","ref":7,"body":true}');
  await saw(3);
  assert.equal(decodeEnvelope(got[1]!).body, 'true');
  assert.equal(got[2], `{"ack":7,"id":"${at(1)}","seq":1}`);
  ws.send('{"publish":"news","ref":8,"seq":40,"body":1}');
  await saw(5);
  assert.equal(decodeEnvelope(got[3]!).seq, 40);
  assert.equal(got[4], `{"ack":8,"id":"${at(2)}","seq":40}`);
});

test('a message that cannot be published is refused with a reason, and the client may go on', async (t) => {
  const { url, publish, count } = await serve(t, 'websocket', {}, { maxBody: 100, maxTopics: 1 });
  publish('news', '1');
  const { ws, got, saw } = await open(t, url, 'topics=news');
  const refused: [string, RegExp][] = [
    ['{"publish":"a/b","ref":1,"body":1}', /no topic/],
    ['{"publish":5,"ref":1,"body":1}', /no topic/],
    ['{"publish":"news","ref":1}', /no body/],
    [`{"publish":"news","ref":1,"body":${bulk(100)}}`, /larger than 100 bytes/],
    ['{"publish":"another","ref":1,"body":1}', /takes no more/],
    ['{"publish":"news","ref":1,"planned":-1,"body":1}', /^planned is not a whole number from 0 to 9007/],
    ['{"publish":"news","ref":1,"sent":"1","body":1}', /^sent is not a whole number/],
    [
      '{"publish":"news","ref":1,"crc":4294967296,"body":1}',
      /^crc is not a whole number from 0 to 4294967295$/,
    ],
    ['{"publish":"news","ref":1,"seq":0,"body":1}', /^seq is not a whole number from 1 to/],
  ];
  for (const [i, [message, reason]] of refused.entries()) {
    ws.send(message);
    await saw(i + 2);
    const answer = JSON.parse(got.at(-1)!) as { refused: number; reason: string };
    assert.equal(answer.refused, 1, message);
    assert.match(answer.reason, reason);
  }
  ws.send(`{"publish":"news","ref":2,"body":${bulk(98)}}`);
  await saw(refused.length + 3);
  assert.match(got.at(-1)!, /"ack":2/);
  assert.deepEqual(count('refusals'), [refused.length]);
});

test('what is no message of ours ends the connection with the code that says why', async (t) => {
  const { url, hub, count } = await serve(t, 'websocket', {}, { maxBody: 1000 });
  const cases: [string, string | Buffer, number][] = [
    ['binary', Buffer.from('{"publish":"a","ref":1,"body":1}'), 1003],
    ['no JSON', '{"publish":"a","ref":1,"body":}', 1007],
    ['empty', '', 1007],
    ['no object', '5', 1008],
    ['null', 'null', 1008],
    ['no publish', '{"ref":1,"body":1}', 1008],
    ['no ref', '{"publish":"a","body":1}', 1008],
    ['a ref that is no whole number', '{"publish":"a","ref":"1","body":1}', 1008],
    ['a ref with a fraction', '{"publish":"a","ref":1.5,"body":1}', 1008],
    ['too big', `{"publish":"a","ref":1,"body":${bulk(3000)}}`, 1009],
  ];
  for (const [what, message, expected] of cases) {
    const { ws, got, closed } = await open(t, url, 'topics=a');
    ws.send(message);
    ws.send('{"publish":"a","ref":2,"body":"behind it"}');
    const { code } = await closed;
    assert.equal(code, expected, what);
    assert.equal(got.length, 1, what);
  }
  assert.equal(hub.published(), 0);
  assert.deepEqual(count('errors'), [cases.length]);
});

test('reading a message finds what JSON.parse finds, and its very bytes', () => {
  const spaces = fc.stringMatching(/^[ \t\n\r]{0,3}$/);
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.dictionary(
        fc
          .string()
          .filter(
            (name) =>
              !['publish', 'ref', 'body', 'planned', 'sent', 'crc', 'seq', '__proto__'].includes(name),
          ),
        fc.jsonValue(),
      ),
      spaces,
      fc.nat(2),
      (body, others, space, indent) => {
        const source = JSON.stringify(body, null, indent);
        const members = [
          ...Object.entries(others).map(([name, value]) => [JSON.stringify(name), JSON.stringify(value)]),
          ['"body"', source],
          ['"pub\\u006cish"', '"a"'],
          ['"ref"', '1'],
        ];
        const text =
          `${space}{` +
          members.map(([name, value]) => `${space}${name}${space}:${space}${value}${space}`).join(',') +
          `}${space}`;
        assert.deepEqual(readUpstream(text, 1e6), {
          kind: 'publish',
          ref: 1,
          topic: 'a',
          body: source,
          stamps: {},
        });
      },
    ),
  );
  assert.deepEqual(readUpstream('{"body":1,"ref":1,"publish":"a","body":[2]}', 10), {
    kind: 'publish',
    ref: 1,
    topic: 'a',
    body: '[2]',
    stamps: {},
  });
  assert.deepEqual(readUpstream('{"ref":1,"publish":"a","x":{"body":1}}', 10), {
    kind: 'refused',
    ref: 1,
    reason: 'there is no body',
  });
});

test('text of any kind is read without a crash', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof readUpstream(text, 100).kind === 'string'),
  );
});

test('the examples name the socket', () => {
  for (const { what, command } of websocket.examples(patterns.websocket.options.parse({}))) {
    assert.match(
      command('http://127.0.0.1:1', 'http://127.0.0.1:1', 'e-0', 'pushbench'),
      what.startsWith('publish an event') ? /topics\/news'$/ : /\/\/127\.0\.0\.1:1\/ws\?topics=news/,
      what,
    );
  }
});
