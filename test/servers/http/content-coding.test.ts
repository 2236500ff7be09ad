// Compresses answers and pieces of bodies, and reads them with node:zlib. Whole streams are
// streams/compressed-streams.test.ts.

import assert from 'node:assert/strict';
import { constants, crc32, gunzipSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { combineCrc, crcShift } from '../../../servers/hub/crc32-combine.ts';
import type { HubEvent } from '../../../servers/hub/hub.ts';
import { acceptsGzip, createGzip } from '../../../servers/http/content-coding.ts';
import { createGzipBodies } from '../../../servers/streams/gzip-bodies.ts';
import type { Request } from '../../../servers/pattern.ts';
import { rawClient } from './raw-http.ts';
import { bulk, getRequest, serve } from '../streams.ts';

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
