// The oldest runtime is one thing, wherever it stands.

import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'vitest';
import { requireNode } from '../../cli/node-version.ts';
import { start, temporaryFolder } from './tools.ts';

test('an older runtime is told what to do', () => {
  for (const version of ['v26.5.0', 'v26.10.0', 'v27.0.0', 'v100.0.0']) requireNode(version);
  for (const version of ['v26.4.9', 'v25.99.0', 'v24.12.0', 'v6.5.0']) {
    assert.throws(() => requireNode(version), {
      code: 'node-version',
      message:
        `pushbench needs Node 26.5 or newer, and this is ${version}. Install a current Node, or run it ` +
        'from its repository with npm start.',
    });
  }
});

test(
  'the command line says so without a stack trace, though the ' + 'older runtime lacks names that it uses',
  async (t) => {
    const folder = temporaryFolder(t);
    // Node 20 as far as this goes: its version, and a node:module without a compile cache.
    const older = `import { registerHooks } from 'node:module';
registerHooks({ resolve: (name, context, next) => (name === 'node:module'
  ? { url: 'data:text/javascript,', shortCircuit: true } : next(name, context)) });
Object.defineProperty(process, 'version', { value: 'v20.20.2' });`;
    writeFileSync(join(folder, 'older.mjs'), older);
    const end = await start(['--help'], folder, [
      process.execPath,
      '--import',
      join(folder, 'older.mjs'),
      resolve('cli/main.ts'),
    ]).ended;
    assert.deepEqual(
      [end.code, end.stdout, end.stderr],
      [
        2,
        '',
        'pushbench needs Node 26.5 or newer, and this is v20.20.2. Install a current Node, or run it from ' +
          'its repository with npm start.\n',
      ],
    );
  },
);

test('whatever names a version of Node names that of engines', () => {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
  const least = engines.node.replace('>=', '');
  assert.match(least, /^\d+\.\d+$/);
  requireNode(`v${least}.0`);
  const files = [
    'README.md',
    'CONTRIBUTING.md',
    'action.yml',
    '.ci/run',
    'cli/node-version.ts',
    'scripts/bootstrap.mjs',
    ...globSync('docs/ci/*'),
  ];
  const named = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\bnode(?:\.js|-version:)? *['">=]*v?(\d+(?:\.\d+)*)/gi)].map(
      ([, version]) => ({ file, version }),
    ),
  );
  assert.ok(named.length >= 3, JSON.stringify(named));
  assert.deepEqual(
    named.filter(({ version }) => version !== least),
    [],
  );
});
