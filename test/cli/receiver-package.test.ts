// The receiver as its users get it: packed, installed elsewhere, and the page's application and test run on
// it, on this Node and on an older one.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { skipWhen } from '../skip.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pushbench-test-'));
  const npm = (args: string[], cwd: string) =>
    execFileSync('npm', [...args, '--loglevel=error', '--no-audit', '--no-fund'], {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  npm(['pack', '--workspace', '@pushbench/receiver', '--pack-destination', folder], process.cwd());
  const [tarball] = globSync('*.tgz', { cwd: folder });
  assert.equal(tarball, 'pushbench-receiver-0.1.0.tgz');
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  npm(['install', '--offline', `./${tarball}`], folder);
  symlinkSync(resolve('node_modules/express'), join(folder, 'node_modules/express'));
  for (const [, code, file] of readFileSync('docs/receiver.md', 'utf8').matchAll(
    /```js\n(\/\/ (\S+):[\s\S]*?)```/g,
  ))
    writeFileSync(join(folder, file!), code!);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A Node that is not older than the package says, and older than the one that runs this. */
const older = ['/usr/bin/node', '/usr/local/bin/node'].find((node) => {
  const [, major] = /^v(\d+)\./.exec(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout ?? '') ?? [];
  return Number(major) >= 20 && Number(major) < Number.parseInt(process.versions.node, 10);
});

test('it is small and alone', () => {
  const installed = globSync('node_modules/*/*/package.json', { cwd: folder });
  assert.deepEqual(installed, ['node_modules/@pushbench/receiver/package.json']);
  const own = join(folder, 'node_modules/@pushbench/receiver');
  const bytes = readdirSync(own, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
  assert.ok(bytes < 300_000, `${bytes} bytes`);
  for (const file of ['README.md', 'LICENSE', 'examples/receiver-sql.mjs', 'examples/receiver-redis.mjs'])
    assert.ok(statSync(join(own, file)).size > 0);
});

function isGreen(node: string): void {
  const { status, stdout, stderr } = spawnSync(node, ['--test'], {
    cwd: folder,
    encoding: 'utf8',
    // Of the runner that runs this.
    env: { PATH: process.env['PATH'] },
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^(?:# |ℹ )pass 1$/m);
}

test('the page’s application for Stripe in Express passes the page’s test', () => isGreen(process.execPath));

test('on an older Node too', (t) => {
  skipWhen(t, older === undefined && 'no Node of 20 or newer that is older than this one in /usr/bin');
  isGreen(older!);
});

test('and fails it when the receiver lets everything in: the test can fail', () => {
  const other = join(folder, 'broken');
  mkdirSync(other);
  symlinkSync(join(folder, 'node_modules'), join(other, 'node_modules'));
  const app = readFileSync(join(folder, 'app.mjs'), 'utf8');
  writeFileSync(
    join(other, 'app.mjs'),
    app.replace('receiver.handle', '(request, response) => response.status(204).end()'),
  );
  writeFileSync(join(other, 'app.test.mjs'), readFileSync(join(folder, 'app.test.mjs')));
  const { status } = spawnSync(process.execPath, ['--test', 'app.test.mjs'], {
    cwd: other,
    env: { PATH: process.env['PATH'] },
    timeout: 60_000,
  });
  assert.equal(status, 1);
  rmSync(other, { recursive: true });
});

test('its types are those of strict TypeScript, with variables of the environment as they are', () => {
  writeFileSync(
    join(folder, 'use.mts'),
    `import { createServer } from 'node:http';
import { createReceiver, type Delivery } from '@pushbench/receiver';
const receiver = createReceiver({
  scheme: 'stripe',
  secrets: [process.env['WEBHOOK_SECRET']],
  async onDelivery({ id, event, answer }) {
    console.log(id satisfies string | undefined, event.data.object['id']);
    answer({ status: 202 });
  },
});
createReceiver({
  scheme: 'github',
  secrets: ['x'],
  onDelivery: ({ event }: Delivery<{ name: 'push'; payload: { ref: string } }>) => event.payload.ref,
});
createServer((request, response) => void receiver.handle(request, response));
export default { fetch: receiver.fetch };
`,
  );
  const options =
    '--noEmit --strict --exactOptionalPropertyTypes --module nodenext --target es2022 --types node';
  execFileSync('tsc', ['use.mts', ...options.split(' '), '--typeRoots', resolve('node_modules/@types')], {
    cwd: folder,
    stdio: 'inherit',
  });
});
