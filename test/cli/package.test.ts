// The package as its users get it: packed, installed elsewhere, run.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertExit, start, temporaryFolder, writeScenario } from './tools.ts';

test('npm pack, install the tarball elsewhere, run it', async (t) => {
  const folder = temporaryFolder(t);
  const npm = (args: string[], cwd: string) => execFileSync('npm', [...args, '--loglevel=error', '--no-audit', '--no-fund'], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  npm(['pack', '--pack-destination', folder], process.cwd());
  const [tarball] = globSync('*.tgz', { cwd: folder });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  npm(['install', `./${tarball}`], folder);

  const installed: [string, ...string[]] = [process.execPath, join(folder, 'node_modules/.bin/pushbench')];
  const help = await start(['--help'], folder, installed).ended;
  assert.equal(help.code, 0, help.stderr);
  assert.match(help.stdout, /pushbench/);
  const list = await start(['list'], folder, installed).ended;
  assert.equal(list.code, 0, list.stderr);
  assert.match(list.stdout, /compare: /);
  const end = await start(['run', writeScenario(folder, 'variants: [sse, { sse: { over: h2 } }, webhook]\nexpect: [missed == 0]')], folder, installed).ended;
  assertExit(end, 0);
  assert.match(end.stdout, /sse[\s\S]*webhook/);
  assert.equal(globSync('results/*/report.html', { cwd: folder }).length, 1);
});
