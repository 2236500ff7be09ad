// Checks which addresses and names are refused as receivers, in whatever form they are written: every network
// with its edges. ipaddr.js is the oracle of the list.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, test } from 'vitest';
import { createGuard, specialUse, type GuardOptions } from '../../../../servers/webhook/sending/guard.ts';

const open: GuardOptions = { receivers: 'public', allow: [] };
const benchmark: GuardOptions = { receivers: 'listed', allow: ['127.0.0.0/8', '::1/128'] };

describe('an address of special use', () => {
  const rows: [what: RegExp, ...addresses: string[]][] = [
    [/this network/, '0.0.0.0', '0.255.255.255'],
    [
      /loopback/,
      '127.0.0.1',
      '127.255.255.255',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '0:0:0:0:0:ffff:7f00:1',
    ],
    [
      /private/,
      '10.0.0.0',
      '10.255.255.255',
      '172.16.0.0',
      '172.31.255.255',
      '192.168.0.1',
      'fc00::1',
      'fdff::1',
      'fd00:ec2::254',
      'fec0::1',
      '::ffff:10.1.2.3',
    ],
    [/shared by a carrier/, '100.64.0.0', '100.127.255.255', '100.100.100.200'],
    [/link-local/, '169.254.169.254', '::ffff:a9fe:a9fe', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
    [/cloud platform/, '168.63.129.16'],
    [/protocols/, '192.0.0.192', '192.175.48.1', '2001::1', '2001:20::1', '2001:1ff:ffff::'],
    [/documentation/, '192.0.2.1', '198.51.100.1', '203.0.113.255', '2001:db8::1', '3fff::1'],
    [/benchmarks/, '198.18.0.0', '198.19.255.255'],
    [/multicast/, '224.0.0.1', '239.255.255.255', 'ff02::1'],
    [/reserved/, '240.0.0.1', '255.255.255.255', '1::1', '100::1', '4000::1', 'e000::1'],
    [/6to4/, '192.88.99.1', '2002:7f00:1::', '2002:808:808::'],
    [/NAT64/, '64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::1'],
    [/IPv4-compatible/, '::', '::7f00:1', '::127.0.0.1', '::8.8.8.8'],
    [/no address/, '', 'localhost', '1.2.3', '127.1'],
  ];
  for (const [what, ...addresses] of rows) {
    test(`${addresses.join(', ')}: ${what.source}`, () => {
      for (const address of addresses) assert.match(String(specialUse(address)), what, address);
    });
  }

  test('is none of the public internet’s, just outside each network', () => {
    const outside = [
      '1.0.0.0',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
      '128.0.0.0',
      '168.63.129.15',
      '168.63.129.17',
      '169.253.255.255',
      '169.255.0.0',
      '172.15.255.255',
      '172.32.0.0',
      '191.255.255.255',
      '192.0.1.0',
      '192.0.3.0',
      '192.167.255.255',
      '192.169.0.0',
      '198.17.255.255',
      '198.20.0.0',
      '223.255.255.255',
      '8.8.8.8',
      '::ffff:8.8.8.8',
      '2000::1',
      '2001:200::1',
      '2001:4860:4860::8888',
      '2606:4700::1111',
      '2a00::1',
      '3ffe::1',
    ];
    assert.deepEqual(
      outside.filter((address) => specialUse(address) !== undefined),
      [],
    );
  });

  test('is refused wherever ipaddr.js finds it special', () => {
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc
        .tuple(
          fc.constantFrom('10.', '100.', '127.', '169.254.', '172.', '192.', '198.', '203.', '224.'),
          fc.ipV4(),
        )
        .map(([head, rest]) => [...head.split('.').slice(0, -1), ...rest.split('.')].slice(0, 4).join('.')),
      fc
        .tuple(
          fc.constantFrom('::', '::ffff:', '64:ff9b::', '2002:', '2001:', 'fe80::', 'fc00::', 'ff02::'),
          fc.nat(65_535),
        )
        .map(([head, tail]) =>
          head.endsWith('::') || head === '::ffff:'
            ? `${head}${head === '::ffff:' ? '7f00:' : ''}${tail.toString(16)}`
            : `${head}${tail.toString(16)}::1`,
        ),
    );
    fc.assert(
      fc.property(address, (text) => {
        if (ipaddr.process(text).range() !== 'unicast') assert.notEqual(specialUse(text), undefined, text);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('a host as a URL has it', () => {
  const host = (text: string) => new URL(`http://${text}/`).hostname;
  test('is recognised as loopback however it is written', () => {
    for (const text of [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '0177.0.0.1',
      '017700000001',
      '127.0.0.1.',
      '①②⑦.⓪.⓪.①',
      '127。0。0。1',
      '[::1]',
      '[0:0:0:0:0:0:0:1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
    ]) {
      assert.match(
        String(createGuard(open).refusalOf(host(text))),
        /is loopback; deliveries go to public addresses$/,
        text,
      );
      assert.equal(createGuard(benchmark).refusalOf(host(text)), undefined, text);
    }
  });

  test('is refused with a sentence that names what is allowed', () => {
    const refusal = (options: GuardOptions, text: string) =>
      String(createGuard(options).refusalOf(host(text)));
    assert.equal(
      refusal(benchmark, '10.0.0.1'),
      '10.0.0.1 is not among the addresses that deliveries go to: 127.0.0.0/8, ::1/128',
    );
    assert.equal(
      refusal(benchmark, 'example.com'),
      'example.com is a name; deliveries go to the addresses 127.0.0.0/8, ::1/128 and to localhost only',
    );
    assert.equal(
      refusal({ receivers: 'public', allow: ['10.1.0.0/16'] }, '10.2.0.1'),
      '10.2.0.1 is private; deliveries go to public addresses and 10.1.0.0/16',
    );
    assert.equal(
      refusal({ receivers: 'listed', allow: [] }, '8.8.8.8'),
      '8.8.8.8 is not among the addresses that deliveries go to: none',
    );
  });

  test('passes when it may turn out well', () => {
    for (const name of ['localhost', 'localhost.', 'a.localhost'])
      assert.equal(createGuard(benchmark).refusalOf(name), undefined);
    assert.equal(createGuard(open).refusalOf('example.com'), undefined);
    assert.equal(
      createGuard({ receivers: 'public', allow: ['10.1.0.0/16'] }).refusalOf('10.1.2.3'),
      undefined,
    );
    assert.match(String(createGuard(benchmark).refusalOf('localhost.example.com')), /is a name/);
  });
});
