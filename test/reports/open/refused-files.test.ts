// Asks `pushbench open` for files that it must not give: too large ones, those of another kind, and those
// outside the folder, by whatever spelling or link.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { ask, opened } from './opened-archive.ts';

test(
  'what is larger than its limit is named in the index, skipped ' +
    'elsewhere, and answered 413 with the limit',
  async (t) => {
    const { url, folder } = await opened(t);
    const large = (...path: string[]) => {
      const file = join(folder, 'results', ...path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, '');
      truncateSync(file, 70 * 1024 ** 2); // a hole, which takes no room on the disk
    };
    large('large', 'result.json');
    large('large-ab', 'comparison.json');
    large('second', 'report.html');
    execFileSync('mkfifo', [join(folder, 'results', 'linked-file', 'report.html')]);
    const index = await ask(url, '/');
    for (const name of ['large', 'large-ab'])
      assert.match(
        index.body,
        new RegExp(
          `>${name}</th>.*cannot be read:.* it has 73,400,320 bytes, ` +
            'and at most 67,108,864 \\(64 MiB\\) are read',
        ),
      );
    for (const path of [
      'large/result.json',
      'large/report.html',
      'large/csv',
      'large-ab/report.html',
      'large-ab/comparison.json',
      'second/report.html',
    ]) {
      const { status, body } = await ask(url, `/runs/${path}`);
      assert.equal(status, 413, path);
      assert.match(
        body,
        /<p class="headline">\S+ is not read: it has 73,400,320 bytes, and at most 67,108,864 \(64 MiB\) are read: /,
      );
    }
    for (const path of ['/side-by-side?run=first&run=large', '/compare?run=first&run=large'])
      assert.equal((await ask(url, path)).status, 413, path);
    assert.equal((await ask(url, '/history/compare')).status, 200);
    assert.equal((await ask(url, '/runs/linked-file/report.html')).status, 404, 'a pipe is not waited for');
  },
);

test('a result that is another file is told so without being quoted', async (t) => {
  const { url, folder } = await opened(t);
  for (const [name, text] of [
    ['passwd', 'root:SECRET:0:0:/root\n'],
    ['other', '{"SECRET":"SECRET","format":"SECRET"}'],
    ['deep', '['.repeat(100_000)],
    ['binary', 'SECRET\0'],
  ] as const) {
    mkdirSync(join(folder, 'results', name));
    writeFileSync(join(folder, 'results', name, 'result.json'), text);
    const { status, body } = await ask(url, `/runs/${name}/report.html`);
    assert.equal(status, 422, name);
    assert.doesNotMatch(body, /SECRET/);
  }
  assert.doesNotMatch((await ask(url, '/')).body, /SECRET/);
});

test('no spelling of a path leads out of the folder, no link is followed', async (t) => {
  const { url } = await opened(t);
  const names = [
    '..',
    '%2e%2e',
    '.',
    '..%2foutside',
    '%2e%2e%2foutside',
    '..%5coutside',
    'first%2f..%2f..%2foutside',
    'linked',
    'linked-file',
    'first%00',
    '%2fetc',
    '..;',
    'no-result',
    '__proto__',
    '',
  ];
  const paths = [
    ...names.flatMap((name) =>
      ['result.json', 'report.html', 'csv', 'markdown'].map((file) => `/runs/${name}/${file}`),
    ),
    ...names.map((name) => `/side-by-side?run=${name}`),
    '/../secret.txt',
    '/runs/../../secret.txt',
    '/runs/first/../../../secret.txt',
    '/runs/first/%2e%2e/%2e%2e/%2e%2e/secret.txt',
    '/runs/first/..%2f..%2f..%2fsecret.txt',
    '/docs/..%2f..%2fpackage.json',
    '/docs/patterns/..%2f..%2fREADME',
    '/docs/../package.json',
    '/docs/images/report',
    '//etc/passwd',
    `${url}../secret.txt`,
    '/runs/first/result.json/',
    '/runs/first/constructor',
    '/runs/first',
    '/nothing',
  ];
  for (const path of paths) {
    const { status, body } = await ask(url, path);
    assert.ok(status === 404 || status === 400, `${path}: ${status}`);
    assert.doesNotMatch(body, /SECRET|root:|"dependencies"/, path);
  }
  // The report that is a link to elsewhere counts as none: one is made.
  const made = await ask(url, '/runs/first/report.html');
  assert.equal(made.status, 200);
  assert.doesNotMatch(made.body, /SECRET/);
  assert.equal((await ask(url, '/runs/%zz/result.json')).status, 400);
});
