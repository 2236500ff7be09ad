// Reads target files: what is refused and in which words, what is never quoted, and that the editors' schema
// is of one mind with the check.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { parseTarget } from '../../../core/target/file.ts';
import { targetSchemaFile, targetSchemaText } from '../../../scripts/schema.ts';
import { base, parse } from './short-target.ts';

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
      [/do not belong in a URL; send them as a header/],
    ],
    [
      'no pattern',
      base.replace('  sse: /sub/{topic}', '  {}'),
      [/subscribe: at least one pattern must be described/],
    ],
    [
      'a pattern that targets cannot have',
      `${base}  webhook: /hooks\n`,
      [/subscribe\.webhook: unknown key; possible here: polling, long-polling/],
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
      new RegExp(`^feed\\.yaml:1:1: this is not a target file: expected a map with the keys .*; got ${got}$`),
    );
    assert.deepEqual(more, []);
    assert.doesNotMatch(line!, /SECRET/);
  }
  assert.match(mistakes('['.repeat(100_000))[0]!, /the values are nested too deep/);
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
