// Sends forms of HTTP/1.1 requests that RFC 9112 allows, refuses or leaves open, each over a socket as
// it stands: which are served, how the others are answered, and that nothing behind or in a refused one
// becomes an event.

import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { describe, test, type TestContext } from 'vitest';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { startServer, type RunningServer } from '../../../servers/start.ts';
import { rawClient } from './raw-http.ts';

type Row = [what: string, request: string, status: number, then?: 'kept' | 'closed'];

const host = 'Host: 127.0.0.1\r\n';
const get = (target: string, more = '', version = '1.1') =>
  `GET ${target} HTTP/${version}\r\n${host}${more}\r\n`;
const withHost = (value: string) => `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`;
const field = (line: string) => `GET / HTTP/1.1\r\n${host}${line}\r\n\r\n`;
const post = (fields: string, body: string, version = '1.1') =>
  `POST /topics/a HTTP/${version}\r\n${host}${fields}\r\n\r\n${body}`;
const coded = (coding: string) => post(`Transfer-Encoding: ${coding}`, '2\r\nok\r\n0\r\n\r\n');
const chunks = (body: string) => post('Transfer-Encoding: chunked', body);
const lengths = (value: string) => post(`Content-Length: ${value}`, 'ok');
const gzipped = gzipSync('{"secret":"of the sender"}').toString('latin1');
const smuggled = `POST /topics/a HTTP/1.1\r\n${host}Content-Length: 8\r\n\r\nsmuggled`;

const groups: Record<string, Row[]> = {
  'section 2.2, parsing': [
    ['empty lines before the request', `\r\n\r\n${get('/')}`, 200],
    ['bare LF for the end of lines', `GET / HTTP/1.1\n${host}\n\n`, 400, 'closed'],
    ['a bare CR in a value', field('x: a\rb'), 400, 'closed'],
    ['a NUL in a value', field('x: a\0b'), 400, 'closed'],
    ['white space before the first field', `GET / HTTP/1.1\r\n x: a\r\n${host}\r\n`, 400, 'closed'],
  ],
  'section 2.3 and 3, the request line': [
    ['HTTP/1.0', get('/', '', '1.0'), 200, 'closed'],
    ['HTTP/1.2', get('/', '', '1.2'), 400, 'closed'],
    ['HTTP/2.0', get('/', '', '2.0'), 505, 'closed'],
    ['HTTP/0.9', 'GET /\r\n\r\n', 505, 'closed'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'closed'],
    ['tabs for spaces', `GET\t/\tHTTP/1.1\r\n${host}\r\n`, 400, 'closed'],
    ['a method in lower case', `get / HTTP/1.1\r\n${host}\r\n`, 400, 'closed'],
    ['a space in the target', get('/a b'), 400, 'closed'],
    ['bytes above ASCII in the target', get('/\xc3\xa9'), 400, 'closed'],
  ],
  'section 3.2, the target': [
    ['origin-form', get('/'), 200],
    ['origin-form with a fragment', get('/#x'), 400, 'closed'],
    ['origin-form with a backslash', get('/\\x'), 400, 'closed'],
    ['absolute-form', get('http://127.0.0.1/'), 200],
    ['absolute-form in capitals', get('HTTP://LOCALHOST/'), 200],
    ['absolute-form without a path', get('http://127.0.0.1'), 200],
    ['absolute-form with a query alone', get('http://127.0.0.1?a=b'), 200],
    [
      'absolute-form of a host that the server was not opened for, in spite of Host',
      get('http://evil.example/'),
      421,
    ],
    [
      'absolute-form that is right, in spite of Host',
      'GET http://127.0.0.1/ HTTP/1.1\r\nHost: evil.example\r\n\r\n',
      200,
    ],
    ['absolute-form to a path that is not there', get('http://127.0.0.1/nowhere'), 404],
    ['absolute-form with user information', get('http://a:b@127.0.0.1/'), 400, 'closed'],
    ['absolute-form with a fragment', get('http://127.0.0.1/#x'), 400, 'closed'],
    ['absolute-form with a bad port', get('http://127.0.0.1:x/'), 400, 'closed'],
    ['absolute-form without a host', get('http:///'), 400, 'closed'],
    ['absolute-form of another scheme', get('https://127.0.0.1/'), 400, 'closed'],
    ['authority-form for GET', get('127.0.0.1:80'), 400, 'closed'],
    ['CONNECT', `CONNECT 127.0.0.1:80 HTTP/1.1\r\n${host}\r\n`, 501, 'closed'],
    ['CONNECT to a path', `CONNECT / HTTP/1.1\r\n${host}\r\n`, 501, 'closed'],
    ['asterisk-form', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, 204],
    ['asterisk-form for GET', get('*'), 400],
  ],
  'section 3.2, Host': [
    ['none', 'GET / HTTP/1.1\r\n\r\n', 400, 'closed'],
    ['none in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 200, 'closed'],
    ['two alike', field('Host: 127.0.0.1'), 400, 'closed'],
    ['two different ones', field('hOST: evil.example'), 400, 'closed'],
    ['two in HTTP/1.0', `GET / HTTP/1.0\r\n${host}Host: evil.example\r\n\r\n`, 400, 'closed'],
    ['two behind an absolute target', get('http://127.0.0.1/', 'Host: evil.example\r\n'), 400, 'closed'],
    [
      'the second one behind 2,000 other fields',
      `GET / HTTP/1.1\r\n${host}${'a:\r\n'.repeat(2000)}${host}\r\n`,
      431,
      'closed',
    ],
    ['of another server', withHost('evil.example'), 421],
    ['empty', withHost(''), 421],
    ['with a port', withHost('127.0.0.1:80'), 200],
    ['an IPv6 address', withHost('[::1]:80'), 200],
    ['a list', withHost('127.0.0.1, evil.example'), 400, 'closed'],
    ['with a space', withHost('127.0.0.1 evil.example'), 400, 'closed'],
    ['with a path', withHost('127.0.0.1/evil'), 400, 'closed'],
    ['with user information', withHost('evil@127.0.0.1'), 400, 'closed'],
    ['with a port that is no number', withHost('127.0.0.1:http'), 400, 'closed'],
    ['with a backslash', withHost('127.0.0.1\\evil'), 400, 'closed'],
    ['with bytes above ASCII', withHost('\xe9'), 400, 'closed'],
  ],
  'section 5, fields': [
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n', 400, 'closed'],
    ['a folded line', field('x: a\r\n b'), 400, 'closed'],
    ['a space in a name', field('x y: a'), 400, 'closed'],
    ['no name', field(': a'), 400, 'closed'],
    ['no colon', field('hello'), 400, 'closed'],
  ],
  'section 6.1, Transfer-Encoding': [
    ['chunked', coded('chunked'), 201],
    ['in capitals, behind a tab and an empty element', coded('\t, CHUNKED'), 201],
    [
      'gzip, chunked',
      post('Transfer-Encoding: gzip, chunked', `${gzipped.length.toString(16)}\r\n${gzipped}\r\n0\r\n\r\n`),
      501,
      'closed',
    ],
    ['unknown, chunked', coded('foo, chunked'), 501, 'closed'],
    [
      'unknown and chunked in two fields',
      post('Transfer-Encoding: foo\r\nTransfer-Encoding: chunked', '2\r\nok\r\n0\r\n\r\n'),
      501,
      'closed',
    ],
    ['gzip, chunked for GET', `${get('/', 'Transfer-Encoding: gzip, chunked\r\n')}0\r\n\r\n`, 501, 'closed'],
    ['chunked not at the end', coded('chunked, gzip'), 400, 'closed'],
    ['no chunked', coded('gzip'), 400, 'closed'],
    ['identity', coded('identity'), 400, 'closed'],
    ['chunked twice', coded('chunked, chunked'), 400, 'closed'],
    [
      'chunked in two fields',
      post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '2\r\nok\r\n0\r\n\r\n'),
      400,
      'closed',
    ],
    ['a name that ends in chunked', coded('xchunked'), 400, 'closed'],
    ['chunked with a parameter', coded('chunked;q=1'), 400, 'closed'],
    ['chunked in quotes', coded('"chunked"'), 400, 'closed'],
    ['behind a vertical tab', coded('\x0bchunked'), 400, 'closed'],
    ['empty', coded(''), 400, 'closed'],
    ['in HTTP/1.0', post('Transfer-Encoding: chunked', '2\r\nok\r\n0\r\n\r\n', '1.0'), 400, 'closed'],
    [
      'in HTTP/1.0 that would be kept',
      post('Connection: keep-alive\r\nTransfer-Encoding: chunked', '2\r\nok\r\n0\r\n\r\n', '1.0'),
      400,
      'closed',
    ],
    [
      'before a length',
      post('Transfer-Encoding: chunked\r\nContent-Length: 2', '2\r\nok\r\n0\r\n\r\n'),
      400,
      'closed',
    ],
    [
      'behind a length',
      post('Content-Length: 2\r\nTransfer-Encoding: chunked', '2\r\nok\r\n0\r\n\r\n'),
      400,
      'closed',
    ],
    ['a space before the colon', post('Transfer-Encoding : chunked', '2\r\nok\r\n0\r\n\r\n'), 400, 'closed'],
  ],
  'section 6.2, Content-Length': [
    ['a number', lengths('2'), 201],
    ['with zeros in front', lengths('0000000000000000000000002'), 201],
    ['none', post('x: y', ''), 201],
    ['none, with a body, in HTTP/1.0', post('x: y', 'ok', '1.0'), 201, 'closed'],
    ['a list of the same', lengths('2, 2'), 400, 'closed'],
    ['a list of different ones', lengths('2, 3'), 400, 'closed'],
    ['two fields of the same', lengths('2\r\nContent-Length: 2'), 400, 'closed'],
    ['two fields of different ones', lengths('2\r\nContent-Length: 3'), 400, 'closed'],
    ['negative', lengths('-2'), 400, 'closed'],
    ['with a plus', lengths('+2'), 400, 'closed'],
    ['hexadecimal', lengths('0x2'), 400, 'closed'],
    ['with a fraction', lengths('2.0'), 400, 'closed'],
    ['with a space inside', lengths('1 2'), 400, 'closed'],
    ['empty', lengths(''), 400, 'closed'],
    ['above 64 bits', lengths('18446744073709551618'), 400, 'closed'],
  ],
  'section 7, chunks': [
    ['an extension', chunks('2;a=b\r\nok\r\n0\r\n\r\n'), 201],
    ['zeros in front of a size', chunks('0000000000000000000002\r\nok\r\n0\r\n\r\n'), 201],
    ['a trailer', chunks('2\r\nok\r\n0\r\nx: y\r\n\r\n'), 201],
    [
      'trailers that look like our fields',
      chunks('2\r\nok\r\n0\r\npushbench-planned: nonsense\r\n\r\n'),
      201,
    ],
    ['a line end in quotes in an extension', chunks('2;a="\r\nok\r\n0\r\n\r\n'), 400, 'closed'],
    ['a control character in an extension', chunks('2;a\0b\r\nok\r\n0\r\n\r\n'), 400, 'closed'],
    ['a space behind a size', chunks('2 \r\nok\r\n0\r\n\r\n'), 400, 'closed'],
    ['bare LF behind a size', chunks('2\nok\r\n0\r\n\r\n'), 400, 'closed'],
    ['bare LF behind an extension', chunks('2;a\nok\r\n0\r\n\r\n'), 400, 'closed'],
    ['bare LF behind the data', chunks('2\r\nok\n0\r\n\r\n'), 400, 'closed'],
    ['bare LF at the end', chunks('2\r\nok\r\n0\n\n'), 400, 'closed'],
    ['bare CR behind a size', chunks('2\rok\r\n0\r\n\r\n'), 400, 'closed'],
    ['0x', chunks('0x2\r\nok\r\n0\r\n\r\n'), 400, 'closed'],
    ['a negative size', chunks('-2\r\nok\r\n0\r\n\r\n'), 400, 'closed'],
    ['a size with a plus', chunks('+2\r\nok\r\n0\r\n\r\n'), 400, 'closed'],
    ['no size', chunks('\r\nok\r\n0\r\n\r\n'), 400, 'closed'],
    ['a size above 64 bits', chunks('10000000000000002\r\nok\r\n0\r\n\r\n'), 400, 'closed'],
    ['more data than the size', chunks('1\r\nok\r\n0\r\n\r\n'), 400, 'closed'],
    ['data behind the last chunk', chunks('0\r\nok\r\n\r\n'), 400, 'closed'],
    ['a trailer that is no field', chunks('2\r\nok\r\n0\r\nbad line\r\n\r\n'), 400, 'closed'],
    ['a length in the trailers', chunks('2\r\nok\r\n0\r\nContent-Length: 5\r\n\r\n'), 400, 'closed'],
    ['a coding in the trailers', chunks('2\r\nok\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n'), 400, 'closed'],
    ['a trailer above 16 KiB', chunks(`2\r\nok\r\n0\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`), 431, 'closed'],
    ['many trailers', chunks(`2\r\nok\r\n0\r\n${'x: y\r\n'.repeat(20_000)}\r\n`), 431, 'closed'],
  ],
  'RFC 9110, content': [
    ['gzip', post(`Content-Encoding: gzip\r\nContent-Length: ${gzipped.length}`, gzipped), 415],
    ['gzip that is none', post('Content-Encoding: gzip\r\nContent-Length: 2', 'ok'), 415],
    ['identity and gzip', post('Content-Encoding: identity, gzip\r\nContent-Length: 2', 'ok'), 415],
    [
      'an unknown coding, in chunks',
      post('Content-Encoding: foo\r\nTransfer-Encoding: chunked', '2\r\nok\r\n0\r\n\r\n'),
      415,
    ],
    ['identity', post('Content-Encoding: Identity\r\nContent-Length: 2', 'ok'), 201],
    ['no coding in the field', post('Content-Encoding: \r\nContent-Length: 2', 'ok'), 201],
    ['an unknown expectation', post('Expect: foo\r\nContent-Length: 2', 'ok'), 417],
    ['a length above the limit', post('Content-Length: 1048577', 'x'.repeat(1048577)), 413],
  ],
};

/** A server for each request: what one before it is told late must not count here. */
async function serveOne(t: TestContext): Promise<RunningServer> {
  const { options } = variantOf(patterns, 'polling');
  const server = await startServer({ pattern: 'polling', options, limits: defaultLimits, seed: 1 });
  t.onTestFinished(() => server.close());
  return server;
}

/** The bodies of all events that were stored. */
const storedIn = ({ hub }: RunningServer) =>
  hub.since(['a'], `${hub.epoch}-0`).events.map(({ json }) => decodeEnvelope(json).body);

for (const [section, rows] of Object.entries(groups)) {
  describe(section, () => {
    for (const [what, request, status, then = 'kept'] of rows) {
      test(`${what}: ${status}, and the connection is ${then}`, async (t) => {
        const server = await serveOne(t);
        const client = await rawClient(server.endpoint.url);
        client.socket.write(Buffer.from(request, 'latin1'));
        if (then === 'closed') client.socket.write(smuggled);
        const first = await client.saw(/^HTTP\/1\.1 \d{3} [^]*?\r\n\r\n/);
        assert.equal(Number(first.slice(9, 12)), status, first);
        if (status === 415) assert.match(first, /^accept-encoding: identity\r$/im);
        if (then === 'kept') client.socket.write(get('/kept', 'Connection: close\r\n'));
        const text = await client.closed;
        assert.equal([...text.matchAll(/HTTP\/1\.1 \d{3} /g)].length, then === 'kept' ? 2 : 1, text);
        if (then === 'kept') assert.match(text, /nothing at \/kept/);
        const faults = server.counters().errors;
        // Where it is the body, those who wait for it may have been told so by now.
        if (then === 'closed' && status >= 400)
          assert.ok(faults === 1 || (faults === 2 && section.startsWith('section 7')), `${faults} errors`);
        assert.deepEqual(storedIn(server), status !== 201 ? [] : [what.startsWith('none') ? '' : 'ok']);
      });
    }
  });
}
