// Opens folders in which `ab` stored a comparison: what is shown of one, and of one that cannot be read.

import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'vitest';
import { serveArchive } from '../../../reports/open/server.ts';
import { writeAb } from '../ab-folder.ts';
import { ask, opened } from './opened-archive.ts';

test('what ab stored stands among the runs, with its verdict, its forms and its two sides', async (t) => {
  const { url, folder } = await opened(t);
  writeAb(join(folder, 'results', 'ab-compare'));
  const { body } = await ask(url, '/');
  assert.ok(body.indexOf('/runs/ab-compare/') < body.indexOf('/runs/second/'), 'the newest stands first');
  assert.match(body, /compare: &lt;b&gt;new against old<\/a>/);
  assert.match(
    body,
    /<span class="(?:good|bad)">\d+ of \d+ (?:pairs|runs) valid<\/span><\/td><td><span class="\w+">(?:slower|worse|not slower|undecided|not judged)<\/span>/,
  );
  assert.doesNotMatch(body, /<b>new/);
  const rows: [string, RegExp, RegExp][] = [
    [
      'report.html',
      /text\/html/,
      /<p class="question">compare: &lt;b&gt;new against old<\/p>[\s\S]*Latency of sse/,
    ],
    ['comparison.json', /application\/json/, /^\{"format":"pushbench-comparison"/],
    ['markdown', /text\/markdown/, /^##? /m],
    ['junit', /application\/xml/, /<testsuites/],
    ['baseline.html', /text\/html/, /<!doctype html>/],
    ['candidate.html', /text\/html/, /<!doctype html>/],
  ];
  for (const [file, type, begins] of rows) {
    const reply = await ask(url, `/runs/ab-compare/${file}`);
    assert.equal(reply.status, 200, file);
    assert.match(String(reply.headers['content-type']), type);
    assert.match(reply.body, begins);
  }
  writeFileSync(join(folder, 'results', 'ab-compare', 'report.html'), 'WRITTEN');
  assert.equal((await ask(url, '/runs/ab-compare/report.html')).body, 'WRITTEN');
  for (const file of ['result.json', 'csv', 'hlog', 'nothing'])
    assert.equal((await ask(url, `/runs/ab-compare/${file}`)).status, 404, file);
  // A single such folder can be opened too.
  const single = await serveArchive(
    join(folder, 'results', 'ab-compare'),
    pathToFileURL(`${process.cwd()}/docs/`),
    0,
  );
  t.onTestFinished(single.close);
  assert.match((await ask(single.url, '/')).body, /1 run, newest first[\s\S]*new against old/);
  // An arm that is a link to elsewhere is none, nor is a comparison.
  rmSync(join(folder, 'results', 'ab-compare', 'baseline'), { recursive: true });
  symlinkSync(join(folder, 'outside'), join(folder, 'results', 'ab-compare', 'baseline'));
  assert.equal((await ask(url, '/runs/ab-compare/baseline.html')).status, 404);
  rmSync(join(folder, 'results', 'ab-compare', 'comparison.json'));
  symlinkSync(join(folder, 'secret.txt'), join(folder, 'results', 'ab-compare', 'comparison.json'));
  assert.equal((await ask(url, '/runs/ab-compare/comparison.json')).status, 404);
  assert.match((await ask(url, '/')).body, /ab-compare<\/th>.*comparison\.json is a link/s);
});

test('a comparison that cannot be read says why', async (t) => {
  const { url, folder } = await opened(t);
  const rows: [string, string, RegExp][] = [
    ['cut', '{"format"', /comparison\.json is not whole JSON/],
    ['other', '{"format":"pushbench-result","version":1}', /not a comparison of pushbench/],
    [
      'newer',
      '{"format":"pushbench-comparison","version":99}',
      /has version 99 of the comparison format, and this pushbench reads up to 3\. Its two sides can be compared again/,
    ],
    ['holed', '{"format":"pushbench-comparison","version":2}', /is not valid:[\s\S]*at createdAt/],
  ];
  for (const [name, text, why] of rows) {
    mkdirSync(join(folder, 'results', name));
    writeFileSync(join(folder, 'results', name, 'comparison.json'), text);
    const reply = await ask(url, `/runs/${name}/report.html`);
    assert.equal(reply.status, 422);
    assert.match(reply.body, why);
    assert.match((await ask(url, '/')).body, why);
  }
});
