// A cookie that an answer brings goes back with the subscriber's next request, whatever the pattern.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { isPatternName, patterns } from '../../core/pattern/registry.ts';
import { loads } from '../../load/registry.ts';
import { rawServer, testContext, until } from './context.ts';

test.for(['polling', 'long-polling', 'http-stream', 'sse', 'websocket'])('%s', async (pattern, t) => {
  const requests: string[] = [];
  const fields = [
    'set-cookie: SRV=s1; path=/\r\nset-cookie: other=x; HttpOnly\r\n',
    'set-cookie: SRV=s2; path=/\r\n',
    'set-cookie: SRV=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/\r\n',
    '',
  ];
  const url = await rawServer(t, (socket, request, connection) => {
    requests.push(request);
    socket.end(
      `HTTP/1.1 503 Service Unavailable\r\n${fields[connection] ?? ''}content-length: 0\r\n` +
        'connection: close\r\n\r\n',
    );
  });
  const { context } = testContext(url, { reconnect: { base: 1, cap: 2 } });
  assert.ok(isPatternName(pattern));
  const load = await loads[pattern]();
  const running = await load.start(context, patterns[pattern].options.parse({}) as never);
  running.open(0);
  await until(() => requests.length >= 4, 'four requests');
  await running.close(0);
  assert.deepEqual(
    requests.slice(0, 4).map((request) => /^cookie: (.*)\r$/im.exec(request)?.[1]),
    [undefined, 'SRV=s1; other=x', 'SRV=s2; other=x', 'other=x'],
  );
});
