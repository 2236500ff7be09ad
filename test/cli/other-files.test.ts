// Every command that reads files by name, given files that are none of its own: a sentence, at once, and
// nothing of the file in it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { baselineFormat } from '../../core/comparison/baseline.ts';
import { UserError } from '../../core/base/errors.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { prepare } from '../../harness/run/run.ts';
import { openTarget } from '../../harness/target/open.ts';
import { readHistory } from '../../reports/history/read.ts';
import { readEach, readResults } from '../../reports/read/read-many.ts';
import { readComparison, readResult } from '../../reports/read/read.ts';
import { checkBaseline, listBaselines } from '../../cli/baseline.ts';
import { claimsCommand } from '../../cli/claims.ts';
import { openScenario } from '../../api/scenarios.ts';
import { fixtureResult } from '../reports/fixture.ts';
import { call, temporaryFolder } from './tools.ts';

const secret = 'hunter2-SECRET';
const deep = '['.repeat(100_000);

/** By name; each either holds the secret or has no end. */
const texts: Record<string, string | Buffer> = {
  passwd: `root:${secret}:0:0:root:/root:/bin/bash\n${secret}:x:1:1::/:\n`,
  key: `-----BEGIN PRIVATE KEY-----\n${secret}vQIBADANBgkqhkiG9w0\n-----END PRIVATE KEY-----\n`,
  'settings.yaml': `password: ${secret}\nname: ${secret}\nurl: ${secret}\n${secret}: 1\n`,
  'settings.json': JSON.stringify({ token: secret, format: secret, version: secret, [secret]: 1 }),
  'list.json': JSON.stringify([secret, { [secret]: secret }]),
  env: `TOKEN="${secret}\\q"\n`,
  zero: Buffer.from(`question: ${secret}\0`),
  utf16: Buffer.from(`\uFEFFquestion: ${secret}`, 'utf16le'),
  deep: `${deep}"${secret}"`,
  'deep.json': `{"format":${deep}${']'.repeat(100_000)},"x":"${secret}"}`,
};

type Reader = (path: string) => unknown;

/** @returns each reader with what it reads, besides the file itself */
function readers(folder: string): Record<string, Reader> {
  const options = {
    registry: patterns,
    folder: '/',
    source: '',
    command: '',
    observer: { trialStarted() {}, progress() {}, trialEnded() {} },
    signal: new AbortController().signal,
  };
  const written = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const scenario = (topic: string) =>
    openScenario(
      written('own.yaml', `question: What?\nsubscribers: 1\ntopics: { a: { ${topic} } }\nvariants: [sse]\n`),
      [],
    ).scenario;
  const target = (more: string) =>
    openTarget(
      written(
        'target.yaml',
        `name: feed\nurl: http://127.0.0.1:1\npublish: /p\nsubscribe: { sse: /s }\n${more}\n`,
      ),
      {},
    );
  const json = (path: string) => {
    const name = `${path.replace(/\W/g, '-')}.json`;
    symlinkSync(path, join(folder, name));
    return name;
  };
  return {
    scenario: (path) => openScenario(path, []),
    'scenario with overrides': (path) => openScenario(path, ['repeat=2', 'passwor.x=3']),
    trace: (path) => prepare(scenario(`publish: { trace: ${JSON.stringify(path)} }`), options),
    corpus: (path) =>
      prepare(
        scenario(`publish: 1/s, payload: { from: ${JSON.stringify(join(folder, json(path)))} }`),
        options,
      ),
    target: (path) => openTarget(path, {}),
    authority: (path) => target(`tls: { ca: ${JSON.stringify(path)} }`),
    pidFile: (path) => target(`process: { pidFile: ${JSON.stringify(path)} }`),
    result: (path) => readResult(path),
    results: (path) => readResults(path),
    comparison: (path) => readComparison(path),
    history: (path) => readHistory([path]),
    baseline: (path) =>
      checkBaseline('given', 'none', {
        dir: linked(folder, path),
        failOn: [],
        strict: false,
        simulatedToo: false,
        json: false,
        annotations: false,
      }),
    'list of baselines': (path) => listBaselines({ dir: linked(folder, path) }),
    figures: (path) => claimsCommand([], { figures: path, out: join(folder, 'claims.md') }),
  };
}

let links = 0;

/** A folder of baselines whose only one is that file. */
function linked(folder: string, path: string): string {
  const dir = join(folder, `baselines-${++links}`);
  mkdirSync(dir);
  symlinkSync(path, join(dir, 'given.json'));
  return dir;
}

test('whatever a path leads to, every reader refuses it in a sentence that quotes nothing', async (t) => {
  const folder = temporaryFolder(t);
  const paths = Object.entries(texts).map(([name, bytes]) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  });
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  mkdirSync(join(folder, 'folder'));
  writeFileSync(join(folder, 'large'), secret);
  truncateSync(join(folder, 'large'), 300 * 1024 ** 2); // a hole
  paths.push('/dev/zero', join(folder, 'pipe'), join(folder, 'folder'), join(folder, 'large'));
  for (const [what, read] of Object.entries(readers(temporaryFolder(t)))) {
    for (const path of paths) {
      // A list in JSON is what bodies are read from.
      if (what === 'corpus' && path.endsWith('list.json')) continue;
      const startedMs = performance.now();
      await assert.rejects(
        async () => read(path),
        (error: Error) => {
          assert.ok(error instanceof UserError, `${what} ${path}: ${error.stack}`);
          assert.doesNotMatch(error.message, /SECRET|hunter|-----BEGIN PR|root:/, `${what} ${path}`);
          assert.ok(error.message.length < 1500, `${what} ${path}: ${error.message}`);
          return true;
        },
        `${what} ${path}`,
      );
      assert.ok(performance.now() - startedMs < 60_000, `${what} ${path}`);
    }
  }
});

test('a trace without an end is told to be none, and where traces are looked for', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(
    join(folder, 'a.yaml'),
    'question: What?\nsubscribers: 1\ntopics: { a: { publish: { trace: ' +
      '../../../../../dev/zero } } }\nvariants: [sse]\n',
  );
  const { code, stderr } = await call(['run', './a.yaml'], folder);
  assert.equal(code, 2, stderr);
  assert.match(
    stderr,
    /^Cannot read the trace "[./]+dev\/zero": it is a device, and only regular files are read\. Traces are looked for beside the scenario file/,
  );
});

test(
  'results above the limit are refused by report, compare, ' + 'history and claims with size and limit',
  async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'large'));
    writeFileSync(join(folder, 'large', 'result.json'), '');
    truncateSync(join(folder, 'large', 'result.json'), 70 * 1024 ** 2);
    writeFileSync(join(folder, 'good.json'), JSON.stringify(fixtureResult({ measureS: 1 })));
    for (const args of [
      ['report', 'large'],
      ['compare', 'good.json', 'large'],
      ['history', 'large'],
      ['claims', 'large'],
    ]) {
      const { code, stderr } = await call(args, folder);
      assert.equal(code, 2, stderr);
      assert.match(
        stderr,
        /^Cannot read .*large\/result\.json: it has 73,400,320 bytes, and at most 67,108,864 \(64 MiB\) are read: a run of 64 load processes over hours stays below it\./,
      );
    }
  },
);

test('results that are too many for memory together are refused before one is read', async (t) => {
  const folder = temporaryFolder(t);
  for (let i = 0; i < 9; i++) {
    mkdirSync(join(folder, 'many', String(i)), { recursive: true });
    writeFileSync(join(folder, 'many', String(i), 'result.json'), '');
    truncateSync(join(folder, 'many', String(i), 'result.json'), 60 * 1024 ** 2);
  }
  const message = 'These 9 results have 540 MiB together, and at most 512 MiB are read at once. Name fewer.';
  await assert.rejects(readResults(join(folder, 'many')), { code: 'result-size', message });
  await assert.rejects(readEach(Array.from({ length: 9 }, (_, i) => join(folder, 'many', String(i)))), {
    code: 'result-size',
    message,
  });
});

test('a name or a text that holds escape sequences does not reach the terminal as it is', async (t) => {
  const folder = temporaryFolder(t);
  const name = './a\x1b]0;owned\x07\u009b2J.yaml';
  writeFileSync(
    join(folder, name),
    'question: "\\e[2Jowned\\r::error::x"\nsubscribers: 1\ntopics: ' +
      '{ a: { publish: 5/s } }\nvariants: [sse]\n',
  );
  writeFileSync(join(folder, 'wrong.yaml'), 'question: What?\n"\\e[2J\\n::error::x": 1\n');
  for (const [args, shows] of [
    [['validate', name], /a␛\]0;owned␇�2J: ␛\[2Jowned/],
    [['validate', 'wrong.yaml'], /unknown key/],
    [['validate', `${name}.yaml`], /Cannot read the scenario/],
    [['report', `none\x1b[2J\n::error::x`], /Cannot read a result/],
    [['baseline', 'check', 'main', 'x', '--dir', 'none\x1b[2J'], /There is no baseline/],
  ] as const) {
    const { stdout, stderr } = await call([...args], folder);
    assert.match(stdout + stderr, shows);
    assert.doesNotMatch(stdout + stderr, /[^\P{Cc}\n]|^\s*::/mu, args.join(' '));
  }
});

test('a mistake in a stored file of ours is still named, and no list of them is endless', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'a.json');
  const good = fixtureResult({ measureS: 1 });
  writeFileSync(
    file,
    JSON.stringify({
      ...good,
      trials: good.trials.map((trial) => ({ ...trial, repetition: 'no', extra: 1 })),
      ...Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`x${i}`, 1])),
    }),
  );
  await assert.rejects(
    readResult(file),
    (error: Error) =>
      /a\.json is not valid:\n[\s\S]*at trials\[0\]\.repetition/.test(error.message) &&
      error.message.length < 10_000,
  );
  writeFileSync(file, JSON.stringify({ format: baselineFormat, version: 1, savedAt: 5, runs: {} }));
  await assert.rejects(readHistory([file]), /a\.json is not valid:\n[\s\S]*at savedAt/);
});
