// Installs what the lock file names when that has changed, then runs a task on the Node of the lock file,
// because results depend on the runtime. It is plain JavaScript, since it runs before anything is installed
// and on whatever Node the machine has; it is no part of the package.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// As cli/platform.ts says it. Here it comes before npm, which would fail with an error of its own.
if (process.platform === 'win32') {
  console.error(
    'pushbench runs on Linux and macOS. On Windows run it in WSL, or in a container: "docker build -t ' +
      'pushbench ." and then "docker run --rm --init pushbench npm start".',
  );
  process.exit(2);
}

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const stamp = join(root, 'node_modules', '.pushbench-installed');
const env = {
  ...process.env,
  PATH: bin + delimiter + process.env.PATH,
  // Types are stripped once and not at each start.
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'pushbench'),
};
const [task, ...rest] = process.argv.slice(2);

const tasks = {
  run: () => node(join(root, 'cli/main.ts'), ...rest),
  test: async () => (await check()) || vitest(...rest),
  // What needs neither a browser nor a process: `parallel` leaves out the files that do. Files share
  // processes here, which saves a third of the time; `test` gives each its own.
  'test:fast': () =>
    vitest(
      '--project',
      'parallel',
      '--no-isolate',
      ...['core', 'receiver', 'fake', 'harness', 'reports'].map((room) => `test/${room}/`),
      ...rest,
    ),
  bench: () => node('bench/main.ts', ...rest),
  validate: () => node('bench/validate/main.ts', ...rest),
  check,
  format: () => call(join(bin, 'oxfmt'), [root]),
  claims: () => node('scripts/claims.ts', ...rest),
  schema: () => node('scripts/schema.ts'),
  reference: () => node('scripts/reference.ts'),
  'capture-wire': () => node('scripts/capture-wire.ts'),
  build: () => node('scripts/build.mjs'),
  'build-receiver': () => node('scripts/build-receiver.mjs'),
};

await install();
process.exitCode = await (tasks[task] ?? unknown)();

async function install() {
  process.chdir(root);
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (installed === lock) return;
  console.error('Installing what package-lock.json names ...');
  // Under --ignore-scripts no lifecycle script can call back into this one; the runtime's own is run below.
  const status = await call('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts']);
  if (status !== 0) {
    console.error(
      'npm ci failed: see its message above. Without a network, ' +
        'copy node_modules from a machine that has one.',
    );
    process.exit(3);
  }
  if ((await call('npm', ['rebuild', 'node', '--loglevel=error'])) !== 0 || !existsSync(join(bin, 'node'))) {
    console.error(
      'The runtime (npm package "node") could not be installed; ' +
        'there may be no build of it for this machine.',
    );
    process.exit(3);
  }
  writeFileSync(stamp, lock);
}

async function check() {
  return (
    (await call(join(bin, 'tsc'), ['--project', root])) ||
    (await call(join(bin, 'oxlint'), ['--deny-warnings', root])) ||
    (await call(join(bin, 'oxfmt'), ['--check', root]))
  );
}

function unknown() {
  console.error(`Unknown task "${task}"; there are: ${Object.keys(tasks).join(', ')}.`);
  return 2;
}

function vitest(...args) {
  const watches = args.some((arg) => arg === '--watch' || arg === '-w');
  return node(join(root, 'node_modules/vitest/vitest.mjs'), ...(watches ? [] : ['run']), ...args);
}

function node(...args) {
  return call(join(bin, 'node'), args);
}

/** Runs a command to its end and resolves with its exit code. */
function call(command, args) {
  const child = spawn(command, args, { env, stdio: 'inherit' });
  // Ctrl-C reaches the child by itself, being in the same process group; it decides how to end, and this
  // process waits for it. SIGTERM may have been sent to this process alone.
  const wait = () => {};
  const pass = () => child.kill('SIGTERM');
  process.on('SIGINT', wait);
  process.on('SIGTERM', pass);
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`Cannot run ${command}: ${error.message}`);
      resolve(3);
    });
    child.on('close', (code, signal) =>
      resolve(code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 130 : 3)),
    );
  }).finally(() => {
    process.off('SIGINT', wait);
    process.off('SIGTERM', pass);
  });
}
