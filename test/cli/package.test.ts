// The package as its users get it: packed, installed elsewhere, run.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'vitest';
import { assertMeasured, start, temporaryFolder, writeScenario } from './tools.ts';

test('npm pack, install the tarball elsewhere, run it', { timeout: 400_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const npm = (args: string[], cwd: string) =>
    execFileSync('npm', [...args, '--loglevel=error', '--no-audit', '--no-fund'], {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  npm(['pack', '--pack-destination', folder], process.cwd());
  const [tarball] = globSync('*.tgz', { cwd: folder });
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  npm(['install', `./${tarball}`], folder);

  const installed: [string, ...string[]] = [process.execPath, join(folder, 'node_modules/.bin/pushbench')];
  const help = await start(['--help'], folder, installed).ended;
  assert.equal(help.code, 0, help.stderr);
  assert.match(help.stdout, /pushbench/);
  const open = start(['open', '.', '--port', '0'], folder, installed);
  await open.saw(/Ctrl-C ends it/);
  open.child.kill('SIGINT');
  const [address] = /http:\/\/\S+/.exec((await open.ended).stdout) ?? [];
  assert.ok(address);
  assert.equal(
    globSync('node_modules/pushbench/docs/patterns/*.md', { cwd: folder }).length,
    6,
    'the pages come along',
  );
  const single = start(['serve', 'sse', '--port', '0'], folder, installed);
  const page = new Promise<string>((resolve) =>
    single.child.stdout!.on('data', (text: string) => {
      const [, found] = /^Page: (\S+)$/m.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    }),
  );
  const shown = await fetch(await page, { headers: { accept: 'text/html' } });
  assert.match(await shown.text(), /new EventSource\(/, 'the page of a single server comes along');
  single.child.kill('SIGINT');
  assert.equal((await single.ended).code, 0);
  const shipped = join(folder, 'node_modules/pushbench');
  const broken = globSync(['*.md', 'docs/**/*.md'], { cwd: shipped }).flatMap((file) =>
    [...readFileSync(join(shipped, file), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)]
      .map(([, target]) => target!)
      .filter((target) => !existsSync(join(shipped, dirname(file), target)))
      .map((target) => `${file}: ${target}`),
  );
  assert.deepEqual(broken, [], 'what its documents link to comes along');
  const list = await start(['list'], folder, installed).ended;
  assert.equal(list.code, 0, list.stderr);
  assert.match(list.stdout, /compare: /);
  const claims = await start(['claims'], folder, installed).ended;
  assert.deepEqual([claims.code, claims.stdout], [0, readFileSync('docs/claims.md', 'utf8')], claims.stderr);
  const written = await start(['claims', '--write'], folder, installed).ended;
  assert.equal(written.code, 2);
  assert.match(written.stderr, /this is an installed package\. Leave --write out/);
  const end = await start(
    ['run', writeScenario(folder, 'variants: [sse, { sse: { over: h2 } }, webhook]\nexpect: [missed == 0]')],
    folder,
    installed,
  ).ended;
  assertMeasured(end, folder);
  assert.match(end.stdout, /sse[\s\S]*webhook/);

  // The library for receivers, with its types.
  writeFileSync(
    join(folder, 'use.ts'),
    `import { createReceiver } from 'pushbench/receiver';
const receiver = createReceiver({ scheme: 'slack', secrets: ['x'],
  onDelivery: ({ id }) => console.log(id satisfies string | undefined) });
console.log(receiver.counts().accepted satisfies number);\n`,
  );
  assert.equal(execFileSync(process.execPath, ['use.ts'], { cwd: folder, encoding: 'utf8' }), '0\n');
  const typeRoots = join(process.cwd(), 'node_modules/@types');
  const typeCheck = (file: string) =>
    execFileSync(
      'tsc',
      [file, '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'].concat([
        '--typeRoots',
        typeRoots,
      ]),
      { cwd: folder, stdio: 'inherit' },
    );
  typeCheck('use.ts');

  assert.equal(globSync('results/*/report.html', { cwd: folder }).length, 1);

  // The delivery test of its page, in the runner that the page names.
  const [, example] = /```ts\n\/\/ delivery\.test\.ts\n([\s\S]*?)```/.exec(
    readFileSync(join(shipped, 'docs/api.md'), 'utf8'),
  )!;
  writeFileSync(join(folder, 'delivery.test.ts'), example!);
  symlinkSync(join(process.cwd(), 'node_modules/vitest'), join(folder, 'node_modules/vitest'));
  const tested = execFileSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  assert.match(tested, /Tests\s+1 passed \(1\)/);
  typeCheck('delivery.test.ts');
});
