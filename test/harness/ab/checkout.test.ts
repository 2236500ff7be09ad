// Tests a commit checked out beside the repository: with the packages of its own lock file, and nothing left
// behind.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { checkOut } from '../../../harness/ab/checkout.ts';

/** A repository of two commits, the later one with a package more; no network is needed to install either. */
function repository(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'pushbench-repository-'));
  t.onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', root, '-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], {
      encoding: 'utf8',
    }).trim();
  const write = (name: string, text: string) => writeFileSync(join(root, name), text);
  const commit = (dependencies: Record<string, string>, lock: Record<string, unknown>) => {
    write('package.json', JSON.stringify({ name: 'x', version: '1.0.0', dependencies }));
    write(
      'package-lock.json',
      JSON.stringify({
        name: 'x',
        version: '1.0.0',
        lockfileVersion: 3,
        packages: { '': { name: 'x', version: '1.0.0', dependencies }, ...lock },
      }),
    );
    git('add', '.');
    git('commit', '--quiet', '--message', 'one');
    return git('rev-parse', 'HEAD');
  };
  git('init', '--quiet');
  write('.gitignore', 'node_modules\n');
  mkdirSync(join(root, 'near'));
  write('near/package.json', JSON.stringify({ name: 'near', version: '1.0.0' }));
  write('value', 'old');
  const old = commit(
    { near: 'file:near' },
    { 'node_modules/near': { resolved: 'near', link: true }, near: { version: '1.0.0' } },
  );
  write('value', 'new');
  const now = commit({}, {});
  mkdirSync(join(root, 'node_modules'));
  const undo: (() => void)[] = [];
  const notes: string[] = [];
  const worktrees = () => git('worktree', 'list').split('\n').length;
  return {
    root,
    old,
    now,
    undo,
    notes,
    worktrees,
    options: {
      root,
      cleanUp: (action: () => void) => void undo.unshift(action),
      note: (text: string) => void notes.push(text),
      signal: new AbortController().signal,
    },
  };
}

test(
  'a commit with the packages that are installed shares ' + 'them; its worktree goes with the run',
  async (t) => {
    const { now, options, undo, notes, worktrees } = repository(t);
    const folder = await checkOut(now, options);
    assert.equal(readFileSync(join(folder, 'value'), 'utf8'), 'new');
    assert.ok(lstatSync(join(folder, 'node_modules')).isSymbolicLink());
    assert.deepEqual([notes, worktrees()], [[], 2]);
    for (const action of undo) action();
    assert.deepEqual([existsSync(folder), worktrees()], [false, 1]);
  },
);

test('a commit with other packages gets its own installed, which is said', async (t) => {
  const { root, old, options, undo, notes, worktrees } = repository(t);
  const folder = await checkOut(old, options);
  assert.equal(readFileSync(join(folder, 'value'), 'utf8'), 'old');
  assert.ok(existsSync(join(folder, 'node_modules/near/package.json')));
  assert.match(notes.join(), /written for other packages .* installing/);
  for (const action of undo) action();
  assert.deepEqual(
    [existsSync(folder), worktrees(), existsSync(join(root, 'node_modules'))],
    [false, 1, true],
  );
});

test('what cannot be checked out or installed is told, and leaves nothing either', async (t) => {
  const { root, old, options, undo, worktrees } = repository(t);
  await assert.rejects(checkOut('no-such', options), {
    code: 'arm',
    message: /There is no commit "no-such" in/,
  });
  const npm = join(root, 'bin');
  mkdirSync(npm);
  writeFileSync(join(npm, 'npm'), '#!/bin/sh\necho "no network" >&2\nexit 1\n', { mode: 0o755 });
  const path = process.env['PATH'];
  process.env['PATH'] = `${npm}:${path}`;
  try {
    await assert.rejects(checkOut(old, options), {
      code: 'arm',
      message: /Cannot install the packages of .*no network.*dir:FOLDER/s,
    });
  } finally {
    process.env['PATH'] = path;
  }
  for (const action of undo) action();
  assert.equal(worktrees(), 1);
});

test('an abort ends git, and the worktree that it had begun goes all the same', async (t) => {
  const { root, now, options, undo, worktrees } = repository(t);
  // Git waits in the hook with the worktree made, and locked as it locks one that it has begun.
  writeFileSync(
    join(root, '.git/hooks/post-checkout'),
    '#!/bin/sh\ngit worktree lock . 2> /dev/null; touch "$0.ran"; sleep 1000\n',
    { mode: 0o755 },
  );
  const stop = new AbortController();
  const checking = checkOut(now, { ...options, signal: stop.signal });
  while (!existsSync(join(root, '.git/hooks/post-checkout.ran')))
    await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort(new Error('enough'));
  await assert.rejects(checking, /enough/);
  for (const action of undo) action();
  assert.equal(worktrees(), 1);
});
