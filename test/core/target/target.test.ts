// Target files: what is refused and in which words, what the environment fills in, what is never shown, and
// that the editors' schema is of one mind with the check.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { redact } from '../../../core/secrets/redact.ts';
import { accessOf, hostsOf, notesOn } from '../../../core/target/access.ts';
import { parseTarget } from '../../../core/target/file.ts';
import { targetSchemaFile, targetSchemaText } from '../../../scripts/schema.ts';

const base =
  'name: feed\nurl: http://127.0.0.1:8082\npublish: /pub/{topic}\nsubscribe:\n  sse: /sub/{topic}\n';
const parse = (text: string) => parseTarget(text, 'feed.yaml');
const noFile = (path: string): string => assert.fail(`nobody asked for ${path}`);

/** The lines of the refusal, without its head. */
function mistakes(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof UserError);
    assert.equal(error.code, 'target');
    return error.message.split('\n').slice(1);
  }
  return [];
}

test('ten lines are enough; the rest has defaults', () => {
  const target = parse(base);
  assert.deepEqual(target.publish, {
    url: '/pub/{topic}',
    method: 'POST',
    type: 'application/json',
    headers: {},
    body: '{event}',
  });
  assert.deepEqual(target.subscribe.sse, { url: '/sub/{topic}', headers: {} });
  assert.equal(target.topics, 'fresh');
  assert.equal(target.process, undefined);
});

describe('mistakes are named with their place', () => {
  const rows: [reads: string, text: string, expected: RegExp[]][] = [
    [
      'an unknown key',
      base.replace('publish', 'publsh'),
      [/^feed\.yaml:3:1: publsh: unknown key; did you mean "publish"\?$/],
    ],
    [
      'several at once, top to bottom',
      base.replace('feed', 'my feed').replace('sse', 'sss'),
      [
        /:1:7: name: expected a short name.*; got "my feed"$/,
        /:5:3: subscribe\.sss: unknown key; did you mean "sse"\?/,
      ],
    ],
    [
      'a base that is no URL',
      base.replace('http://127.0.0.1:8082', 'localhost'),
      [/:2:6: url: expected http:\/\/HOST:PORT or https:\/\/HOST:PORT/],
    ],
    [
      'a path without its slash',
      base.replace('/sub/{topic}', 'sub/{topic}'),
      [/subscribe\.sse: expected a path below "url" such as \/events\/\{topic\}/],
    ],
    [
      'a placeholder that there is not',
      base.replace('{topic}', '{chanel}'),
      [/publish: here only \{topic\}, \{topics\} can be filled in/],
    ],
    [
      'both kinds of topics',
      base.replace('/sub/{topic}', '/sub/{topic}/{topics}'),
      [/use \{topic\} for a connection for each topic, or \{topics\}/],
    ],
    [
      'a host that could be any',
      base.replace('/sub/{topic}', 'http://{topic}.example/'),
      [/could be any host; write it out/],
    ],
    [
      'a host from the environment',
      base.replace('/sub/{topic}', 'http://${HOST}/sub'),
      [/could be any host; write it out/],
    ],
    [
      'a password in a URL',
      base.replace('/sub/{topic}', 'http://me:pw@127.0.0.1/sub'),
      [/do not belong into a URL; send them as a header/],
    ],
    [
      'no pattern',
      base.replace('  sse: /sub/{topic}', '  {}'),
      [/subscribe: at least one pattern must be described/],
    ],
    [
      'a pattern that targets cannot have',
      `${base}  webhook: /hooks\n`,
      [/subscribe\.webhook: unknown key; here may stand polling, long-polling/],
    ],
    [
      'a body without the event',
      `${base.replace('publish: /pub/{topic}', 'publish: { url: /p, body: "{topic}" }')}`,
      [/publish\.body: the event itself is missing/],
    ],
    [
      "a header that is not the user's to set",
      `${base}headers: { Host: a }\n`,
      [/headers\.Host: pushbench sets this header itself/],
    ],
    [
      'two ways to name the process',
      `${base}process: { pid: 1, port: 2 }\n`,
      [/process: name the process in one way: pid, port or pidFile/],
    ],
    [
      'a cursor in two places',
      base.replace(
        'sse: /sub/{topic}',
        'polling: { url: /p, cursor: { parameter: a, header: b, field: c } }',
      ),
      [/"header" or "field", one of the two/],
    ],
    [
      'a header of two lines',
      `${base}headers: { a: "x\\r\\ny" }\n`,
      [/headers\.a: expected one line of text/],
    ],
    [
      'insecure TLS, which is not to be had',
      `${base}tls: { insecure: true }\n`,
      [/"ca" is missing/, /tls\.insecure: unknown key/],
    ],
  ];
  for (const [reads, text, expected] of rows) {
    test(reads, () => {
      const lines = mistakes(text);
      assert.equal(lines.length, expected.length, lines.join('\n'));
      expected.forEach((pattern, i) => assert.match(lines[i]!, pattern));
    });
  }
});

test('no value that may be a secret is quoted, wherever it stands by mistake', () => {
  const rows = [
    `${base}headers: [ "authorization: SECRET" ]\n`,
    `${base}headers: SECRET\n`,
    `${base}headers: { cursor: [SECRET], name: [SECRET] }\n`,
    base.replace('http://127.0.0.1:8082', 'ftp://me:SECRET@127.0.0.1'),
    base.replace('/pub/{topic}', 'ftp://me:SECRET@127.0.0.1/x'),
    base.replace('publish: /pub/{topic}', 'publish: { url: /p, body: [SECRET] }'),
    base.replace('/sub/{topic}', '[SECRET]'),
    base.replace('sse: /sub/{topic}', 'websocket: { url: /w, send: { a: SECRET }, protocol: "SECRET x" }'),
    `${base}tls: SECRET\n`,
  ];
  for (const text of rows) {
    const lines = mistakes(text);
    assert.ok(lines.length > 0, text);
    assert.doesNotMatch(lines.join('\n'), /SECRET/);
  }
  assert.match(mistakes(base.replace('feed', 'my feed'))[0]!, /got "my feed"$/, 'a name is none');
});

test('a file of another kind is told to be none, and nothing of it is quoted', () => {
  for (const [text, got] of [
    ['root:SECRET:0:0:root:/root:/bin/bash\n', 'text'],
    ['-----BEGIN PRIVATE KEY-----\nSECRET\n', 'text'],
    ['name: SECRET\nurl: SECRET\nSECRET: 1\n', 'a map with other keys'],
    ['a: b\n]SECRET', 'a map with other keys'],
    ['- SECRET', 'a list'],
    ['a: *SECRET', 'a map with other keys'],
  ] as const) {
    const [line, ...more] = mistakes(text);
    assert.match(
      line!,
      new RegExp(
        `^feed\\.yaml:1:1: this is no target file: expected a map with the keys name, url, .*; got ${got}$`,
      ),
    );
    assert.deepEqual(more, []);
    assert.doesNotMatch(line!, /SECRET/);
  }
  assert.match(mistakes('['.repeat(100_000))[0]!, /the values are nested too deep/);
});

describe('the environment', () => {
  const secret = 'tok-8841-xyz';
  const target = parse(
    `${base}headers: { Authorization: "Bearer \${FEED_TOKEN}", x-tenant: "\${TENANT}" }\n`,
  );

  test('fills in headers, and every variable that is missing is named', () => {
    const access = accessOf(target, 'feed.yaml', { FEED_TOKEN: secret, TENANT: 'a' }, noFile);
    assert.deepEqual(access.subscribe.sse?.headers, { authorization: `Bearer ${secret}`, 'x-tenant': 'a' });
    assert.equal(access.publish.headers['authorization'], `Bearer ${secret}`);
    assert.throws(() => accessOf(target, 'feed.yaml', { FEED_TOKEN: '' }, noFile), {
      code: 'target-environment',
      message:
        'The target file feed.yaml asks the environment for FEED_TOKEN (for headers.Authorization), TENANT ' +
        '(for headers.x-tenant), which are not set. Set them before the run, such as: export FEED_TOKEN=...',
    });
  });

  test('in a URL a value is one part, whatever is in it', () => {
    const { publish } = accessOf(
      parse(base.replace('/pub/', '/${TENANT}/pub/')),
      'feed.yaml',
      { TENANT: 'a b/../{topic}?x' },
      noFile,
    );
    assert.equal(publish.url, 'http://127.0.0.1:8082/a%20b%2F..%2F%7Btopic%7D%3Fx/pub/{topic}');
  });

  test('a value with a line break is refused without being shown', () => {
    assert.throws(
      () => accessOf(target, 'feed.yaml', { FEED_TOKEN: `${secret}\r\nevil: 1`, TENANT: 'a' }, noFile),
      (error: Error) => {
        assert.match(error.message, /uses FEED_TOKEN from the environment, which holds a line break/);
        return !error.message.includes(secret);
      },
    );
  });

  test('values are taken out of what a target repeats, encoded ones too', () => {
    const { secrets } = accessOf(target, 'feed.yaml', { FEED_TOKEN: 'a b/c=d', TENANT: 'ab' }, noFile);
    assert.equal(
      redact('bad token a b/c=d, in /x?t=a%20b%2Fc%3Dd', secrets),
      'bad token ${FEED_TOKEN}, in /x?t=${FEED_TOKEN}',
    );
    assert.equal(redact('ab', secrets), 'ab', 'two letters are in any text');
  });

  test('a value too short to be taken out is no secret, and the user is told so', () => {
    const access = accessOf(target, 'feed.yaml', { FEED_TOKEN: secret, TENANT: 'abc' }, noFile);
    assert.deepEqual(
      access.secrets.map(({ name }) => name),
      ['FEED_TOKEN'],
    );
    assert.deepEqual(notesOn(access, 'feed.yaml'), [
      'feed.yaml: the value of TENANT has fewer than 4 characters, so it is ' +
        'not treated as a secret: it stands in any text.',
    ]);
    assert.deepEqual(
      notesOn(accessOf(target, 'feed.yaml', { FEED_TOKEN: secret, TENANT: 'abcd' }, noFile), 'feed.yaml'),
      [],
    );
  });

  test('of Basic credentials the name and the password are secret too', () => {
    const { secrets } = accessOf(
      parse(`${base}headers: { Authorization: "Basic \${LOGIN}" }\n`),
      'feed.yaml',
      { LOGIN: Buffer.from('anna:open sesame').toString('base64') },
      noFile,
    );
    assert.equal(
      redact('no user anna:open sesame; the password "open sesame" is wrong', secrets),
      'no user ${LOGIN}; the password "${LOGIN}" is wrong',
    );
  });
});

test('a CA file that holds no certificate', () => {
  const target = parse(`${base.replace('http:', 'https:')}tls: { ca: ./ca.pem }\n`);
  assert.throws(() => accessOf(target, 'feed.yaml', {}, () => 'nothing'), {
    code: 'target-ca',
    message: /\.\/ca\.pem, which tls\.ca in feed\.yaml names, holds no certificate in PEM form/,
  });
});

test('only hosts that the file names are contacted, and each is known beforehand', () => {
  const target = parse(
    `${base}  websocket: wss://push.example/ws\n  polling: http://[::1]:9/p\n`.replace(
      '/pub/{topic}',
      'http://127.0.0.1:8082/pub/{topic}',
    ),
  );
  assert.deepEqual(hostsOf(target), [
    { host: '127.0.0.1', port: 8082, secure: false },
    { host: '::1', port: 9, secure: false },
    { host: 'push.example', port: 443, secure: true },
  ]);
});

test('the committed schema is the one that is generated', () => {
  assert.equal(readFileSync(targetSchemaFile, 'utf8'), targetSchemaText(), 'run: npm run schema');
});

test('the target files of the repository are right', () => {
  for (const file of ['targets/nchan.yaml', 'docs/examples/express-sse.yaml'])
    assert.ok(parseTarget(readFileSync(file, 'utf8'), file).name);
});

test('the examples in the page on targets are right', () => {
  const blocks = [...readFileSync('docs/targets.md', 'utf8').matchAll(/```yaml\n(.*?)```/gs)].map(
    (match) => match[1]!,
  );
  assert.equal(blocks.length, 2);
  assert.equal(parse(blocks[0]!).name, 'status-feed');
  assert.equal(
    parse(base.replace('publish: /pub/{topic}\n', blocks[1]!)).publish.body,
    '{"channel":"{topic}","data":{event}}',
  );
});
