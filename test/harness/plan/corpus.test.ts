// Tests where bodies of events are read from: files, groups of examples, packages, and what is wrong with
// others.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'vitest';
import { exitCodes, UserError } from '../../../core/base/errors.ts';
import { loadCorpus } from '../../../harness/plan/corpus.ts';

function folderWith(t: TestContext, files: Record<string, string | Buffer>): string {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-corpus-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const packaged = (name: string, main: string, content: string) => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.0.0', main }),
  [`node_modules/${name}/${main}`]: content,
});

describe('a corpus is read from', () => {
  test('a JSON file: each value of its list is a body', (t) => {
    const folder = folderWith(t, { 'bodies.json': '[ {"a" : 1}, "text \\u00e9", 7, null, [] ]' });
    assert.deepEqual(loadCorpus('bodies.json', folder), ['{"a":1}', '"text é"', '7', 'null', '[]']);
    assert.deepEqual(loadCorpus('./bodies.json', folder), loadCorpus(join(folder, 'bodies.json'), '/'));
  });

  test('an NDJSON file: each line is a body, as it stands there', (t) => {
    const folder = folderWith(t, {
      'sub/bodies.ndjson': '\uFEFF{"a" : 1}\r\n\n  [1,  2] \n12345678901234567890\n',
      'one.jsonl': 'not JSON at all',
    });
    assert.deepEqual(loadCorpus('sub/bodies.ndjson', folder), [
      '{"a" : 1}',
      '  [1,  2] ',
      '12345678901234567890',
    ]);
    assert.deepEqual(loadCorpus('one.jsonl', folder), ['not JSON at all']);
  });

  test('groups of examples: all of them', (t) => {
    const folder = folderWith(t, {
      'groups.json': JSON.stringify([
        { name: 'push', examples: [{ a: 1 }, { b: 2 }] },
        { name: 'fork', examples: [] },
        { name: 'star', examples: ['c'] },
      ]),
    });
    assert.deepEqual(loadCorpus('groups.json', folder), ['{"a":1}', '{"b":2}', '"c"']);
  });

  test('a package beside the scenario, before any other of that name', (t) => {
    const folder = folderWith(t, {
      ...packaged('@octokit/webhooks-examples', 'other.json', '[1]'),
      ...packaged('plain', 'list.json', '["a"]'),
      'deep/er/scenario.yaml': '',
    });
    assert.deepEqual(loadCorpus('@octokit/webhooks-examples', folder), ['1']);
    assert.deepEqual(loadCorpus('plain', join(folder, 'deep/er')), ['"a"']);
    assert.deepEqual(loadCorpus('plain/list.json', folder), ['"a"']);
  });

  test('a package in the working directory, when there is none beside the scenario', (t) => {
    const [folder, elsewhere] = [folderWith(t, packaged('plain', 'list.json', '["a"]')), folderWith(t, {})];
    const before = process.cwd();
    t.onTestFinished(() => process.chdir(before));
    process.chdir(folder);
    assert.deepEqual(loadCorpus('plain', elsewhere), ['"a"']);
  });

  test('a package of pushbench itself, wherever the scenario is', (t) => {
    const folder = folderWith(t, {});
    const bodies = loadCorpus('@octokit/webhooks-examples', folder);
    const groups = createRequire(import.meta.url)('@octokit/webhooks-examples') as { examples: unknown[] }[];
    assert.deepEqual(
      bodies.map((body): unknown => JSON.parse(body)),
      groups.flatMap(({ examples }) => examples),
    );
    assert.ok(bodies.length > 300);
    assert.ok(Math.max(...bodies.map((body) => Buffer.byteLength(body))) > 20_000);
  });

  test('a linked file', (t) => {
    const folder = folderWith(t, { 'real.json': '[1]' });
    symlinkSync(join(folder, 'real.json'), join(folder, 'linked.json'));
    assert.deepEqual(loadCorpus('linked.json', folder), ['1']);
  });
});

describe('a corpus that cannot be used is refused with what to do', () => {
  const refused = (from: string, folder: string, message: RegExp) =>
    assert.throws(
      () => loadCorpus(from, folder),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.code, 'corpus');
        assert.equal(error.exitCode, exitCodes.usage);
        assert.match(error.message, message);
        return true;
      },
    );

  test('no such file', (t) => {
    const folder = folderWith(t, {});
    refused(
      'bodies.json',
      folder,
      /^There is no corpus .*\/bodies\.json; payload\.from is "bodies\.json", and files are looked for beside the scenario\.$/,
    );
    refused('../bodies', folder, /A corpus file ends in \.json, \.ndjson or \.jsonl\.$/);
  });
  test('no such package', (t) => {
    const folder = folderWith(t, {});
    refused(
      'no-such-package-here',
      folder,
      /The package "no-such-package-here" that payload\.from names is not installed\. Run "npm install --no-save no-such-package-here"/,
    );
    refused(
      '@nobody/nothing',
      folder,
      /Run "npm install --no-save @nobody\/nothing" in the folder that you start pushbench in\.$/,
    );
  });
  test('neither such a file nor such a package', (t) => {
    const folder = folderWith(t, {});
    refused(
      '@nobody/nothing/list.json',
      folder,
      /There is no corpus .*list\.json; .* The package "@nobody\/nothing" is not installed either\. Run "npm install --no-save @nobody\/nothing"/,
    );
  });
  test('a package that is code', (t) => {
    refused(
      'yaml',
      folderWith(t, {}),
      /The corpus "yaml" is not JSON: its main file is .*\.js\. Name a package whose main file is JSON/,
    );
  });
  test('nothing in it', (t) => {
    const folder = folderWith(t, {
      'a.json': '[]',
      'b.ndjson': '\n \r\n',
      'c.json': '[{"name":"push","examples":[]}]',
    });
    for (const name of ['a.json', 'b.ndjson', 'c.json'])
      refused(name, folder, new RegExp(`The corpus "${name}" is empty: .* It needs at least one\\.`));
  });
  test('no JSON, and JSON that is no list', (t) => {
    const folder = folderWith(t, { 'a.json': '[1, ', 'b.json': '{"a":1}' });
    refused('a.json', folder, /The corpus "a\.json" is not JSON: .*JSON/);
    refused('b.json', folder, /The corpus "b\.json" is JSON, but not a list/);
  });
  test('more bodies than are kept, and JSON that nests too deep', (t) => {
    const folder = folderWith(t, {
      'a.ndjson': '1\n'.repeat(1_000_001),
      'b.json': `[${'1,'.repeat(1_000_000)}1]`,
      'c.json': `[${'['.repeat(100_000)}${']'.repeat(100_000)}]`,
    });
    for (const name of ['a.ndjson', 'b.json'])
      refused(name, folder, /holds more than 1,000,000 bodies\. Use a part of it\./);
    refused('c.json', folder, /is not JSON: .*or nests its values more than 500 levels deep\.$/);
  });
  test('a file of another kind is not quoted', (t) => {
    const folder = folderWith(t, {
      'a.json': 'root:x:0:0:SECRET',
      'b.json': '["SECRET", SECRET]',
      'c.json': 'SECRET',
    });
    for (const name of ['a.json', 'b.json', 'c.json'])
      refused(name, folder, /^(?!.*(?:SECRET|root)).*is not JSON: expected a JSON list/);
  });
  test('no text', (t) => {
    const folder = folderWith(t, {
      'a.json': Buffer.from([0x5b, 0x22, 0xff, 0xfe, 0x22, 0x5d]),
      'b.ndjson': Buffer.from([0xc3, 0x28]),
    });
    for (const name of ['a.json', 'b.ndjson']) refused(name, folder, /is not text in UTF-8/);
  });
  test('a folder', (t) => {
    const folder = folderWith(t, { 'a.json/inside': '' });
    refused(
      'a.json',
      folder,
      /Cannot read the corpus .*a\.json: it is a folder, and only regular files are read\./,
    );
  });
  test('more than the publisher keeps in memory', (t) => {
    const folder = folderWith(t, { 'a.ndjson': '' });
    truncateSync(join(folder, 'a.ndjson'), 256 * 1024 ** 2 + 1); // a hole, which takes no room on the disk
    refused(
      'a.ndjson',
      folder,
      /a\.ndjson: it has 268,435,457 bytes, and at most 268,435,456 \(256 MiB\) are read: the publisher keeps all bodies in memory\. .*use a part of a larger one\./,
    );
  });
});
