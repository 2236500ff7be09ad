// Judges requests of web pages: which of them may read, and which may change something.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { isLoopbackOrigin, type OpenedListener } from '../../../core/http/access.ts';
import { judge, outcome } from './judged-request.ts';

describe('pages', () => {
  const own = 'http://127.0.0.1:8080';
  const loopback = [
    'http://localhost:3000',
    'https://127.0.0.1',
    'http://[::1]:8080',
    'http://app.localhost',
    'http://127.0.0.1:8081',
    'https://127.0.0.1:8080',
    'http://localhost:8080',
  ];
  const foreign = [
    'http://evil.example',
    'https://evil.example:8080',
    'null',
    'file://',
    'x',
    '',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'http://[::1]:80',
    'http://LOCALHOST',
    'chrome-extension://abc',
    'http://0.0.0.0:8080',
    'http://192.168.1.5',
    'http://localhost/',
    'http://127.1',
    `${own}, ${own}`,
    'http://user@localhost',
  ];

  test('of loopback origins may read, and are told so; others may not', () => {
    for (const origin of loopback) {
      const verdict = judge({}, { origin });
      assert.deepEqual(verdict, {
        kind: 'served',
        mayPublish: false,
        headers: {
          vary: 'origin',
          'access-control-allow-origin': origin,
          'access-control-expose-headers': 'etag, pushbench-cursor, retry-after',
        },
      });
    }
    for (const origin of foreign) assert.equal(outcome(judge({}, { origin })), '403', origin);
  });

  test('of another origin may change nothing, those of loopback neither', () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'get', undefined]) {
      for (const origin of [...loopback, ...foreign])
        assert.equal(outcome(judge({}, { origin }, { method })), '403', `${method} ${origin}`);
      assert.deepEqual(judge({}, { origin: own }, { method }), {
        kind: 'served',
        headers: {},
        mayPublish: true,
      });
      assert.deepEqual(judge({}, {}, { method }), { kind: 'served', headers: {}, mayPublish: true });
    }
  });

  test('where its own alone may read, no other does', () => {
    const listener = { readers: 'own-pages' } as const;
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      for (const origin of [...loopback, ...foreign])
        assert.equal(
          outcome(judge(listener, { origin, 'access-control-request-method': 'GET' }, { method })),
          '403',
          `${method} ${origin}`,
        );
      assert.equal(outcome(judge(listener, { origin: own }, { method })), 'served');
    }
  });

  test('have their own origin by scheme, host and port, as Host says', () => {
    const rows: [Partial<OpenedListener>, host: string, origin: string, isOwn: boolean][] = [
      [{}, 'localhost:9000', 'http://localhost:9000', true], // a port forwarded to ours
      [{}, 'localhost', 'http://localhost', true],
      [{}, 'localhost:80', 'http://localhost', true],
      [{}, 'localhost', 'https://localhost', false],
      [{}, 'localhost:8080', 'http://127.0.0.1:8080', false],
      [{ scheme: 'https' }, 'localhost:8443', 'https://localhost:8443', true],
      [{ scheme: 'https' }, 'localhost:443', 'https://localhost', true],
      [{ scheme: 'https' }, 'localhost:8443', 'http://localhost:8443', false],
      [{ address: '0.0.0.0' }, '192.168.1.5:8080', 'http://192.168.1.5:8080', true],
      // A proxy may speak TLS to the browser and none to us.
      [{ allowHosts: ['proxy.example'] }, 'proxy.example', 'https://proxy.example', true],
      [{ allowHosts: ['proxy.example'] }, 'proxy.example', 'http://proxy.example', true],
      [{ allowHosts: ['proxy.example'] }, 'proxy.example', 'https://proxy.example:8443', false],
      [{ allowHosts: ['proxy.example'] }, 'localhost', 'https://proxy.example', false],
    ];
    for (const [listener, host, origin, isOwn] of rows) {
      assert.equal(
        outcome(judge(listener, { host, origin }, { method: 'POST' })),
        isOwn ? 'served' : '403',
        `${host} ${origin}`,
      );
    }
  });

  test('ask before by a preflight: answered to those of loopback, for reading', () => {
    const ask = (origin: string, wanted: string | undefined) =>
      judge(
        {},
        { origin, 'access-control-request-method': wanted, 'access-control-request-private-network': 'true' },
        { method: 'OPTIONS' },
      );
    for (const origin of loopback) {
      const verdict = ask(origin, 'GET');
      assert.ok(verdict.kind === 'preflight');
      const {
        'access-control-allow-origin': allowed,
        'access-control-allow-methods': methods,
        vary,
      } = verdict.headers;
      assert.deepEqual(
        [allowed, methods, vary],
        [origin, 'GET, HEAD', 'origin, access-control-request-method'],
      );
      assert.match(verdict.headers['access-control-allow-headers']!, /if-none-match, last-event-id/);
      assert.equal(verdict.headers['access-control-allow-private-network'], undefined);
      for (const wanted of ['POST', 'DELETE', 'get', '', undefined])
        assert.equal(outcome(ask(origin, wanted)), '403', String(wanted));
    }
    for (const origin of foreign)
      for (const wanted of ['GET', 'POST']) assert.equal(outcome(ask(origin, wanted)), '403', origin);
  });

  test('load nothing of ours as an image, script or frame, but may link here', () => {
    const rows: [site: string | undefined, mode: string, dest: string, method: string, expected: string][] = [
      [undefined, 'cors', 'empty', 'GET', 'served'], // a program
      ['none', 'navigate', 'document', 'GET', 'served'],
      ['same-origin', 'no-cors', 'script', 'GET', 'served'],
      ['cross-site', 'navigate', 'document', 'GET', 'served'],
      ['same-site', 'navigate', 'document', 'HEAD', 'served'],
      ['cross-site', 'navigate', 'document', 'POST', '403'],
      ['cross-site', 'navigate', 'iframe', 'GET', '403'],
      ['cross-site', 'navigate', 'object', 'GET', '403'],
      ['cross-site', 'no-cors', 'image', 'GET', '403'],
      ['cross-site', 'no-cors', 'script', 'GET', '403'],
      ['same-site', 'no-cors', 'script', 'GET', '403'],
      ['same-site', 'no-cors', 'empty', 'POST', '403'],
      ['cross-site, none', 'no-cors', 'image', 'GET', '403'],
      ['', 'no-cors', 'image', 'GET', '403'],
    ];
    for (const readers of ['loopback-pages', 'own-pages'] as const) {
      for (const [site, mode, dest, method, expected] of rows) {
        assert.equal(
          outcome(
            judge(
              { readers },
              { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest },
              { method },
            ),
          ),
          expected,
          `${site} ${mode} ${dest} ${method}`,
        );
      }
    }
    // localhost and 127.0.0.1 are two sites: with an Origin that may read, the site does not count.
    assert.equal(
      outcome(judge({}, { origin: 'http://localhost:3000', 'sec-fetch-site': 'cross-site' })),
      'served',
    );
  });

  test('an Origin is of loopback exactly when its host is, and it is written as browsers write it', () => {
    for (const origin of loopback) assert.equal(isLoopbackOrigin(origin), true, origin);
    for (const origin of foreign) assert.equal(isLoopbackOrigin(origin), false, origin);
  });
});
