// A server announces over which time its clients are to spread when they lose it, each pattern in its own
// way (docs/wire.md). Who obeys comes back within that window, who ignores advice by its policy.

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, test } from 'vitest';
import { patterns } from '../../core/pattern/registry.ts';
import { presets } from '../../core/policy/client/presets.ts';
import type { PatternLoad } from '../../load/pattern.ts';
import { loads } from '../../load/registry.ts';
import { chunk, rawServer, testContext, until } from './context.ts';

const windowMs = 400;
const share = 0.9;
const cursor = 'abc123-0';

const stream = (type: string, body: string) =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n${chunk(body)}`;
const acceptOf = (request: string) => {
  const key = /sec-websocket-key: (.*)\r/.exec(request)![1];
  return hash('sha1', `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, 'base64');
};
const text = (json: string) => `\x81${String.fromCharCode(json.length)}${json}`;

/** What answers a request, up to where the connection is cut. */
const announcing = {
  'http-stream': () =>
    stream('application/x-ndjson', `{"stream":"open","cursor":"${cursor}","reconnectMs":${windowMs}}\n`),
  sse: () => stream('text/event-stream', `: open\n\nevent: reconnect\ndata: {"windowMs":${windowMs}}\n\n`),
  websocket: (request: string) =>
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n` +
    `sec-websocket-accept: ${acceptOf(request)}\r\n\r\n` +
    text(`{"socket":"open","cursor":"${cursor}","reconnectMs":${windowMs}}`),
  polling: () =>
    `HTTP/1.1 204 No Content\r\npushbench-cursor: ${cursor}\r\npushbench-reconnect: ${windowMs}\r\n\r\n`,
  'long-polling': () =>
    `HTTP/1.1 204 No Content\r\npushbench-cursor: ${cursor}\r\npushbench-reconnect: ${windowMs}\r\n\r\n`,
} as const;

describe('a window that a server announces', { concurrent: true }, () => {
  for (const [name, answer] of Object.entries(announcing)) {
    test(`${name}: is kept to by who obeys, and not by who ignores it`, async (t) => {
      const pattern = name as keyof typeof announcing; // its own keys
      const afterMs = async (advice: 'obey' | 'ignore') => {
        let lostMs = 0;
        let backMs = 0;
        const url = await rawServer(t, (socket, request, connection) => {
          if (connection > 0) {
            backMs ||= performance.now();
            return;
          }
          const cut = () => {
            lostMs = performance.now();
            socket.resetAndDestroy();
          };
          socket.write(answer(request), 'latin1');
          // Pollers are cut with the next request under way, streams when they have read the announcement.
          if (pattern.endsWith('polling')) socket.once('data', () => setTimeout(cut, 20));
          else setTimeout(cut, 50);
        });
        const reconnect = { policy: 'phoenix', ...presets.phoenix, advice } as const;
        const seen = testContext(url, { reconnect, random: () => share });
        const load = await ((await loads[pattern]()) as PatternLoad<unknown>).start(
          seen.context,
          // Parsed by the pattern's own schema.
          patterns[pattern].options.parse(pattern === 'polling' ? { every: '20ms' } : {}),
        );
        t.onTestFinished(() => load.close(0));
        load.open(0);
        await until(() => backMs > 0, 'it comes back');
        return backMs - lostMs;
      };
      const [obeyed, ignored] = await Promise.all([afterMs('obey'), afterMs('ignore')]);
      // A client may see the end of its connection a little before the server's clock was read.
      assert.ok(obeyed >= share * windowMs - 5, `${obeyed} ms`);
      // Phoenix waits 10 ms; what is more is the machine's.
      assert.ok(ignored < share * windowMs, `${ignored} ms`);
    });
  }
});

test('an event source that is refused never comes back, and says so', async (t) => {
  const url = await rawServer(t, (socket) => socket.end('HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n'));
  const seen = testContext(url, { reconnect: { policy: 'eventsource', base: 1, cap: 1 } });
  const load = await (await loads.sse()).start(seen.context, patterns.sse.options.parse({}));
  t.onTestFinished(() => load.close(0));
  load.open(0);
  await until(() => seen.problems.length === 2, 'the refusal and the end');
  assert.deepEqual(seen.problems[1], {
    code: 'gave-up',
    message: 'a client gave up, as eventsource does not come back after an answer that is not a stream',
  });
});
