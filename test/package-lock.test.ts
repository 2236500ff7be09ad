// Checks package-lock.json: every package that an installation fetches carries the hash
// that npm holds it against.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';

type Locked = {
  version?: string;
  integrity?: string;
  link?: boolean;
  resolved?: string;
  dependencies?: Record<string, string>;
};

const { lockfileVersion, packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  lockfileVersion: number;
  packages: Record<string, Locked>;
};
/** Our own packages, which are here and come from nowhere: each has an entry, and a link to it. */
const { workspaces } = JSON.parse(readFileSync('package.json', 'utf8')) as { workspaces: string[] };
const own = new Set(
  workspaces.flatMap((folder) => {
    const { name } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { name: string };
    return [folder, `node_modules/${name}`];
  }),
);
const locked = Object.entries(packages).filter(([path]) => path !== '' && !own.has(path));

test('our own packages are links, and need nothing of others', () => {
  for (const path of own) {
    const { link, resolved, dependencies } = packages[path]!;
    if (link) assert.ok(workspaces.includes(resolved!));
    else assert.equal(dependencies, undefined, path);
  }
});

test('every locked package has an integrity of SHA-512', () => {
  assert.equal(lockfileVersion, 3);
  assert.ok(locked.length > 100, `the lock file lists only ${locked.length} packages`);
  const without = locked.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''));
  assert.deepEqual(
    without.map(([path]) => path),
    [],
    'npm installs these unchecked: take the hashes from the lock file that ' +
      'npm writes in a folder with package.json alone',
  );
});

test('every package comes from a registry: none is a link, a folder or an address', () => {
  const elsewhere = locked.filter(
    ([path, { version, link }]) =>
      link === true || !path.startsWith('node_modules/') || !/^\d+\.\d+\.\d+/.test(version ?? ''),
  );
  assert.deepEqual(
    elsewhere.map(([path]) => path),
    [],
  );
});

test('what package.json asks for is an exact version', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    assert.equal(packages[`node_modules/${name}`]?.version, version, name);
  }
});
