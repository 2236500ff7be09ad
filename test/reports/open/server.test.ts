// Opens a folder of results and reads what `pushbench open` shows of it: the index, every form of a run, and
// runs side by side.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'vitest';
import { serveArchive } from '../../../reports/open/server.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { fixtureResult } from '../fixture.ts';
import { ask, opened } from './opened-archive.ts';

test(
  'the index lists runs, newest first, with answer, ' + 'verdicts and links that all lead somewhere',
  async (t) => {
    const { url } = await opened(t);
    const { status, headers, body } = await ask(url, '/');
    assert.equal(status, 200);
    assert.match(String(headers['content-security-policy']), /default-src 'none'/);
    assert.ok(body.indexOf('/runs/second/') < body.indexOf('/runs/first/'));
    assert.match(body, /With 100 subscribers and 10 events a second, /);
    assert.match(body, /<span class="bad">4 of 6 trials valid<\/span>/);
    assert.match(body, /<span class="good">All 11 expectations held<\/span>/);
    assert.match(body, /&lt;img src=x&gt;<\/th>.*cannot be read:.*not whole JSON/s);
    assert.doesNotMatch(body, /<img|no-result|>linked</);
    assert.match(body, /linked-file.*is a link/);
    const links = [...body.matchAll(/href="([^"]+)"/g)].map(([, href]) => href!);
    assert.ok(links.length >= 14);
    for (const href of new Set(links)) assert.equal((await ask(url, href)).status, 200, href);
  },
);

test(
  'forms are made when asked for, a report too where none ' + 'was written; the written one stands',
  async (t) => {
    const { url, folder } = await opened(t);
    const rows: [string, RegExp, RegExp][] = [
      ['report.html', /text\/html/, /<!doctype html>/],
      ['result.json', /application\/json/, /^\{"format":"pushbench-result"/],
      ['markdown', /text\/markdown/, /^## pushbench/],
      ['junit', /application\/xml/, /<testsuites/],
      ['csv', /text\/csv/, /^scenario,/],
      ['hlog', /text\/plain/, /^#\[/],
      ['hgrm', /text\/html/, /\?variant=sse/],
      ['hgrm?variant=sse', /text\/plain/, /Value {5}Percentile/],
    ];
    for (const [file, type, begins] of rows) {
      const { status, headers, body } = await ask(url, `/runs/second/${file}`);
      assert.equal(status, 200, file);
      assert.match(String(headers['content-type']), type);
      assert.match(body, begins);
    }
    writeFileSync(
      join(folder, 'results', 'second', 'report.html'),
      `WRITTEN ${await renderHtml([fixtureResult({ measureS: 1 })], { interactive: false })}`,
    );
    const written = await ask(url, '/runs/second/report.html');
    assert.match(written.body, /^WRITTEN/);
    assert.match(written.body, /<a class="doc" href="\/docs\/patterns\/sse">docs\/patterns\/sse\.md<\/a>/);
    const both = await ask(url, '/side-by-side?run=first&run=second');
    assert.match(both.body, /sse \(10:00:01\)[\s\S]*sse \(10:00:02\)/);
  },
);

test(
  'two selected runs are compared, the newer against the older; a ' +
    'scenario run more than once has a history',
  async (t) => {
    const { url } = await opened(t);
    const index = (await ask(url, '/')).body;
    assert.match(index, /formaction="\/compare"/);
    assert.match(index, /<a href="\/history\/compare">compare<\/a>, 2 runs/);
    for (const order of ['run=first&run=second', 'run=second&run=first']) {
      const { status, body } = await ask(url, `/compare?${order}`);
      assert.equal(status, 200);
      assert.match(body, /<p class="question">compare: second against first<\/p>/);
      assert.match(body, /<b class="bad">Advisory<\/b>/);
    }
    for (const [query, said] of [
      ['', 'none was'],
      ['?run=first', 'one was'],
      ['?run=first&run=second&run=first', '3 were'],
    ]) {
      const { status, body } = await ask(url, `/compare${query}`);
      assert.equal(status, 400);
      assert.match(body, new RegExp(`needs two runs, and ${said} selected`));
    }
    assert.equal((await ask(url, '/compare?run=first&run=none')).status, 404);
    const history = await ask(url, '/history/compare');
    assert.match(history.body, /<p class="question">compare over its saved runs<\/p>/);
    assert.match(history.body, /<th scope="row">first<\/th>/);
    for (const path of ['/history/nothing', '/history/', '/history', '/history/compare/more', '/compare/x'])
      assert.equal((await ask(url, path)).status, 404, path);
  },
);

test(
  'a result that cannot be read says why, too many side by side ' +
    'are refused, an empty folder says what to do',
  async (t) => {
    const { url, folder } = await opened(t);
    const broken = await ask(url, `/runs/${encodeURIComponent('<img src=x>')}/csv`);
    assert.equal(broken.status, 422);
    assert.match(broken.body, /not whole JSON/);
    assert.doesNotMatch(broken.body, /<img/);
    assert.equal((await ask(url, `/side-by-side?${'run=first&'.repeat(9)}`)).status, 400);
    assert.match((await ask(url, '/side-by-side')).body, /No run was selected/);
    mkdirSync(join(folder, 'empty'));
    const empty = await serveArchive(join(folder, 'empty'), pathToFileURL(`${folder}/`), 0);
    t.onTestFinished(empty.close);
    assert.match((await ask(empty.url, '/')).body, /No runs yet[\s\S]*pushbench run/);
    const single = await serveArchive(join(folder, 'results', 'second'), pathToFileURL(`${folder}/`), 0);
    t.onTestFinished(single.close);
    assert.equal(
      (await ask(single.url, '/runs/second/markdown')).status,
      200,
      'the folder of one run will do',
    );
  },
);
