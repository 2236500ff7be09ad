// `pushbench bisect` as a user meets it: the commit that made an app slower is found, what cannot be started
// is passed over, and whatever happens the user's repository is as it was.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import type { Bisection } from '../../core/comparison/bisect.ts';
import { userRepository } from '../user-repository.ts';
import { call, resultFolders, startScripted, temporaryFolder } from './tools.ts';

const about = ['--target', 'bench/app.yaml', '--scenario', 'bench/delivery.yaml'];
const command = ['--', 'node', 'your-app.mjs'];

async function repository(t: TestContext) {
  const app = await userRepository(temporaryFolder(t));
  const { folder, git } = app;
  const before = () => [git('status', '--porcelain'), git('rev-parse', 'HEAD'), git('worktree', 'list')];
  /** A commit that ends as soon as it is started. */
  const broken = (subject: string) => {
    app.write('your-app.mjs', "import 'no-such-package';\n");
    return app.commit(subject);
  };
  const stored = () => {
    const [run] = resultFolders(folder);
    return {
      run: run!,
      bisection: JSON.parse(readFileSync(join(run!, 'bisect.json'), 'utf8')) as Bisection,
    };
  };
  return { ...app, before, broken, stored };
}

test(
  'the commit that made it slower, with every step; the working tree is not touched',
  { timeout: 600_000 },
  async (t) => {
    const { folder, held, commit, before, stored, write } = await repository(t);
    held(100, 'Begin');
    for (const subject of ['One', 'Two', 'Three']) commit(subject);
    const culprit = held(160, 'Wait for more');
    for (const subject of ['Four', 'Five', 'Six']) commit(subject);
    write('notes.txt', 'not committed');
    write('your-app.mjs', 'half of a change');
    const was = before();
    const end = await startScripted(['bisect', 'HEAD~7', 'HEAD', ...about, ...command], folder).ended;
    assert.equal(end.code, 0, end.stdout + end.stderr);
    assert.match(end.stderr, /are 7 commits\. .* then it takes about 3 steps\./);
    assert.ok(
      end.stdout.startsWith(`First bad commit: ${culprit.slice(0, 10)} "Wait for more"\n`),
      end.stdout,
    );
    assert.match(end.stdout, /Gone by: median latency of sse @app, against \w{10} "Begin"/);
    const { run, bisection } = stored();
    assert.deepEqual(bisection.end, { kind: 'found', commit: { commit: culprit, subject: 'Wait for more' } });
    assert.ok(bisection.steps.length >= 3 && bisection.steps.length <= 4, JSON.stringify(bisection.steps));
    assert.ok(bisection.steps.every(({ folder: own }) => existsSync(join(run, own!, 'comparison.json'))));
    assert.deepEqual(before(), was);
    const page = await call(['report', join(run, bisection.steps[0]!.folder!)], folder);
    assert.equal(page.code, 0, page.stderr);
    assert.match(page.stdout, /Worse, \w{10} "Six" against \w{10} "Begin"/);
  },
);

test(
  'a commit that does not start decides nothing: where the first bad one is next to it, both are named',
  { timeout: 600_000 },
  async (t) => {
    const { folder, held, broken, before } = await repository(t);
    held(100, 'Begin');
    const suspects = [broken('Break'), held(160, 'Mend and wait')];
    const was = before();
    const end = await startScripted(['bisect', 'HEAD~2', 'HEAD', ...about, '--json', ...command], folder)
      .ended;
    assert.equal(end.code, 6, end.stdout + end.stderr);
    const { end: found, steps } = JSON.parse(end.stdout) as Bisection;
    assert.deepEqual(
      found.kind === 'narrowed' && found.suspects.map(({ commit }) => commit).toSorted(),
      suspects.toSorted(),
    );
    assert.match(steps.find(({ verdict }) => verdict === 'skipped')!.why, /did not start/);
    assert.deepEqual(before(), was);
  },
);

test('a commit that is not worse, and ends that cannot be', { timeout: 600_000 }, async (t) => {
  const { folder, git, held, commit, broken } = await repository(t);
  held(100, 'Begin');
  commit('Same');
  const same = await startScripted(['bisect', 'HEAD~1', 'HEAD', ...about, ...command], folder).ended;
  assert.equal(same.code, 6, same.stdout + same.stderr);
  assert.match(same.stdout, /"Same" is not shown to be worse than \w{10} "Begin"/);
  git('switch', '--quiet', '-c', 'other', 'HEAD~1');
  broken('Elsewhere');
  const rows: [string[], RegExp, number][] = [
    [['main', 'main'], /are the same commit/, 2],
    [['main', 'main~1'], /main~1 comes before main: name the good, older commit first/, 2],
    [['main', 'other'], /main is not an ancestor of other\. .*git merge-base main other/, 2],
    [['main', 'mian'], /There is no commit "mian"/, 2],
    [['main~1', 'other'], /"Elsewhere" did not start, so nothing more is tried/, 3],
  ];
  for (const [ends, message, code] of rows) {
    const { ended } = startScripted(['bisect', ...ends, ...about, ...command], folder);
    const end = await ended;
    assert.equal(end.code, code, end.stderr);
    assert.match(end.stderr, message);
  }
  assert.equal(git('worktree', 'list').split('\n').length, 1);
});

test('Ctrl-C leaves no worktree behind, and what was decided is kept', { timeout: 600_000 }, async (t) => {
  const { folder, held, commit, before, stored } = await repository(t);
  held(100, 'Begin');
  for (const subject of ['One', 'Two', 'Three']) commit(subject);
  held(160, 'Wait for more');
  commit('Four');
  const was = before();
  const run = startScripted(['bisect', 'HEAD~5', 'HEAD', ...about, ...command], folder);
  t.onTestFinished(() => void run.child.kill('SIGKILL'));
  await run.saw(/Step 1 of about 3/);
  run.child.kill('SIGINT');
  const end = await run.ended;
  assert.equal(end.code, 130, end.stderr);
  assert.match(end.stdout, /was not completed/);
  assert.deepEqual(before(), was);
  assert.deepEqual(stored().bisection.end, { kind: 'unfinished' });
});

test('two commits of an app in a folder of its repository, installed by a command', async (t) => {
  const { folder, git, held, write, commit } = await repository(t);
  mkdirSync(join(folder, 'app'));
  write('yarn.lock', 'one\n');
  held(100, 'Begin');
  write('yarn.lock', 'two\n');
  held(100, 'Update');
  git('mv', 'your-app.mjs', 'app/your-app.mjs');
  commit('Move');
  const arms = ['ab', 'ref:main~1', 'ref:main', ...about, '--start', 'node your-app.mjs'];
  const other = await call(arms.with(1, 'ref:main~2').with(2, 'ref:main~1'), folder);
  assert.equal(other.code, 2, other.stderr);
  assert.match(other.stderr, /was written for other packages .*yarn\.lock differs.*--install 'COMMAND'/);
  const moved = await startScripted([...arms, '--app', 'app', '--install', 'touch installed'], folder).ended;
  assert.equal(moved.code, 2, moved.stderr);
  assert.match(moved.stderr, /main~1 has no folder app\//);
  const failing = await call([...arms, '--install', 'echo no network >&2; exit 9'], folder);
  assert.match(failing.stderr, /"echo no network >&2; exit 9" failed \(exit code 9\)\.\n {2}no network/);
  assert.equal(git('worktree', 'list').split('\n').length, 1);
});

test('what keeps git from answering is told with its remedy', async (t) => {
  const { folder, held } = await repository(t);
  held(100, 'Begin');
  held(160, 'Wait');
  const bisect = (cwd: string) => call(['bisect', 'HEAD~1', 'HEAD', ...about, ...command], cwd);
  const shallow = temporaryFolder(t);
  execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${folder}`, '.'], { cwd: shallow });
  assert.match((await bisect(shallow)).stderr, /this clone is shallow.*git fetch --unshallow/);
  const none = temporaryFolder(t);
  mkdirSync(join(none, 'bench'));
  for (const file of readdirSync(join(folder, 'bench')))
    writeFileSync(join(none, 'bench', file), readFileSync(join(folder, 'bench', file)));
  assert.match((await bisect(none)).stderr, /is not a git repository/);
  process.env['GIT_TEST_ASSUME_DIFFERENT_OWNER'] = '1';
  t.onTestFinished(() => void delete process.env['GIT_TEST_ASSUME_DIFFERENT_OWNER']);
  assert.match(
    (await bisect(folder)).stderr.replaceAll('\n', ' '),
    /another user owns it.*git config --global --add safe\.directory '/,
  );
});
