// Builds dist/ for publishing: plain JavaScript of every room, and what the code reads at run time.

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
// The second: types of what is imported as a library.
for (const project of ['tsconfig.build.json', 'tsconfig.types.json']) {
  const { status } = spawnSync('tsc', ['--project', project], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 3);
}
for (const file of globSync('servers/http/*.pem')) cpSync(file, `dist/${file}`);
for (const folder of [
  'reports/page/client',
  'servers/page/client',
  'servers/webhook/http/dashboard',
  'receiver/inspector/page',
])
  cpSync(folder, `dist/${folder}`, { recursive: true });
chmodSync('dist/cli/main.js', 0o755);
