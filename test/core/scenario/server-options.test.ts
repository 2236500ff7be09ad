// Reads what a scenario asks of its server besides limits, refuses what cannot be, and says it in words.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { server, type ServerOfScenario } from '../../../core/scenario/server-options.ts';
import { writeWayIn } from '../../../core/scenario/server-words.ts';
import { servers } from '../../../core/scenario/servers.ts';
import { base, mistakesIn } from '../base/mistakes.ts';

const optionsOf = (given: object) => {
  const { tls, auth } = server.parse(given);
  return { tls, auth };
};
const usual = { takes: 0, concurrency: 256, queue: 1024 };

test('options are written short or in full', () => {
  const rows: [given: object, parsed: Pick<ServerOfScenario, 'tls' | 'auth'>][] = [
    [{}, { tls: undefined, auth: undefined }],
    [
      { tls: false, auth: false },
      { tls: undefined, auth: undefined },
    ],
    [
      { tls: true, auth: true },
      { tls: { resume: true }, auth: usual },
    ],
    [
      { tls: { resume: false }, auth: { takes: '2ms' } },
      { tls: { resume: false }, auth: { ...usual, takes: 2 } },
    ],
    [
      { auth: { lookup: '5ms', concurrency: 8, queue: 0 } },
      { tls: undefined, auth: { takes: 0, concurrency: 8, queue: 0, lookup: { kind: 'wait', ms: 5 } } },
    ],
    [
      { auth: { lookup: 'redis' } },
      { tls: undefined, auth: { ...usual, lookup: { kind: 'redis', url: undefined } } },
    ],
    [
      { auth: { lookup: 'redis://127.0.0.1:6379' } },
      { tls: undefined, auth: { ...usual, lookup: { kind: 'redis', url: 'redis://127.0.0.1:6379' } } },
    ],
  ];
  for (const [given, parsed] of rows) assert.deepEqual(optionsOf(given), parsed, JSON.stringify(given));
});

test('what cannot be is refused with its reason', () => {
  const one = (text: string) => mistakesIn(`${base}${text}`).map((line) => line.replace(/^[\d:]+ /, ''));
  assert.deepEqual(one('variants: [{ sse: { over: h2c } }]\nserver: { tls: true }'), [
    'variants[0]: "sse h2c" is HTTP/2 in clear text; over: h2 is the same over TLS, so not server.tls',
  ]);
  const opens = 'variants[0]: the server of "webhook" opens the connections that events go over, and';
  assert.deepEqual(one('variants: [webhook]\nserver: { tls: true, auth: true }'), [
    `${opens} TLS is for connections of clients, so not server.tls`,
    `${opens} tokens are for requests of clients, so not server.auth`,
  ]);
  assert.deepEqual(one('variants: [polling]\nserver: { auth: true }\nclosedLoop: {}'), [
    'server.auth: a closed loop asks without tokens; leave out closedLoop or server.auth',
  ]);
  assert.deepEqual(
    one('variants: [sse]\nserver: { tls: true }\nbrowser: { tabs: 1, requests: 1/s, chromium: [2] }'),
    ['server.tls: pages in Chromium come without TLS; leave out browser.chromium or server.tls'],
  );
  assert.deepEqual(
    one('variants: [sse]\nserver: { tls: true }\nservers: { count: 2, in-front: haproxy-sticky }'),
    [
      'server.tls: sticky sessions are a cookie, which HAProxy cannot read in TLS that it passes on; use ' +
        'servers.in-front: haproxy',
    ],
  );
  assert.match(one('server: { auth: { lookup: soon } }').join(), /server\.auth\.lookup: .*redis/);
  assert.match(one('server: { auth: { lookup: redis://u:p@127.0.0.1 } }').join(), /leave the password out/);
  const brokers = {
    'kind: redis-streams, url: "redis://:p@127.0.0.1"': /leave user and password out/,
    'kind: nats, url: "nats://u@127.0.0.1"': /leave user and password out/,
    'kind: nats, url: "redis://127.0.0.1"': /nats has an address that begins with nats:\/\//,
    'kind: in-process, url: "redis://127.0.0.1"': /in-process connects nothing, so there is no address/,
    'kind: kafka, url: "kafka://[::1]:9092"': /IPv6 address; write a host name/,
    'kind: kafka, url: "kafka://[::1]"': /IPv6 address; write a host name/,
  };
  for (const [broker, told] of Object.entries(brokers))
    assert.match(one(`servers: { broker: { ${broker} } }`).join(), told);
  for (const broker of [
    { kind: 'kafka', url: 'kafka://localhost:9092' },
    { kind: 'nats', url: 'nats://[::1]:4222' },
    { kind: 'redis-streams', url: 'redis://[::1]' },
  ])
    assert.deepEqual(servers.parse({ broker }).broker, broker);
  assert.match(one('server: { auth: { lookups: 5ms } }').join(), /did you mean "lookup"/);
  const possible =
    'variants: [polling, long-polling, http-stream, sse, { sse: { over: h2 } }, websocket]\n' +
    'server: { tls: true, auth: { lookup: redis } }\nservers: { count: 2, in-front: haproxy }';
  assert.deepEqual(one(possible), []);
});

test('health checks are named, or written in full', () => {
  const checkOf = (check?: unknown) => {
    const { inFront } = servers.parse({ count: 2, 'in-front': { kind: 'haproxy', check } });
    return 'check' in inFront ? inFront.check : undefined;
  };
  const usual = { kind: 'tcp', everyMs: 500, fall: 2, rise: 1 };
  assert.deepEqual(checkOf(), usual);
  assert.deepEqual(checkOf('http'), { ...usual, kind: 'http' });
  assert.deepEqual(checkOf({ kind: 'http', interval: '2s', fall: 3, rise: 2 }), {
    kind: 'http',
    everyMs: 2000,
    fall: 3,
    rise: 2,
  });
  const one = (check: string) =>
    mistakesIn(`${base}variants: [sse]\nservers: { count: 2, in-front: { kind: haproxy, check: ${check} } }`);
  assert.match(one('htp').join(), /did you mean "http"/);
  assert.match(one('{ kind: http, interval: 11s }').join(), /at most 10s/);
  assert.match(one('{ kind: http, fall: 0 }').join(), /fall/);
});

test('reports say in words how clients got in', () => {
  const words = (given: object) => writeWayIn(server.parse(given));
  assert.equal(words({}), undefined);
  assert.equal(words({ tls: true }), 'over TLS, resuming their sessions');
  assert.equal(
    words({ tls: { resume: false }, auth: { takes: '2ms' } }),
    'over TLS, with a full handshake each time, with tokens that are checked for 2ms of CPU each',
  );
  assert.equal(
    words({ auth: { lookup: 'redis', concurrency: 8 } }),
    'with tokens that are checked and looked up in Redis, 8 at a time with 1024 in line',
  );
  assert.equal(
    words({ auth: { lookup: '5ms' } }),
    'with tokens that are checked and looked up for 5ms, 256 at a time with 1024 in line',
  );
});
