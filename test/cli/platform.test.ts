// A system that pushbench does not run on is told so at once, from the repository and as a package, and the
// files for containers name the runtime and the folders that the rest of the project does.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'vitest';
import { requirePlatform } from '../../cli/platform.ts';
import { start, temporaryFolder } from './tools.ts';

const text = (path: string) => readFileSync(path, 'utf8');
const said =
  'pushbench runs on Linux and macOS. On Windows run it in WSL, or in a container: "docker build -t ' +
  'pushbench ." and then "docker run --rm --init pushbench npm start".';

test('Windows is refused with the container to use, and other systems are not', () => {
  for (const platform of ['linux', 'darwin', 'freebsd'] as const) requirePlatform(platform);
  assert.throws(() => requirePlatform('win32'), { code: 'platform', message: said });
});

test('npm start and the command line say it before they do anything', async (t) => {
  const folder = temporaryFolder(t);
  const windows = join(folder, 'windows.mjs');
  writeFileSync(windows, "Object.defineProperty(process, 'platform', { value: 'win32' });");
  for (const entry of ['scripts/bootstrap.mjs', 'cli/main.ts']) {
    const end = await start(['run', 'compare'], folder, [
      process.execPath,
      '--import',
      windows,
      resolve(entry),
    ]).ended;
    assert.deepEqual([end.code, end.stdout, end.stderr], [2, '', `${said}\n`], entry);
  }
});

test('the Dockerfile has the Node of package.json, and no root', () => {
  const { devDependencies } = JSON.parse(text('package.json')) as { devDependencies: { node: string } };
  const lines = text('Dockerfile').split('\n');
  const of = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  assert.deepEqual(of('FROM'), [`node:${devDependencies.node}\${VARIANT}`]);
  assert.deepEqual(of('ARG'), ['VARIANT=-slim']);
  const user = lines.indexOf('USER node');
  assert.ok(
    user > 0 && user < lines.findIndex((line) => line.startsWith('COPY ')),
    'files are not copied as root',
  );
  assert.deepEqual(JSON.parse(of('CMD')[0]!), ['npm', 'start']);
  const ignored = text('.dockerignore').split('\n');
  for (const one of ['node_modules', 'results', '.git']) assert.ok(ignored.includes(one), one);
});

test('the dev container is built from the same file', () => {
  const { build, remoteUser } = JSON.parse(text('.devcontainer/devcontainer.json')) as {
    build: { dockerfile: string; context: string; args: Record<string, string> };
    remoteUser: string;
  };
  assert.equal(resolve('.devcontainer', build.dockerfile), resolve('Dockerfile'));
  assert.equal(resolve('.devcontainer', build.context), resolve('.'));
  assert.deepEqual(Object.keys(build.args), ['VARIANT']);
  assert.equal(remoteUser, 'node');
});

test('README and page mount the folder that the image writes results to', () => {
  const [, folder] = /^WORKDIR (\S+)$/m.exec(text('Dockerfile'))!;
  for (const page of ['README.md', 'docs/containers.md', 'Dockerfile']) {
    const mounts = [...text(page).matchAll(/-v "\$PWD\/results:([^"]+)"/g)].map(([, to]) => to);
    assert.ok(mounts.length > 0, page);
    for (const to of mounts) assert.equal(to, `${folder}/results`, page);
  }
});
