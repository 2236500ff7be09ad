// Judges requests by their Host: for which names and addresses a listener was opened, and by which headers a
// proxy is known. ipaddr.js is the oracle of what is a loopback address.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, test } from 'vitest';
import {
  allowedHost,
  createJudge,
  hostOf,
  proxyHeaderIn,
  type OpenedListener,
  type RequestHead,
} from '../../../core/http/access.ts';
import { judge, onLoopback, outcome } from './judged-request.ts';

describe('a listener is opened for', () => {
  const rows: [what: string, listener: Partial<OpenedListener>, hosts: string[], others: string[]][] = [
    [
      'loopback names and addresses, where it listens on one of them',
      { address: '127.0.0.1' },
      [
        'localhost',
        'LOCALHOST:8080',
        'localhost.',
        'app.localhost:1',
        'a.b.localhost',
        '127.0.0.1',
        '127.255.0.3:80',
        '127.1',
        '2130706433',
        '[::1]:8080',
        '[0:0:0:0:0:0:0:1]',
        '[::ffff:127.0.0.1]',
        'localhost:',
      ],
      [
        'evil.example',
        'evil.example:8080',
        'localhost.evil.example',
        '127.0.0.1.evil.example',
        'notlocalhost',
        '192.168.1.5',
        '0.0.0.0',
        '[::]',
        '[::ffff:10.0.0.1]',
        '128.0.0.1',
        'bench',
        'localhost:99999',
        'localhost:a',
        'user@localhost',
        'localhost/',
        'localhost#',
        'localhost?a',
        'localhost\\',
        'local host',
        'localhost,localhost',
        '',
        ' ',
        '.',
        '[::1',
        '::1',
        '%6cocalhost',
        '*',
        'löcalhost',
        'localhost:80:80',
      ],
    ],
    [
      'the same, where it listens on ::1',
      { address: '::1' },
      ['localhost', '[::1]', '127.0.0.1'],
      ['evil.example', '[::2]'],
    ],
    [
      "every address, localhost and the machine's name, where it listens on all",
      { address: '::', machine: 'Bench-1' },
      [
        '192.168.1.5:8080',
        '[2001:db8::1]',
        '0.0.0.0',
        'localhost',
        'app.localhost',
        'bench-1',
        'BENCH-1:80',
        '3232235781',
      ],
      ['evil.example', 'bench-10', 'bench-1.evil.example', '192.168.1.5.evil.example', '192.168.1.x'],
    ],
    [
      'the same over IPv4 alone',
      { address: '0.0.0.0', machine: 'bench-1' },
      ['10.0.0.1', 'bench-1', '[::1]'],
      ['evil.example'],
    ],
    [
      'its own address and no other',
      { address: '192.168.1.5', machine: 'bench-1' },
      ['192.168.1.5', '192.168.1.5:99', '[::ffff:192.168.1.5]'],
      ['192.168.1.6', 'localhost', '127.0.0.1', 'bench-1', 'evil.example'],
    ],
    [
      'its own address over IPv6, with a zone',
      { address: 'fe80::1%eth0' },
      ['[fe80::1]:80', '[FE80:0::1]'],
      ['[fe80::2]', 'fe80::1'],
    ],
    [
      'the name that it was given, and what that resolved to',
      { address: '192.168.1.5', host: 'Bench.Example' },
      ['bench.example', 'bench.example.:80', '192.168.1.5'],
      ['a.bench.example', 'example'],
    ],
    [
      'names that were added',
      { allowHosts: ['proxy.example', '198.51.100.7', '2001:db8::1'] },
      ['proxy.example:443', 'PROXY.example', '198.51.100.7', '[2001:db8::1]', 'localhost'],
      ['a.proxy.example', 'proxy.example.evil.example', '198.51.100.8'],
    ],
  ];
  for (const [what, listener, hosts, others] of rows) {
    test(what, () => {
      for (const host of hosts) assert.equal(outcome(judge(listener, { host })), 'served', host);
      for (const host of others) assert.equal(outcome(judge(listener, { host })), '421', host);
      const once = createJudge({ ...onLoopback, ...listener });
      const twice = [...hosts, ...others].flatMap((host) =>
        [1, 2].map(() => outcome(once({ method: 'GET', httpVersion: '1.1', headers: { host } }))),
      );
      assert.deepEqual(
        twice,
        [...hosts.map(() => 'served'), ...others.map(() => '421')].flatMap((one) => [one, one]),
        'what is remembered is what was found',
      );
    });
  }

  test('a request without a Host when it is HTTP/1.0, and then no other', () => {
    const none = { host: undefined };
    assert.equal(outcome(judge({}, none)), '421');
    assert.equal(outcome(judge({}, none, { httpVersion: '1.0' })), 'served');
    assert.equal(outcome(judge({}, none, { httpVersion: '2.0' })), '421');
    assert.equal(outcome(judge({}, { host: 'evil.example' }, { httpVersion: '1.0' })), '421');
  });

  test('what stands in :authority, which a Host beside it must not contradict', () => {
    const rows2: [RequestHead['headers'], string][] = [
      [{ host: undefined, ':authority': 'localhost' }, 'served'],
      [{ host: undefined, ':authority': 'evil.example' }, '421'],
      [{ host: 'localhost', ':authority': 'localhost' }, 'served'],
      [{ host: 'LocalHost', ':authority': 'localhost' }, 'served'],
      [{ host: 'localhost', ':authority': 'evil.example' }, '421'],
      [{ host: 'evil.example', ':authority': 'localhost' }, '421'],
      [{ host: 'localhost', ':authority': '' }, '421'],
    ];
    for (const [headers, expected] of rows2)
      assert.equal(outcome(judge({}, headers, { httpVersion: '2.0' })), expected, JSON.stringify(headers));
  });

  test('the refusal names the host and the flag that adds it', () => {
    const said = (host: string) => (judge({}, { host }) as { message: string }).message;
    assert.equal(
      said('Evil.example:80'),
      'this server was not opened for the host "Evil.example:80", which a web page could use to get in' +
        ' (DNS rebinding); if it should be, start it with --allow-host evil.example',
    );
    assert.match(said('a b'), /the host "a b", .*; add a name with --allow-host NAME$/);
    assert.ok(said(`${'x'.repeat(10_000)}.example`).length < 500);
  });

  test('no Host but those of loopback, whatever is tried', () => {
    const octet = fc.nat(300);
    const host = fc.oneof(
      fc.domain(),
      fc.webAuthority({ withPort: true, withUserInfo: true, withIPv4: true, withIPv6: true }),
      fc.ipV4(),
      fc.ipV4Extended(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.string(),
      fc.tuple(octet, octet, octet, octet).map((all) => all.join('.')),
      fc.tuple(fc.constantFrom('localhost', '127.0.0.1', '[::1]'), fc.string()).map((both) => both.join('')),
      fc.tuple(fc.string(), fc.constantFrom('localhost', '127.0.0.1')).map((both) => both.join('')),
    );
    fc.assert(
      fc.property(host, (text) => {
        if (outcome(judge({}, { host: text })) !== 'served') return;
        const { hostname, username } = new URL(`http://${text}`);
        const bare = hostname.replace(/^\[|\]$/g, '');
        const isLocal = ipaddr.isValid(bare)
          ? ipaddr.process(bare).range() === 'loopback'
          : /^(.+\.)?localhost\.?$/.test(bare);
        assert.ok(username === '' && isLocal, text);
      }),
      { numRuns: 5000 },
    );
  });
});

test('a host has one form', () => {
  const rows: [string, string | undefined][] = [
    ['LocalHost:80', 'localhost'],
    ['a.example.', 'a.example'],
    ['[::FFFF:7F00:1]', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['[2001:DB8::0:1]:8', '2001:db8::1'],
    ['a_b.example', 'a_b.example'],
    ['a/b', undefined],
    ['a b', undefined],
    ['[a]', undefined],
    ['', undefined],
    ['http://a', undefined],
    ['256.256.256.256', undefined],
  ];
  for (const [text, host] of rows) assert.equal(hostOf(text), host, text);
});

test('--allow-host takes a name or an address alone', () => {
  const rows: [string, string | undefined][] = [
    ['Bench.example', 'bench.example'],
    ['192.168.1.5', '192.168.1.5'],
    ['2001:DB8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['bench.example:80', undefined],
    ['https://bench.example', undefined],
    ['bench.example/x', undefined],
    ['*', undefined],
    ['*.example', undefined],
    ['', undefined],
    ['a,b', undefined],
  ];
  for (const [text, host] of rows) assert.equal(allowedHost(text), host, text);
});

test('a proxy is known by any header that proxies add', () => {
  for (const name of [
    'via',
    'forwarded',
    'x-real-ip',
    'x-forwarded-for',
    'x-forwarded-client-cert',
    'cf-connecting-ip',
    'true-client-ip',
    'x-client-ip',
    'fly-client-ip',
    'fastly-client-ip',
  ]) {
    assert.equal(proxyHeaderIn({ host: 'localhost', [name]: '' }), name);
  }
  const direct = {
    host: 'localhost',
    'user-agent': 'curl',
    authorization: 'x',
    'x-forward': 'a',
    traceparent: 'b',
  };
  assert.equal(proxyHeaderIn(direct), undefined);
});
