// Checks what is connected to, by the option `receivers`, whatever a name resolves to, plain and over TLS.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest, type ClientRequest } from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import { connect, createServer, type AddressInfo, type LookupFunction, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';
import { createGuard, type GuardOptions } from '../../../../servers/webhook/sending/guard.ts';

const open: GuardOptions = { receivers: 'public', allow: [] };
const benchmark: GuardOptions = { receivers: 'listed', allow: ['127.0.0.0/8', '::1/128'] };

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
