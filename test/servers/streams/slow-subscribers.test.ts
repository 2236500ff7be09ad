// Holds the fan-out to what each policy for slow subscribers promises, first on outlets that the test holds
// in its hand, where every byte can be counted, then over real sockets whose client stops reading.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { heldOutlet, seqsIn, setUp } from './outlets.ts';
import { rawClient, until } from '../http/raw-http.ts';
import { bulk, getRequest, serve, slowClient, unchunk } from '../streams.ts';

test(
  'when the history leaves one behind that is catching up, it ' + 'is cut off, and told when it comes back',
  async (t) => {
    for (const slow of ['disconnect', 'drop', 'coalesce'] as const) {
      const { hub, join, counters } = setUp(t, { history: 100, slow });
      for (let i = 0; i < 100; i++) hub.publish('a', bulk(2000), {});
      const first = heldOutlet();
      join(first.outlet, ['a'], 'e-0');
      for (let i = 0; i < 100; i++) hub.publish('a', '1', {});
      await first.drain();
      assert.equal(first.outlet.destroyed, true);
      assert.deepEqual([counters.slowDisconnects, counters.resets], [1, 0]);
      const last = decodeEnvelope(first.text().trim().split('\n').at(-1)!).id;
      const second = heldOutlet(1e6);
      join(second.outlet, ['a'], last);
      assert.match(second.text(), /^e-0 true\n/);
      assert.equal(seqsIn(second.text()).length, 100);
      assert.equal(counters.resets, 1);
    }
  },
);

test('slow: disconnect cuts off with the first event beyond the buffer', (t) => {
  const { hub, join, counters, fanOut } = setUp(t, { slowBuffer: 100_000, slow: 'disconnect' });
  const { outlet } = heldOutlet();
  join(outlet, ['a']);
  for (let i = 0; i < 20 && !outlet.destroyed; i++) {
    assert.ok(outlet.writableLength < 100_000 + 11_000);
    hub.publish('a', bulk(10_000), {});
  }
  assert.equal(outlet.destroyed, true);
  assert.equal(hub.subscriptions(), 0);
  assert.equal(counters.slowDisconnects, 1);
  assert.equal(counters.events, 10);
  return until('it has gone', () => fanOut.size() === 0);
});

test('slow: drop leaves out what does not fit, and goes on when there is room', async (t) => {
  const { hub, join, counters } = setUp(t, { slowBuffer: 100_000, slow: 'drop' });
  const { outlet, text, drain } = heldOutlet();
  join(outlet, ['a']);
  for (let i = 0; i < 30; i++) {
    hub.publish('a', bulk(10_000), {});
    assert.ok(outlet.writableLength < 100_000 + 11_000);
  }
  await drain();
  hub.publish('a', '"again"', {});
  await drain();
  const seqs = seqsIn(text());
  assert.deepEqual(seqs, [...Array.from({ length: seqs.length - 1 }, (_, i) => i + 1), 31]);
  assert.deepEqual([counters.slowDrops, counters.events], [31 - seqs.length, seqs.length]);
});

test(
  'slow: coalesce keeps the newest of each topic, in the ' + 'order of the log, within the buffer',
  async (t) => {
    const { hub, join, counters } = setUp(t, { slowBuffer: 100_000, slow: 'coalesce' });
    const { outlet, text, drain } = heldOutlet();
    join(outlet, ['a', 'b', 'c']);
    while (counters.events < 10) hub.publish('a', bulk(10_000), {});
    for (const topic of ['b', 'c', 'a', 'b', 'a', 'c', 'b']) hub.publish(topic, `"${topic}"`, {});
    assert.equal(counters.slowDrops, 4);
    assert.ok(outlet.writableLength < 100_000 + 11_000);
    await drain();
    const tail = text()
      .trim()
      .split('\n')
      .slice(11)
      .map((line) => decodeEnvelope(line));
    assert.deepEqual(
      tail.map(({ topic, seq }) => [topic, seq]),
      [
        ['a', 12],
        ['c', 2],
        ['b', 3],
      ],
    );
    hub.publish('c', '"live"', {});
    await drain();
    assert.match(text(), /"live"\}\n$/);
    assert.deepEqual([counters.events, counters.slowDrops], [14, 4]);
  },
);

test(
  'slow: coalesce holds no more than the buffer and one event, ' +
    'however many topics and whatever is published',
  async (t) => {
    const topics = ['a', 'b', 'c', 'd'];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...topics), fc.nat(120_000)), { maxLength: 60 }),
        async (events) => {
          const { hub, join, counters } = setUp(t, { slowBuffer: 100_000, slow: 'coalesce' });
          const { outlet, text, drain } = heldOutlet();
          const subscriber = join(outlet, topics);
          let largest = 0;
          for (const [topic, size] of events) {
            largest = Math.max(largest, hub.publish(topic, bulk(size), {}).json.length);
            const kept = subscriber.backlog?.kind === 'newest' ? [...subscriber.backlog.events.values()] : [];
            assert.ok(kept.length <= 1 || kept.reduce((sum, { json }) => sum + json.length, 0) <= 100_000);
            assert.ok(outlet.writableLength <= 100_000 + largest + 20);
          }
          await drain();
          const got = text()
            .split('\n')
            .filter((line) => line.startsWith('{"id"'))
            .map((line) => decodeEnvelope(line));
          const offsets = got.map(({ id }) => Number(id.slice(2)));
          assert.deepEqual(
            offsets,
            [...offsets].sort((x, y) => x - y),
          );
          // The newest event of all is never among those let go.
          if (events.length > 0) assert.equal(offsets.at(-1), events.length);
          assert.equal(counters.events + counters.slowDrops, events.length);
        },
      ),
      { numRuns: 60 },
    );
  },
);

test('less than the outlet itself buffers is no lag, however small the limit', async (t) => {
  for (const slow of ['disconnect', 'drop', 'coalesce'] as const) {
    const { hub, join, counters } = setUp(t, { slowBuffer: 0, slow });
    const { outlet, text, drain } = heldOutlet();
    join(outlet, ['a']);
    for (let i = 0; i < 5; i++) hub.publish('a', '1', {});
    await drain();
    assert.deepEqual(seqsIn(text()), [1, 2, 3, 4, 5]);
    assert.deepEqual([counters.slowDrops, counters.slowDisconnects], [0, 0]);
  }
});

test('one that is leaving meets no policy any more', async (t) => {
  for (const slow of ['disconnect', 'drop', 'coalesce'] as const) {
    const { hub, join, counters } = setUp(t, { slowBuffer: 70_000, slow });
    const { outlet, drain, text } = heldOutlet();
    join(outlet, ['a']);
    while (outlet.writableLength <= 70_000) hub.publish('a', bulk(10_000), {});
    const { events } = counters;
    outlet.end();
    for (let i = 0; i < 5; i++) hub.publish('a', '"too late"', {});
    await drain();
    assert.deepEqual([counters.events, counters.slowDrops, counters.slowDisconnects], [events, 0, 0]);
    assert.equal(seqsIn(text()).length, events);
  }
});

// --- over sockets -----------------------------------------------------------------------------------

test(
  'disconnect, over a socket that stops reading: cut off, ' + 'and on coming back nothing is lost',
  async (t) => {
    const { url, publish, joined, count } = await serve(t, 'http-stream', {}, { slowBuffer: 300_000 });
    const { socket, received } = await slowClient(url, getRequest('/stream?topics=a'));
    await joined(1);
    socket.pause();
    await until('cut off', () => {
      publish('a', bulk(400_000));
      return count('slowDisconnects')[0] === 1;
    });
    await joined(0);
    socket.resume();
    await until('the client knows', () => socket.destroyed);
    const { body, ended } = unchunk(received());
    assert.equal(ended, false);
    const whole = body
      .toString()
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.includes('"id"'));
    const last = whole.length > 0 ? decodeEnvelope(whole.at(-1)!).id : undefined;
    const back = await rawClient(url);
    back.socket.write(
      getRequest(`/stream?topics=a&since=${last ?? JSON.parse(body.toString().split('\n')[0]!).cursor}`),
    );
    publish('a', '"the end"');
    const text = await back.saw(/the end/);
    const seqs = [
      ...seqsIn(whole.join('\n')),
      ...seqsIn(unchunk(Buffer.from(text, 'latin1')).body.toString()),
    ];
    assert.deepEqual(
      seqs,
      Array.from({ length: seqs.length }, (_, i) => i + 1),
    );
  },
);

test(
  'drop, over a socket that stops reading: what comes is in order, ' +
    'and every event is either there or counted',
  async (t) => {
    const { url, publish, joined, count } = await serve(
      t,
      'http-stream',
      {},
      { slowBuffer: 300_000, slow: 'drop' },
    );
    const { socket, received } = await slowClient(url, getRequest('/stream?topics=a'));
    await joined(1);
    socket.pause();
    let published = 0;
    await until('something is dropped', () => {
      published += publish('a', bulk(400_000)).length;
      return count('slowDrops')[0]! >= 3;
    });
    socket.resume();
    await until('it has caught up', () => {
      published += publish('a', '"small"').length;
      return received().includes('"small"');
    });
    await until('all has come', () => seqsIn(unchunk(received()).body.toString()).at(-1) === published);
    const seqs = seqsIn(unchunk(received()).body.toString());
    assert.deepEqual(
      seqs,
      [...new Set(seqs)].sort((a, b) => a - b),
    );
    assert.deepEqual(count('events', 'slowDrops'), [seqs.length, published - seqs.length]);
  },
);

test(
  'coalesce, over a socket that stops reading: the newest ' + 'of each topic comes when it reads on',
  async (t) => {
    const { url, publish, joined, count } = await serve(
      t,
      'http-stream',
      {},
      { slowBuffer: 300_000, slow: 'coalesce' },
    );
    const { socket, received } = await slowClient(url, getRequest('/stream?topics=price,volume'));
    await joined(1);
    socket.pause();
    let prices = 0;
    await until('something is replaced', () => {
      prices += publish('price', bulk(400_000)).length;
      return count('slowDrops')[0]! >= 3;
    });
    publish('volume', '1', '2', '3');
    prices += publish('price', '"newest"').length;
    socket.resume();
    await until('the newest has come', () => received().includes('"newest"'));
    const events = unchunk(received())
      .body.toString()
      .split('\n')
      .filter((line) => line.includes('"id"'))
      .map((line) => decodeEnvelope(line));
    assert.deepEqual(
      events.slice(-2).map(({ topic, seq }) => [topic, seq]),
      [
        ['volume', 3],
        ['price', prices],
      ],
    );
    assert.deepEqual(count('events', 'slowDrops', 'slowDisconnects'), [
      events.length,
      prices + 3 - events.length,
      0,
    ]);
  },
);
