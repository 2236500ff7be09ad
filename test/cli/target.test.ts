// Targets from the command line: what is printed, which exit code, and that no secret is written anywhere.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { startExpress, token } from '../harness/target/foreign.ts';
import { assertMeasured, resultFolders, call, start, temporaryFolder, writeScenario } from './tools.ts';

process.env['FEED_TOKEN'] = token;

const yaml = (url: string, path = '/feed/{topic}') =>
  `name: feed\nurl: ${url}\npublish: /feed/{topic}\nsubscribe: { sse: "${path}" }\n` +
  'headers: { authorization: "Bearer ${FEED_TOKEN}" }\n';

test('target check: 0 when all works, 1 when not, 2 when the file is wrong', async (t) => {
  const { url } = await startExpress(t);
  const folder = temporaryFolder(t);
  const check = async (text: string) => {
    writeFileSync(join(folder, 'feed.yaml'), text);
    return start(['target', 'check', 'feed.yaml'], folder).ended;
  };
  const good = await check(yaml(url));
  assert.match(
    good.stdout,
    /^feed at http:.*\n  no process named: CPU, memory and descriptors will not be measured\n  ✓ sse  the event came back after /,
  );
  assert.equal(good.code, 0);
  const bad = await check(yaml(url, '/nothing'));
  assert.match(
    bad.stdout,
    /✗ sse  a subscriber was not let in: the server answered 404 .*\n +There is nothing at .*\/nothing\. Is subscribe\.sse the right path/,
  );
  assert.equal(bad.code, 1);
  const wrong = await check(yaml(url).replace('publish', 'publsh'));
  assert.match(
    wrong.stderr,
    /^The target file feed\.yaml cannot be used:\nfeed\.yaml:3:1: publsh: unknown key; did you mean "publish"\?/,
  );
  assert.equal(wrong.code, 2);
});

test(
  'run --target --no-reference: the report names target and ' + 'what was left out, and holds no secret',
  async (t) => {
    const { url } = await startExpress(t);
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'feed.yaml'), yaml(url));
    const args = [
      'run',
      writeScenario(folder, 'variants: [sse, polling]'),
      '--target',
      'feed.yaml',
      '--no-reference',
    ];
    const end = await start(args, folder).ended;
    assertMeasured(end, folder);
    assert.match(
      end.stderr,
      /^left out: polling @feed: the target file does not describe it \(subscribe\.polling\)$/m,
    );
    assert.match(end.stdout, /^ *sse @feed(?: |$)/m);
    const [results] = resultFolders(folder);
    const result = readFileSync(join(results!, 'result.json'), 'utf8');
    const report = readFileSync(join(results!, 'report.html'), 'utf8');
    assert.match(report, /Other systems/);
    assert.match(result, /--target feed\.yaml --no-reference/);
    for (const text of [result, report, end.stdout, end.stderr]) assert.ok(!text.includes(token));
  },
);

test('--no-reference alone leaves nothing to run', async (t) => {
  const folder = temporaryFolder(t);
  const end = await call(['run', writeScenario(folder), '--no-reference'], folder);
  assert.match(
    end.stderr,
    /With --no-reference nothing is left to run: name a target too, with --target FILE\./,
  );
  assert.equal(end.code, 2);
});

test('a topic that is none', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'feed.yaml'), yaml('http://127.0.0.1:1'));
  const end = await call(['target', 'check', 'feed.yaml', '--topic', 'a b'], folder);
  assert.match(end.stderr, /--topic "a b" is not a topic: 1 to 128 letters/);
  assert.equal(end.code, 2);
});

test('two targets of one name cannot be told apart', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'feed.yaml'), yaml('http://127.0.0.1:1'));
  const end = await call(
    ['run', writeScenario(folder, 'variants: [sse]'), '--target', 'feed.yaml', '--target', 'feed.yaml'],
    folder,
  );
  assert.match(end.stderr, /Two target files have the name "feed"; give each a name of its own/);
  assert.equal(end.code, 2);
});
