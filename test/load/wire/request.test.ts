// The request that subscribers send: its line, and its fields.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { encodeRequest, pathBelow } from '../../../load/wire/http-head.ts';

test('a request names host, path below the base and headers', () => {
  const url = new URL('http://example.org:8080/base/');
  const request = encodeRequest(url, `${pathBelow(url, '/events')}?topics=a`, {
    accept: 'text/event-stream',
  }).toString();
  assert.equal(
    request,
    'GET /base/events?topics=a HTTP/1.1\r\nhost: example.org:8080\r\naccept: text/event-stream\r\n\r\n',
  );
  assert.equal(pathBelow(new URL('http://example.org'), '/ws'), '/ws');
});
