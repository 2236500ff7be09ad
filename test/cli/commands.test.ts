// The command line as a user meets it: what it prints, what it says of mistakes, its exit codes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'vitest';
import { resultSchema } from '../../core/result/result.ts';
import { talk } from '../servers/http/raw-http.ts';
import { resultFolders, start, startScripted, temporaryFolder, writeScenario } from './tools.ts';

test('--help names every command and every exit code', async (t) => {
  const { code, stdout } = await start(['--help'], temporaryFolder(t)).ended;
  assert.equal(code, 0);
  for (const word of ['run', 'serve', 'validate', 'list', 'report', 'Exit codes'])
    assert.match(stdout, new RegExp(word));
});

test('wrong arguments end with exit code 2 and a hint', async (t) => {
  const folder = temporaryFolder(t);
  const rows: [string[], RegExp][] = [
    [['run', '--sett', 'a=b'], /unknown option '--sett'[\s\S]*--set\?/],
    [['run', 'compair'], /no scenario called "compair"; did you mean "compare"\?/],
    [['run', './nothing.yaml'], /Cannot read the scenario \.\/nothing\.yaml/],
    [['run', 'compare', '--set', 'subscriber=5'], /subscribers/],
    [['serve', 'ses'], /no pattern called "ses"; did you mean "sse"\?/],
    [['serve', 'sse', '--port', 'http'], /--port http is not a port/],
    [
      ['serve', 'sse', '--port', '0', '--host', '203.0.113.1'],
      /--host 203\.0\.113\.1 is no address of this machine: give 127\.0\.0\.1/,
    ],
    [
      ['serve', 'sse', '--allow-host', 'https://bench.example'],
      /--allow-host https:\/\/bench\.example is no host: give a name or an address alone, such as bench\.example/,
    ],
    [['open', '.', '--allow-host', '*.example'], /--allow-host \*\.example is no host/],
    [['serve', 'sse', '--set', 'heartbeat'], /write it as option=value/],
    [
      ['serve', 'sse', '--set', 'hartbeat=5s'],
      /options do not fit sse:\n {2}hartbeat: unknown key; did you mean "heartbeat"\?/,
    ],
    [
      ['serve', 'sse', '--set', 'heartbeat=5', '--set', 'over=h3'],
      /over: expected one of h1, h2, h2c; got "h3"\n {2}heartbeat: expected a duration with its unit.*; got 5/,
    ],
    [['report', 'nothing.json'], /nothing\.json/],
    [['validate'], /missing required argument/],
  ];
  for (const [args, message] of rows) {
    const { code, stderr } = await start(args, folder).ended;
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /, "no stack trace for a user's mistake");
  }
});

test('list and validate say what each scenario asks', async (t) => {
  const folder = temporaryFolder(t);
  const list = await start(['list'], folder).ended;
  assert.equal(list.code, 0);
  assert.match(list.stdout, /compare/);
  assert.match(list.stdout, /github-webhooks/);
  const wrong = join(folder, 'wrong.yaml');
  writeFileSync(wrong, 'question: What?\nsubscribrs: 5\ntopics: { news: { publish: 5 } }\n');
  const { code, stdout, stderr } = await start(['validate', 'compare', wrong], folder).ended;
  assert.equal(code, 2);
  assert.match(stdout, /compare/);
  assert.match(stderr, /wrong\.yaml:2:1[\s\S]*subscribers/);
  assert.match(stderr, /wrong\.yaml:3:/, 'every mistake at once');
});

test(
  'a run writes result and report, prints the table, and ' + 'both can be had again from the result',
  async (t) => {
    const folder = temporaryFolder(t);
    const end = await startScripted(
      ['run', writeScenario(folder, 'variants: [sse, websocket]\nexpect: [missed == 0]')],
      folder,
    ).ended;
    assert.equal(end.code, 0, end.stdout + end.stderr);
    assert.match(end.stdout, /sse[\s\S]*websocket[\s\S]*Report: results\//);
    const [runFolder] = resultFolders(folder);
    const result = resultSchema.parse(JSON.parse(readFileSync(join(runFolder!, 'result.json'), 'utf8')));
    assert.equal(result.trials.length, 2);
    assert.deepEqual(
      result.expectations.map(({ held }) => held),
      result.trials.map(({ outcome }) => outcome.valid),
    );
    const again = join(folder, 'again.html');
    const report = await start(['report', runFolder!, runFolder!, '--out', again], folder).ended;
    assert.equal(report.code, 0, report.stderr);
    assert.ok(existsSync(again));
    assert.ok(existsSync(join(runFolder!, 'report.html')));
  },
);

test(
  '--json prints the result and nothing else on standard ' + 'output; --quiet prints nothing while it runs',
  async (t) => {
    const folder = temporaryFolder(t);
    const end = await startScripted(
      ['run', writeScenario(folder, 'variants: [sse]'), '--json', '--quiet'],
      folder,
    ).ended;
    assert.equal(end.code, 0, end.stdout + end.stderr);
    assert.equal(resultSchema.parse(JSON.parse(end.stdout)).trials.length, 1);
    assert.equal(end.stderr, '');
  },
);

test('an expectation that fails is shown with the measured value, and the exit code is 1', async (t) => {
  const folder = temporaryFolder(t);
  const end = await startScripted(
    ['run', writeScenario(folder, 'variants: [sse]\nexpect: [latency.p50 < 1us]')],
    folder,
  ).ended;
  assert.equal(end.code, 1, end.stdout + end.stderr);
  assert.match(end.stdout, /latency\.p50 < 1us/);
});

test('results that cannot be written are noticed before the run', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'results'), 'a file in the place of the folder');
  const { code, stderr } = await start(['run', writeScenario(folder)], folder).ended;
  assert.equal(code, 3);
  assert.match(stderr, /Cannot write results below results: .*--results DIR/);
});

/**
 * A disk of its own, for the length of the test; undefined where none can be mounted, which skips the test.
 */
function smallDisk(t: TestContext, size: string): string | undefined {
  const disk = mkdtempSync(join(tmpdir(), 'pushbench-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    rmdirSync(disk);
    t.skip('a small disk can only be mounted as root');
    return undefined;
  }
  t.onTestFinished(() => {
    execFileSync('umount', [disk]);
    rmdirSync(disk);
  });
  return disk;
}

test('a full disk is noticed before the run', async (t) => {
  const folder = temporaryFolder(t);
  const disk = smallDisk(t, '1m');
  if (!disk) return;
  const { code, stderr } = await start(['run', writeScenario(folder), '--results', disk], folder).ended;
  assert.equal(code, 3);
  assert.match(stderr, /1 MiB are free where results are written.*Free some space/);
});

test('a results folder that cannot be is told in a sentence, at once', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('nowhere', join(folder, 'dangling'));
  symlinkSync('loop', join(folder, 'loop'));
  // Below /proc Node's own recursive mkdir goes round for ever.
  for (const results of [
    '/proc/pushbench/results',
    'file/results',
    'dangling',
    'loop/results',
    '/dev/full',
    `${'n'.repeat(300)}/results`,
  ]) {
    const end = start(['run', writeScenario(folder, 'variants: [sse]'), '--results', results], folder);
    const limit = setTimeout(() => end.child.kill('SIGKILL'), 30_000);
    const { code, stderr } = await end.ended;
    clearTimeout(limit);
    assert.equal(code, 3, `${results}: ${stderr}`);
    assert.match(stderr, /Cannot write results below .*--results DIR/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});

for (const [what, spoil] of [
  ['becomes read-only', (disk: string) => execFileSync('mount', ['-o', 'remount,ro', disk])],
  [
    'is removed and a file put in its place',
    (disk: string) => {
      for (const name of readdirSync(disk)) {
        rmSync(join(disk, name), { recursive: true });
        writeFileSync(join(disk, name), '');
      }
    },
  ],
] as const) {
  test(
    `a results folder that ${what} in the middle of a run: ` + 'all that was measured is kept elsewhere',
    async (t) => {
      const folder = temporaryFolder(t);
      const disk = smallDisk(t, '40m');
      if (!disk) return;
      const run = start(
        ['run', writeScenario(folder, 'variants: [sse, websocket]', '3s'), '--results', disk],
        folder,
      );
      await run.saw(/\[2\/2\] websocket: measuring/);
      spoil(disk);
      const { code, stdout, stderr } = await run.ended;
      assert.equal(code, 3, stderr);
      assert.match(stderr, new RegExp(`Cannot write ${disk}/.*result\\.json`));
      assert.doesNotMatch(stderr, /\n\s+at /);
      assert.match(stdout, /sse[\s\S]*websocket/, 'the table is printed');
      const [, elsewhere] = /All that was measured is in (\S+) instead/.exec(stderr) ?? [];
      t.onTestFinished(() => rmSync(elsewhere!, { recursive: true }));
      assert.equal(
        resultSchema.parse(JSON.parse(readFileSync(join(elsewhere!, 'result.json'), 'utf8'))).trials.length,
        2,
      );
      assert.ok(existsSync(join(elsewhere!, 'report.html')));
    },
  );
}

test(
  'a disk that fills up in the middle of a run costs what ' + 'comes then, not what was measured before',
  async (t) => {
    const folder = temporaryFolder(t);
    const disk = smallDisk(t, '40m');
    if (!disk) return;
    const run = start(
      ['run', writeScenario(folder, 'variants: [sse, websocket]', '3s'), '--results', disk],
      folder,
    );
    await run.saw(/\[2\/2\] websocket: measuring/);
    assert.throws(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(64 * 1024 ** 2)), {
      code: 'ENOSPC',
    });
    const { code, stderr } = await run.ended;
    assert.equal(code, 3);
    assert.match(stderr, /Cannot write .*ENOSPC.*Free some space/);
    const [, elsewhere] = /All that was measured is in (\S+) instead/.exec(stderr) ?? [];
    t.onTestFinished(() => rmSync(elsewhere!, { recursive: true }));
    const [, kept] = /What was measured before is kept: (\S+)/.exec(stderr) ?? [];
    assert.equal(
      resultSchema.parse(JSON.parse(readFileSync(resolve(folder, kept!), 'utf8'))).trials.length,
      1,
    );
  },
);

test(
  'more subscribers than descriptors are refused with the ' + 'shortfall and the command that mends it',
  async (t) => {
    const folder = temporaryFolder(t);
    const scenario = writeScenario(folder, 'variants: [sse]');
    const limited: [string, ...string[]] = [
      'sh',
      '-c',
      'ulimit -n 256; exec "$@"',
      'sh',
      process.execPath,
      join(process.cwd(), 'cli/main.ts'),
    ];
    const { code, stderr } = await start(['run', scenario, '--set', 'subscribers=1000'], folder, limited)
      .ended;
    assert.equal(code, 3);
    assert.match(
      stderr,
      /needs 1,064 file descriptors .* limit is 256: short of 808\. Raise it with "ulimit -n 1064"/,
    );
  },
);

test('serve runs one server with a curl line for each endpoint, until it is told to stop', async (t) => {
  const server = start(['serve', 'sse', '--port', '0'], temporaryFolder(t));
  await server.saw(/Ctrl-C ends it/);
  server.child.kill('SIGINT');
  const { code, stdout } = await server.ended;
  assert.equal(code, 0);
  assert.match(stdout, /curl .*\/events/);
  assert.match(stdout, /curl .*\/topics\//);
});

test('serve and open answer to a name that was added, and to no other', async (t) => {
  for (const args of [
    ['serve', 'polling'],
    ['open', '.'],
  ]) {
    const server = start(
      [...args, '--port', '0', '--allow-host', 'bench.example', '--allow-host', 'Other.example'],
      temporaryFolder(t),
    );
    let said = '';
    server.child.stdout!.on('data', (text: string) => (said += text));
    await server.saw(/Ctrl-C ends it/);
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said)!;
    for (const [host, status] of [
      ['bench.example', 200],
      ['other.example:8080', 200],
      ['localhost', 200],
      ['evil.example', 421],
    ] as const) {
      assert.match(
        await talk(url, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
        new RegExp(`^HTTP/1\\.1 ${status} `),
        `${args.join(' ')} ${host}`,
      );
    }
    server.child.kill('SIGINT');
    assert.equal((await server.ended).code, 0);
  }
});

test('serve on a taken port says so', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  t.onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const { code, stderr } = await start(['serve', 'polling', '--port', String(port)], temporaryFolder(t))
    .ended;
  assert.equal(code, 3);
  assert.match(stderr, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is taken`));
});

test('serve webhook prints its dashboard; to other machines with the token that they need', async (t) => {
  for (const [host, dashboard] of [
    ['127.0.0.1', /\nDashboard: http:\/\/127\.0\.0\.1:\d+\/dashboard\n/],
    ['0.0.0.0', /\nDashboard: http:\/\/0\.0\.0\.0:\d+\/dashboard\?token=[\w-]{32}\n/],
  ] as const) {
    const server = start(['serve', 'webhook', '--port', '0', '--host', host], temporaryFolder(t));
    await server.saw(/Ctrl-C ends it/);
    server.child.kill('SIGINT');
    const { code, stdout } = await server.ended;
    assert.equal(code, 0);
    assert.match(stdout, dashboard);
  }
});
