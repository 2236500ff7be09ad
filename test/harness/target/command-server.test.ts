// Tests what is said of a server that a command starts and that does not start: at once, with the command,
// how it ended, what it printed and where it was awaited.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { resultSchema } from '../../../core/result/result.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { commandFleet } from '../../../harness/target/command-server.ts';
import { openTarget } from '../../../harness/target/open.ts';
import { processes } from '../../../harness/trial/fleet.ts';
import { resultFolders, start, temporaryFolder, writeScenario } from '../../cli/tools.ts';
import { userRepository } from '../../user-repository.ts';
import { token, writeTarget } from './foreign.ts';

const node = JSON.stringify(process.execPath);
const listening = (port: number) =>
  `require('node:net').createServer().listen(${port}, '127.0.0.1', () => console.log('up'))`;

async function place(t: TestContext) {
  const { folder, port } = await userRepository(temporaryFolder(t));
  const file = writeTarget(
    t,
    `name: app\nurl: http://127.0.0.1:${port}\npublish: /in/{topic}\nsubscribe: { sse: '/out/{topic}' }\n` +
      'headers: { authorization: "Bearer ${FEED_TOKEN}" }\n',
  );
  return { folder, port, target: openTarget(file, { FEED_TOKEN: token }) };
}

/** What is said of the command. */
async function failure(t: TestContext, command: string, given?: Awaited<ReturnType<typeof place>>) {
  const { folder, port, target } = given ?? (await place(t));
  const server = commandFleet(processes, target, command, folder).server();
  server.send({ kind: 'start', pattern: 'sse', options: {}, limits: defaultLimits, seed: 1 });
  try {
    await assert.rejects(server.next('listening', 60_000), Error);
    const { code, message } = await server.broken.catch((error: Error & { code: string }) => error);
    return { code, message: message.replaceAll(String(port), 'PORT') };
  } finally {
    await server.stop(1000);
  }
}

test('a command that ends: how, what it printed last, where it was awaited', async (t) => {
  const lines = Array.from({ length: 30 }, (_, i) => `console.log('line ${i}');`).join('');
  const { code, message } = await failure(
    t,
    `${node} -e "${lines} console.error('no such table'); process.exit(7)"`,
  );
  assert.equal(code, 'start');
  assert.match(
    message,
    /^The command ".*" ended \(exit code 7\) before anything listened on 127\.0\.0\.1:PORT\.\n/,
  );
  const [, said = ''] = message.split('\nIt printed last:\n');
  assert.equal(said.split('\n').length, 20);
  assert.match(said, /^ {2}line 29$/m);
  assert.match(said, /^ {2}no such table$/m);
  assert.doesNotMatch(said, /line 9$/m);
  assert.match(
    (await failure(t, 'kill -KILL $$')).message,
    /ended \(signal SIGKILL\).*\nIt printed nothing\./,
  );
  assert.match((await failure(t, 'no-such-program')).message, /ended \(exit code 127\)[\s\S]*not found/);
});

test('what it prints is shown without the secrets of the target file', async (t) => {
  const { message } = await failure(t, `echo "token ${token} refused" >&2; exit 1`);
  assert.ok(!message.includes(token), message);
  assert.match(message, /token \$\{FEED_TOKEN\} refused/);
});

test('a command that listens on another port is told which', async (t) => {
  const given = await place(t);
  const other = (await userRepository(temporaryFolder(t))).port;
  const { message } = await failure(t, `${node} -e "${listening(other)}"`, given);
  assert.match(message, /runs, but nothing listened on 127\.0\.0\.1:PORT within 10 s\./);
  assert.match(message, new RegExp(`It listens on port ${other}: write that into the "url"`));
  assert.match(message, /\n {2}up$/);
});

test('an earlier process on the port is not taken for the one that was started', async (t) => {
  const given = await place(t);
  const earlier = spawn(process.execPath, ['-e', listening(given.port)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.onTestFinished(() => void earlier.kill('SIGKILL'));
  await once(earlier.stdout, 'data');
  const { code, message } = await failure(t, 'sleep 1000', given);
  assert.equal(code, 'port-taken');
  assert.match(
    message,
    new RegExp(`process ${earlier.pid} listens there since before it was started\\. End`),
  );
});

test('ab and run stop at the first start that fails', async (t) => {
  const { folder, port, write } = await userRepository(temporaryFolder(t));
  const scenario = writeScenario(folder, 'variants: [sse]\nrepeat: 3');
  write('bad.mjs', "import 'no-such-package';\n");
  const ab = await start(
    [
      'ab',
      'cmd:node bad.mjs',
      'cmd:node bad.mjs',
      '--target',
      'bench/app.yaml',
      '--scenario',
      './bench/delivery.yaml',
    ],
    folder,
  ).ended;
  assert.equal(ab.code, 3, ab.stderr);
  assert.match(
    ab.stderr,
    new RegExp(
      `did not start, so nothing more is tried: The command "node bad\\.mjs" ended \\(exit code 1\\) ` +
        `before anything listened on 127\\.0\\.0\\.1:${port}\\.\nIt printed last:\n[\\s\\S]*no-such-package`,
    ),
  );
  assert.equal(ab.stderr.match(/did not start/g)?.length, 1);
  assert.deepEqual(resultFolders(folder), []);
  const run = await start(['run', scenario, '--target', 'bench/app.yaml', '--no-reference'], folder).ended;
  assert.equal(run.code, 3, run.stderr);
  assert.match(run.stderr, /\[1\/3\] sse @app: failed: target app: 127\.0\.0\.1:\d+: nothing listens there/);
  const [runFolder] = resultFolders(folder);
  assert.ok(readdirSync(runFolder!).includes('report.html'));
  const result = resultSchema.parse(JSON.parse(readFileSync(join(runFolder!, 'result.json'), 'utf8')));
  assert.equal(result.trials.length, 1);
  assert.match(
    result.state.kind === 'failed' ? result.state.why : '',
    /^sse @app did not start, so nothing more is tried: target app:/,
  );
});
