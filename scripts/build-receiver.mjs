// Builds packages/receiver for publishing: the receiver library and what it imports, as plain JavaScript with
// types, in the language of Node 20.

import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { basename } from 'node:path';

const folder = 'packages/receiver';
for (const made of ['dist', 'examples']) rmSync(`${folder}/${made}`, { recursive: true, force: true });
const { status } = spawnSync('tsc', ['--project', `${folder}/tsconfig.json`], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 3);
for (const file of globSync('docs/examples/receiver-*.mjs'))
  cpSync(file, `${folder}/examples/${basename(file)}`);
cpSync('LICENSE', `${folder}/LICENSE`);
