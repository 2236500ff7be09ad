// Where deliveries may go: every refused network with its edges, addresses written in odd ways, names that
// change their mind, plain and over TLS. ipaddr.js is the oracle of the list.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest, type ClientRequest } from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import { connect, createServer, type AddressInfo, type LookupFunction, type Socket } from 'node:net';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, test, type TestContext } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';
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

describe('receivers: public', () => {
  const standard = (given: object) => createGuard(patterns.webhook.options.parse(given));
  const spellings = [
    '127.0.0.1',
    '127.1',
    '127.8.9.10',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[2002:7f00:1::]',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    '0.0.0.0',
    '0',
    '[::]',
  ];

  test('leaves loopback shut where no network was named, however it is written', () => {
    const hosts = spellings.map((text) => new URL(`http://${text}/`).hostname);
    assert.deepEqual(
      hosts.filter((host) => standard({ receivers: 'public' }).refusalOf(host) === undefined),
      [],
    );
    assert.equal(
      standard({ receivers: 'public' }).refusalOf('localhost'),
      'localhost is loopback; deliveries go to public addresses',
    );
    for (const [what, ...addresses] of [
      ['private', '10.0.0.1', 'fd00::1'],
      ['link-local', '169.254.169.254'],
    ] as const) {
      for (const address of addresses)
        assert.match(String(standard({ receivers: 'public' }).refusalOf(address)), new RegExp(what));
    }
    assert.equal(standard({ receivers: 'public' }).refusalOf('example.com'), undefined);
    assert.equal(standard({}).refusalOf('127.0.0.1'), undefined, 'listed is loopback, when nothing is named');
    assert.equal(standard({}).refusalOf('localhost'), undefined);
  });

  test('opens what was named', () => {
    for (const host of ['127.0.0.1', 'localhost'])
      assert.equal(
        standard({ receivers: 'public', allow: ['127.0.0.0/8'] }).refusalOf(host),
        undefined,
        host,
      );
    assert.equal(
      standard({ receivers: 'public', allow: ['127.0.0.5/32'] }).refusalOf('localhost'),
      undefined,
      'it may resolve to that; a connection shows',
    );
    assert.match(
      String(standard({ receivers: 'public', allow: ['127.0.0.5/32'] }).refusalOf('127.0.0.1')),
      /is loopback; deliveries go to public addresses and 127\.0\.0\.5\/32/,
    );
    assert.match(String(standard({ receivers: 'public', allow: [] }).refusalOf('::1')), /is loopback/);
  });

  test('does not reach this machine by a public address of its own either', () => {
    const at = (given: Partial<GuardOptions>) =>
      createGuard({
        receivers: 'public',
        allow: 'auto',
        ownAddresses: () => ['8.8.4.4', '2606:4700::99'],
        ...given,
      });
    for (const address of ['8.8.4.4', '2606:4700::99', '2606:4700:0::0:99', '::ffff:8.8.4.4'])
      assert.match(
        String(at({}).refusalOf(address)),
        /is of this machine itself; deliveries go to public addresses$/,
        address,
      );
    assert.equal(at({}).refusalOf('8.8.8.8'), undefined);
    assert.equal(at({ allow: ['8.8.4.4/32'] }).refusalOf('8.8.4.4'), undefined);
  });

  test('a name that resolves to loopback is refused when it is called', async (t) => {
    const { port, came } = await target(t);
    const { http } = senders({ receivers: 'public', allow: 'auto', lookup: resolvesTo(['127.0.0.1']) });
    assert.match(
      await http(`http://innocent.test:${port}/`),
      /innocent\.test resolves to an address that is refused: 127\.0\.0\.1 is loopback/,
    );
    assert.deepEqual(came, []);
  });

  test('a registration says so', async (t) => {
    const server = await startServer({
      pattern: 'webhook',
      options: patterns.webhook.options.parse({ receivers: 'public' }),
      limits: defaultLimits,
      seed: 1,
    });
    t.onTestFinished(() => server.close());
    for (const host of spellings) {
      const response = await fetch(`${server.endpoint.url}/webhooks`, {
        method: 'POST',
        body: JSON.stringify({ url: `http://${host}:9/`, events: ['news'] }),
      });
      assert.deepEqual(
        [response.status, /deliveries go to public addresses/.test(await response.text())],
        [422, true],
        host,
      );
    }
  });
});

/** A port that counts who comes, on two loopback addresses. */
async function target(t: TestContext) {
  const came: string[] = [];
  const bytes: Buffer[] = [];
  const sockets = new Set<Socket>();
  const serve = () =>
    createServer((socket) => {
      came.push(socket.localAddress!);
      sockets.add(socket.on('error', () => {}));
      socket.on('data', (piece: Buffer) => {
        bytes.push(piece);
        socket.write('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
      });
    });
  const [one, two] = [serve(), serve()];
  one.listen(0, '127.0.0.1');
  await once(one, 'listening');
  const { port } = one.address() as AddressInfo;
  two.listen(port, '127.0.0.2');
  await once(two, 'listening');
  t.onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    one.close();
    two.close();
  });
  return { port, came, bytes };
}

const answer = (request: ClientRequest): Promise<string> =>
  new Promise((resolve) =>
    request
      .on('response', (response) => resolve(String(response.resume().statusCode)))
      .on('error', (error) => resolve(error.message))
      .end('{}'),
  );

function senders(options: GuardOptions) {
  const guard = createGuard(options);
  const [plain, tls] = [guard.protect(new Agent()), guard.protect(new TlsAgent())];
  return {
    http: (url: string) => answer(httpRequest(url, { method: 'POST', agent: plain })),
    https: (url: string) => answer(httpsRequest(url, { method: 'POST', agent: tls })),
  };
}

const resolvesTo = (...lists: string[][]): LookupFunction & { calls: number } => {
  const lookup = (
    _name: string,
    options: Parameters<LookupFunction>[1],
    callback: Parameters<LookupFunction>[2],
  ) => {
    const addresses = lists[Math.min(lookup.calls++, lists.length - 1)]!.map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
    if (options.all) callback(null, addresses);
    else callback(null, addresses[0]!.address, addresses[0]!.family);
  };
  lookup.calls = 0;
  return lookup;
};

describe('a connection', () => {
  for (const kind of ['http', 'https'] as const) {
    test(`over ${kind} to a refused address is never begun, written out or by name`, async (t) => {
      const { port, came } = await target(t);
      for (const host of ['127.0.0.1', '2130706433', '[::ffff:127.0.0.1]']) {
        assert.match(await senders(open)[kind](`${kind}://${host}:${port}/`), /is loopback/, host);
      }
      for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '169.254.169.254', '::7f00:1']) {
        const named = senders({ ...open, lookup: resolvesTo([address]) });
        assert.match(
          await named[kind](`${kind}://innocent.test:${port}/`),
          /innocent\.test resolves to an address that is refused: /,
          address,
        );
      }
      assert.deepEqual(came, []);
    });
  }

  test('to an allowed address is made, by name too', async (t) => {
    const { port, came } = await target(t);
    assert.equal(await senders(benchmark).http(`http://127.0.0.1:${port}/`), '204');
    assert.equal(
      await senders({ ...benchmark, lookup: resolvesTo(['127.0.0.2']) }).http(`http://a.localhost:${port}/`),
      '204',
    );
    assert.deepEqual(came, ['127.0.0.1', '127.0.0.2']);
  });

  test(
    'by a name that resolves to something else the second time ' + 'is judged the second time (rebinding)',
    async (t) => {
      const { port, came } = await target(t);
      const lookup = resolvesTo(['127.0.0.2'], ['127.0.0.1']);
      const { http } = senders({ receivers: 'public', allow: ['127.0.0.2/32'], lookup });
      assert.equal(await http(`http://rebinding.test:${port}/`), '204');
      assert.match(
        await http(`http://rebinding.test:${port}/`),
        /rebinding\.test resolves to an address that is refused: 127\.0\.0\.1 is loopback/,
      );
      assert.equal(lookup.calls, 2);
      assert.deepEqual(came, ['127.0.0.2']);
    },
  );

  test('by a name with one refused address among good ones is refused', async (t) => {
    const { port, came } = await target(t);
    const { http } = senders({
      receivers: 'public',
      allow: ['127.0.0.2/32'],
      lookup: resolvesTo(['127.0.0.2', '127.0.0.1']),
    });
    assert.match(await http(`http://mixed.test:${port}/`), /refused: 127\.0\.0\.1/);
    assert.deepEqual(came, []);
  });

  test('that came about in another way is cut before anything is written', async (t) => {
    const { port, bytes } = await target(t);
    const agent = new Agent();
    agent.createConnection = () => connect(port, '127.0.0.1');
    const said = await answer(
      httpRequest('http://8.8.8.8/', { method: 'POST', agent: createGuard(open).protect(agent) }),
    );
    assert.match(said, /127\.0\.0\.1 is loopback/);
    assert.deepEqual(bytes, []);
  });

  test('whose name is not found says so', async () => {
    const lookup: LookupFunction = (_name, _options, callback) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND nowhere.test'), { code: 'ENOTFOUND' }), []);
    assert.match(await senders({ ...open, lookup }).http('http://nowhere.test/'), /ENOTFOUND nowhere\.test/);
  });
});
