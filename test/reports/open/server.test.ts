// `pushbench open` on a real socket: what it shows, and what it gives to nobody: files outside the folder, by
// whatever spelling or link, and answers to pages that come by another name.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test, type TestContext } from 'vitest';
import { renderHtml } from '../../../reports/page/report.ts';
import { markdownBlocks } from '../../../reports/open/docs.ts';
import { serveArchive } from '../../../reports/open/server.ts';
import { rawClient, talk } from '../../servers/http/raw-http.ts';
import { writeAb } from '../ab-folder.ts';
import { fixtureResult } from '../fixture.ts';

type Reply = { status: number; headers: Record<string, string | string[] | undefined>; body: string };

/** The path goes out as it is written, unlike with fetch. */
function ask(
  url: string,
  path: string,
  { method = 'GET', ...headers }: Record<string, string> = {},
): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    });
    asked.on('error', reject).end();
  });
}

async function opened(t: TestContext): Promise<{ url: string; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-open-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  const root = join(folder, 'results');
  const write = (name: string, text: string) => {
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, name, 'result.json'), text);
  };
  write('first', JSON.stringify(fixtureResult({ measureS: 2 })));
  write('second', JSON.stringify(fixtureResult({ seed: 2, measureS: 2, trouble: true })));
  write('<img src=x>', '{"cut');
  mkdirSync(join(root, 'no-result'));
  writeFileSync(join(folder, 'secret.txt'), 'SECRET');
  mkdirSync(join(folder, 'outside'));
  writeFileSync(
    join(folder, 'outside', 'result.json'),
    JSON.stringify({ ...fixtureResult({ measureS: 1 }), command: 'SECRET' }),
  );
  symlinkSync(join(folder, 'outside'), join(root, 'linked'));
  mkdirSync(join(root, 'linked-file'));
  symlinkSync(join(folder, 'outside', 'result.json'), join(root, 'linked-file', 'result.json'));
  symlinkSync(join(folder, 'secret.txt'), join(root, 'first', 'report.html'));
  const server = await serveArchive(root, pathToFileURL(`${process.cwd()}/docs/`), 0);
  t.onTestFinished(server.close);
  return { url: server.url, folder };
}

test(
  'the index lists runs, newest first, with answer, ' + 'verdicts and links that all lead somewhere',
  async (t) => {
    const { url } = await opened(t);
    const { status, headers, body } = await ask(url, '/');
    assert.equal(status, 200);
    assert.match(String(headers['content-security-policy']), /default-src 'none'/);
    assert.ok(body.indexOf('/runs/second/') < body.indexOf('/runs/first/'));
    assert.match(body, /With 100 subscribers and 10 events a second, /);
    assert.match(body, /<span class="bad">4 of 6 trials count<\/span>/);
    assert.match(body, /<span class="good">11 of 11 expectations held<\/span>/);
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

test('what ab stored stands among the runs, with its verdict, its forms and its two sides', async (t) => {
  const { url, folder } = await opened(t);
  writeAb(join(folder, 'results', 'ab-compare'));
  const { body } = await ask(url, '/');
  assert.ok(body.indexOf('/runs/ab-compare/') < body.indexOf('/runs/second/'), 'the newest stands first');
  assert.match(body, /compare: &lt;b&gt;new against old<\/a>/);
  assert.match(
    body,
    /<span class="(?:good|bad)">\d+ of \d+ (?:pairs|runs) count<\/span><\/td><td><span class="\w+">(?:slower|not slower|inconclusive|invalid)<\/span>/,
  );
  assert.doesNotMatch(body, /<b>new/);
  const rows: [string, RegExp, RegExp][] = [
    ['report.html', /text\/html/, /<h1>compare: &lt;b&gt;new against old<\/h1>[\s\S]*Latency of sse/],
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

test('a comparison that cannot be read says why', async (t) => {
  const { url, folder } = await opened(t);
  const rows: [string, string, RegExp][] = [
    ['cut', '{"format"', /comparison\.json is not whole JSON/],
    ['other', '{"format":"pushbench-result","version":1}', /not a comparison of pushbench/],
    [
      'newer',
      '{"format":"pushbench-comparison","version":99}',
      /has version 99 of the comparison format, and this pushbench reads 2\. Its two sides can be compared anew/,
    ],
    ['holed', '{"format":"pushbench-comparison","version":2}', /does not hold together:[\s\S]*at createdAt/],
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

test(
  'two ticked runs are compared, the newer against the older; a ' +
    'scenario run more than once has a history',
  async (t) => {
    const { url } = await opened(t);
    const index = (await ask(url, '/')).body;
    assert.match(index, /formaction="\/compare"/);
    assert.match(index, /<a href="\/history\/compare">compare<\/a>, 2 runs/);
    for (const order of ['run=first&run=second', 'run=second&run=first']) {
      const { status, body } = await ask(url, `/compare?${order}`);
      assert.equal(status, 200);
      assert.match(body, /<h1>compare: second against first<\/h1>/);
      assert.match(body, /<b class="bad">Advisory<\/b>/);
    }
    for (const [query, said] of [
      ['', 'none was'],
      ['?run=first', 'one was'],
      ['?run=first&run=second&run=first', '3 were'],
    ]) {
      const { status, body } = await ask(url, `/compare${query}`);
      assert.equal(status, 400);
      assert.match(body, new RegExp(`takes two runs, and ${said} ticked`));
    }
    assert.equal((await ask(url, '/compare?run=first&run=none')).status, 404);
    const history = await ask(url, '/history/compare');
    assert.match(history.body, /<h1>compare over its saved runs<\/h1>/);
    assert.match(history.body, /<th scope="row">first<\/th>/);
    for (const path of ['/history/nothing', '/history/', '/history', '/history/compare/more', '/compare/x'])
      assert.equal((await ask(url, path)).status, 404, path);
  },
);

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

test(
  'another name for this address gets nothing, nor do pages of ' +
    'another origin, and nothing but reading is done',
  async (t) => {
    const { url, folder } = await opened(t);
    const { port } = new URL(url);
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      '192.168.1.5',
      '0.0.0.0',
    ]) {
      const { status, body } = await ask(url, '/', { host });
      assert.equal(status, 421, host);
      assert.match(body, /--allow-host/);
      assert.doesNotMatch(body, /runs\//);
    }
    assert.equal((await ask(url, '/', { host: `user@127.0.0.1:${port}` })).status, 400, 'no host at all');
    // Another port is that of a forwarded one.
    for (const host of [`LOCALHOST:${port}`, '127.0.0.1', `[::1]:${Number(port) + 1}`])
      assert.equal((await ask(url, '/', { host })).status, 200, host);
    const foreign = ['https://evil.example', 'null', 'http://localhost:1'].map(
      (origin): Record<string, string> => ({ origin }),
    );
    for (const headers of [
      ...foreign,
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
    ]) {
      const reply = await ask(url, '/runs/first/result.json', { ...headers });
      assert.deepEqual(
        [reply.status, reply.headers['access-control-allow-origin']],
        [403, undefined],
        JSON.stringify(headers),
      );
    }
    assert.equal(
      (
        await ask(url, '/', {
          'sec-fetch-site': 'cross-site',
          'sec-fetch-mode': 'navigate',
          'sec-fetch-dest': 'document',
        })
      ).status,
      200,
      'a link leads in',
    );
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await ask(url, '/', { method });
      assert.equal(status, 405);
      assert.equal(headers['allow'], 'GET, HEAD');
    }
    assert.match(
      await talk(url, `GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n`),
      /^HTTP\/1\.1 400 /,
    );
    const named = await serveArchive(join(folder, 'results'), pathToFileURL(`${folder}/`), 0, [
      'bench.example',
    ]);
    t.onTestFinished(named.close);
    assert.equal(
      (await ask(named.url, '/', { host: 'bench.example', origin: 'https://bench.example' })).status,
      200,
      'behind a proxy with TLS',
    );
    const head = await ask(url, '/runs/first/csv', { method: 'HEAD' });
    assert.equal(head.body, '');
    assert.equal(
      Number(head.headers['content-length']),
      Buffer.byteLength((await ask(url, '/runs/first/csv')).body),
    );
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
    assert.match((await ask(url, '/side-by-side')).body, /No run was ticked/);
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

test('Markdown of the documentation becomes HTML, and nothing in it more than that', () => {
  const markup = (text: string) =>
    markdownBlocks(text, '/docs/patterns/')
      .map((block) => block.markup)
      .join('\n');
  const rows: [string, string][] = [
    [
      '# A `b` <c>\ntext **bold `code`**',
      '<h1>A <code>b</code> &lt;c&gt;</h1>\n<p>text <b>bold <code>code</code></b></p>',
    ],
    ['- one\n- two\n  more', '<ul><li>one</li><li>two\n  more</li></ul>'],
    ['1. one\n2. two', '<ol><li>one</li><li>two</li></ol>'],
    [
      '```http\nGET / <x>\n\n# no heading\n```',
      '<pre tabindex="0"><code>GET / &lt;x&gt;\n\n# no heading</code></pre>',
    ],
    ['<!-- left\n\nout -->\nkept', '<p>kept</p>'],
    [
      '[a](sse.md) [b](../wire.md) [c](../../README.md) [d](https://e.example/?a=1&b) ' +
        '[f](javascript:alert(1)) ![g](h.png)',
      '<p><a href="/docs/patterns/sse" rel="noreferrer">a</a> <a href="/docs/wire" ' +
        'rel="noreferrer">b</a> c <a href="https://e.example/?a=1&amp;b" rel="noreferrer">d</a> f) g</p>',
    ],
  ];
  for (const [text, expected] of rows) assert.equal(markup(text), expected);
  assert.match(
    markup('| a | b |\n| --- | --: |\n| `x` | 1 |'),
    /<th scope="col">b<\/th>.*<td><code>x<\/code><\/td><td>1<\/td>/,
  );
});

test(
  'malformed requests get nothing, an absolute target has its own host, ' +
    'and who says nothing makes room for others',
  async (t) => {
    const { url } = await opened(t);
    const { host } = new URL(url);
    const get = (target: string, fields: string) =>
      talk(url, `GET ${target} HTTP/1.1\r\nconnection: close\r\n${fields}\r\n\r\n`);
    assert.match(await get('/', `host: ${host}`), /^HTTP\/1\.1 200 /);
    assert.match(await get('/', `host: ${host}\r\nhost: ${host}`), /^HTTP\/1\.1 400 /);
    assert.match(await get('/', 'x: y'), /^HTTP\/1\.1 400 /);
    assert.match(await get('/', `host: ${host}\r\ntransfer-encoding: gzip, chunked`), /^HTTP\/1\.1 501 /);
    assert.match(await get(`http://${host}/`, 'host: evil.example'), /^HTTP\/1\.1 200 /);
    assert.match(await get('http://evil.example/', `host: ${host}`), /^HTTP\/1\.1 421 /);
    const silent = await Promise.all(Array.from({ length: 300 }, () => rawClient(url)));
    t.onTestFinished(() => silent.forEach(({ socket }) => socket.destroy()));
    assert.equal((await ask(url, '/')).status, 200);
  },
);

test(
  'what is asked for one behind another is made one after ' +
    'another, and too much of it ends the connection',
  async (t) => {
    const { url } = await opened(t);
    const pipelined = async (times: number) => {
      const { hostname, port } = new URL(url);
      const socket = connect({ host: hostname, port: Number(port) });
      let text = '';
      socket
        .setEncoding('latin1')
        .on('data', (piece: string) => (text += piece))
        .on('error', () => {}); // a cut is an end like others
      const get = (more: string) =>
        `GET /runs/first/result.json HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${more}\r\n`;
      socket.write(get('').repeat(times - 1) + get('Connection: close\r\n'));
      await new Promise((resolve) => socket.once('close', resolve));
      return [...text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => status);
    };
    assert.deepEqual(
      await pipelined(50),
      Array.from({ length: 50 }, () => '200'),
    );
    assert.deepEqual(await pipelined(500), []);
    assert.equal((await ask(url, '/')).status, 200);
  },
);
